import { createCode } from '../config/codes.ts';
import { checkPublisherName } from '../config/publication.ts';
import { createEdgeSecrets, type EdgeSecrets } from './edge-secrets.ts';
import type { Io } from './io.ts';
import { setWorkerSecrets } from './wrangler.ts';

export interface InitOptions {
  readonly print: boolean;
  /** Name of the Worker, where it is not that of wrangler.toml. */
  readonly worker: string | undefined;
  /** How many enrolment codes. */
  readonly codes: number;
  /** Names for which codes are made. */
  readonly names: readonly string[];
  /** Only these keys are made anew. */
  readonly only: readonly KeyName[];
}

export const KEY_NAMES = ['grant', 'next-grant', 'seal', 'admin'] as const;
export type KeyName = (typeof KEY_NAMES)[number];

const CODE_MS = 24 * 3_600_000;

/** Makes keys, sets them as secrets of the Worker, and prints what begins with them. Throws ConfigError. */
export async function init({ print, worker, codes, names, only }: InitOptions, io: Io, now: number): Promise<void> {
  const made = await createEdgeSecrets();
  const secrets = only.length === 0 ? { ...made } : choose(made, only);
  if (print) io.stdout.write(`${JSON.stringify(secrets, null, 2)}\n`);
  else await setWorkerSecrets(secrets, { worker, env: io.env, cwd: io.cwd });
  // What people read must not end up in a file of secrets.
  const say = (text: string): void => void (print ? io.stderr : io.stdout).write(text);
  say(`${print ? 'Made' : 'Set'} ${Object.keys(secrets).join(', ')}.\n`);
  if (!('EDGEWAY_ADMIN_KEY' in secrets)) return;

  const key = made.EDGEWAY_ADMIN_KEY;
  const token = await createCode(key, { purpose: 'admin', now, lifetimeMs: CODE_MS });
  say(`\nAdmin token, for one 'edgeway edge login' within a day:\n  ${token}\n`);
  if (codes === 0 && names.length === 0) return;
  say("\nEnrolment codes, for one agent each within a day (edge.code, or 'edgeway edge enrol --code'):\n");
  for (const name of names) {
    const problem = checkPublisherName(name);
    if (problem !== undefined) throw new Error(problem);
    say(`  ${name}: ${await createCode(key, { purpose: 'enrol', now, lifetimeMs: CODE_MS, name })}\n`);
  }
  for (let i = 0; i < codes; i++) say(`  ${await createCode(key, { purpose: 'enrol', now, lifetimeMs: CODE_MS })}\n`);
}

function choose(made: EdgeSecrets, only: readonly KeyName[]): Record<string, string> {
  const secrets: Record<KeyName, Record<string, string>> = {
    grant: { EDGEWAY_GRANT_KEY: made.EDGEWAY_GRANT_KEY },
    'next-grant': { EDGEWAY_NEXT_GRANT_KEY: made.EDGEWAY_GRANT_KEY },
    seal: { EDGEWAY_SEAL_KEY: made.EDGEWAY_SEAL_KEY },
    admin: { EDGEWAY_ADMIN_KEY: made.EDGEWAY_ADMIN_KEY },
  };
  return Object.assign({}, ...only.map((name) => secrets[name]));
}
