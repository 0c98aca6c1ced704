import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { freePort, type RunningServer } from '../servers.ts';
import type { createRedisWorld } from './redis-world.ts';

const WAIT = { timeout: 15_000, interval: 50 };

/** Three masters that share the slots. */
export async function startRedisCluster({ folder, run, tell }: ReturnType<typeof createRedisWorld>): Promise<RunningServer[]> {
  const nodes = await Promise.all(
    [0, 1, 2].map(async (index) =>
      run(
        '--cluster-enabled',
        'yes',
        '--cluster-config-file',
        join(folder, `nodes-${index}.conf`),
        '--cluster-port',
        String(await freePort()),
        '--cluster-node-timeout',
        '2000',
      ),
    ),
  );
  for (const [index, { port }] of nodes.entries()) {
    const from = Math.floor((16_384 / 3) * index);
    const to = index === 2 ? 16_383 : Math.floor((16_384 / 3) * (index + 1)) - 1;
    await tell({ port }, 'CLUSTER', 'ADDSLOTSRANGE', String(from), String(to));
    await tell({ port }, 'CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1));
  }
  for (const { port } of nodes.slice(1)) {
    const bus = String(((await tell({ port }, 'CONFIG', 'GET', 'cluster-port')) as string[])[1]);
    await tell(nodes[0]!, 'CLUSTER', 'MEET', '127.0.0.1', String(port), bus);
  }
  for (const { port } of nodes)
    await vi.waitFor(
      async () => expect(await tell({ port }, 'CLUSTER', 'INFO')).toMatch(/cluster_state:ok[\s\S]*cluster_known_nodes:3/),
      WAIT,
    );
  return nodes;
}
