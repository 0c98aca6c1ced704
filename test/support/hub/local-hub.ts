import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { bundleWorker, edgeBindings, type LocalEdge, localWorker, startLocalEdge } from '../../../src/cli/local-edge.ts';
import { HUB_NAME } from '../../../src/config/kv-layout.ts';
import type { Command, Report } from '../edge/commands.ts';
import { SEAL_KEY } from '../publications.ts';
import { ADMIN_KEY } from './memory-hub.ts';
import type { Target } from './publisher-double.ts';

/** The Worker with its hub in workerd, on a KV that counts and fails when told. */
export interface LocalHub {
  /** As publishers and operators reach it. */
  readonly target: Target;
  readonly edge: LocalEdge;
  readonly grantKey: JWK;
  readonly log: string[];
  tell(command: Command): Promise<Report>;
  /** Moves the hub's clock and rings its alarm. */
  advance(ms: number): Promise<void>;
  /** Throws the Durable Object out of memory. */
  evict(): Promise<void>;
  stop(): Promise<void>;
}

const FOLDER = dirname(fileURLToPath(import.meta.url));

export async function startLocalHub(variables: Readonly<Record<string, string>> = {}): Promise<LocalHub> {
  const [script, doubles] = await Promise.all([
    bundleWorker(join(FOLDER, 'worker/hub-with-clock.ts')),
    bundleWorker(join(FOLDER, '../edge/worker/doubles.ts')),
  ]);
  const { privateKey } = await generateKeyPair('EdDSA', { extractable: true });
  const grantKey = { ...(await exportJWK(privateKey)), kid: 'grant-1' };
  const log: string[] = [];
  const edge = await startLocalEdge({
    workers: [
      localWorker({
        name: 'edgeway',
        script,
        env: {
          ...edgeBindings({
            EDGEWAY_CONTROL_HOST: '127.0.0.1',
            EDGEWAY_ADMIN_KEY: ADMIN_KEY,
            EDGEWAY_SEAL_KEY: SEAL_KEY,
            EDGEWAY_GRANT_KEY: JSON.stringify(grantKey),
            EDGEWAY_LOG_LEVEL: 'DEBUG',
            ...variables,
          }),
          EDGEWAY_KV: { type: 'worker', worker: 'doubles', exportName: 'KvDouble', props: { location: 'hub' } },
        },
        durableObjects: ['Hub'],
      }),
      localWorker({ name: 'doubles', script: doubles, durableObjects: ['HubDouble'] }),
    ],
    onLog: (line) => log.push(line),
  });
  const url = edge.url.origin;
  let offsetMs = 0;
  return {
    target: { url, fetch, now: () => Date.now() + offsetMs },
    edge,
    grantKey,
    log,
    async tell(command) {
      const response = await edge.dispatch('doubles', 'http://doubles/', { method: 'POST', body: JSON.stringify(command) });
      if (!response.ok) throw new Error(await response.text());
      return (await response.json()) as Report;
    },
    async advance(ms) {
      offsetMs += ms;
      const response = await fetch(`${url}/hub/advance?ms=${ms}`, { method: 'POST' });
      if (!response.ok) throw new Error(await response.text());
    },
    evict: () => edge.evict('edgeway', 'Hub', { name: HUB_NAME }),
    stop: () => edge.stop(),
  };
}
