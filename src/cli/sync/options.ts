import { parseArgs } from 'node:util';
import { parseDuration } from '../../base/duration.ts';
import type { RollOutOptions } from '../../kv-sync/targets/store-roll-out.ts';
import { isStoreUrl } from '../../providers/clients/store-url.ts';
import { UsageError } from '../arguments.ts';
import type { Io } from '../io.ts';

export const parse = (args: readonly string[]) =>
  parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      to: { type: 'string' },
      'to-file': { type: 'string' },
      root: { type: 'string' },
      hub: { type: 'string' },
      name: { type: 'string' },
      code: { type: 'string' },
      state: { type: 'string' },
      'entry-point': { type: 'string', multiple: true },
      static: { type: 'string' },
      apply: { type: 'boolean' },
      prune: { type: 'boolean' },
      'allow-empty': { type: 'boolean' },
      'take-over': { type: 'boolean' },
      watch: { type: 'boolean' },
      wait: { type: 'string' },
      'no-wait': { type: 'boolean' },
      'keep-going': { type: 'boolean' },
      'roll-out': { type: 'string' },
      'roll-out-pause': { type: 'string' },
      'roll-out-limit': { type: 'string' },
      'detailed-exit-code': { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });

export type Values = ReturnType<typeof parse>['values'];

export type TargetName =
  | { readonly kind: 'edge' }
  | { readonly kind: 'store'; readonly url: string }
  | { readonly kind: 'file'; readonly path: string };

/** What is read, and where it goes. Throws UsageError. */
export function readTargets(positionals: readonly string[], values: Values, env: Io['env']): { sources: string[]; target: TargetName } {
  const sources = [...positionals];
  const { to, 'to-file': file } = values;
  if (to !== undefined && file !== undefined) throw new UsageError('there are two targets: --to and --to-file');
  let target: TargetName | undefined;
  if (file !== undefined) target = { kind: 'file', path: file };
  else if (to !== undefined) target = targetOf(to);
  else if (sources.length > 1 && isUrl(sources.at(-1)!)) target = targetOf(sources.pop()!);
  else if (env.EDGEWAY_SYNC_TO) target = targetOf(env.EDGEWAY_SYNC_TO);
  if (sources.length === 0) throw new UsageError('name at least one source: a file, a folder, the URL of a store, or - for standard input');
  if (target === undefined) {
    const last = sources.at(-1)!;
    throw new UsageError(
      isUrl(last)
        ? `name a target besides the source ${withoutLogin(last)}`
        : `name a target: the URL of a store at the end, as redis://host:6379, or --to edge, or --to-file FILE`,
    );
  }
  for (const source of sources)
    if (isUrl(source) && !isStoreUrl(source))
      throw new UsageError(`'${withoutLogin(source)}' is no store; known are redis://, etcd://, zookeeper:// and consul://`);
  if (sources.filter((source) => source === '-').length > 1) throw new UsageError('standard input can be read once only');
  if (values['roll-out'] !== undefined && target.kind !== 'store') throw new UsageError('--roll-out wants a store as target');
  if (values['roll-out'] !== undefined && values.watch) throw new UsageError('--roll-out is for one revision; leave --watch out');
  if (values.watch && sources.includes('-')) throw new UsageError('standard input cannot be watched; name a file');
  return { sources, target };
}

const isUrl = (text: string): boolean => /^[a-z][a-z\d+.-]*:\/\//i.test(text);

function targetOf(text: string): TargetName {
  if (text === 'edge') return { kind: 'edge' };
  if (isStoreUrl(text)) return { kind: 'store', url: text };
  if (isUrl(text)) throw new UsageError(`'${withoutLogin(text)}' is no store; known are redis://, etcd://, zookeeper:// and consul://`);
  throw new UsageError(
    `there is no target '${text}'; it is edge or the URL of a store, as redis://host:6379 (a file is named with --to-file)`,
  );
}

/** Names and passwords are never shown. */
export const withoutLogin = (url: string): string => url.replace(/\/\/[^@/]*@/, '//***@').replace(/\?.*$/, '');

const WAIT_MS = 60_000;

export function readWait(values: Values): number {
  if (values['no-wait']) return 0;
  return readTime(values.wait, '--wait') ?? WAIT_MS;
}

/** Undefined when nobody asked for one. Throws UsageError. */
export function readRollOut(values: Values): Pick<RollOutOptions, 'nodes' | 'pauseMs' | 'limitMs'> | undefined {
  const names = values['roll-out']?.split(',').map((name) => name.trim());
  if (names === undefined) return undefined;
  if (names.includes('')) throw new UsageError("--roll-out wants names of agents with commas between them, or 'all'");
  return {
    nodes: names.length === 1 && names[0] === 'all' ? 'all' : names,
    pauseMs: readTime(values['roll-out-pause'], '--roll-out-pause') ?? PAUSE_MS,
    limitMs: readTime(values['roll-out-limit'], '--roll-out-limit') ?? LIMIT_MS,
  };
}

const PAUSE_MS = 10_000;
const LIMIT_MS = 60_000;

export function readTime(text: string | undefined, option: string): number | undefined {
  if (text === undefined) return undefined;
  const ms = parseDuration(text);
  if (ms === undefined || ms < 0) throw new UsageError(`${option} wants a time as 30s or 2m, not '${text}'`);
  return ms;
}
