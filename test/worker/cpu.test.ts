import { exportJWK, generateKeyPair } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { workerdCpuMs } from '../../scripts/support/workerd-process.ts';
import { bundleWorker, edgeBindings, type LocalEdge, localWorker, startLocalEdge } from '../../src/cli/local-edge.ts';
import { HEALTH_KEY, POINTER_KEY } from '../../src/config/kv-layout.ts';
import { splitSnapshot } from '../../src/config/shards.ts';
import type { ProxyConfiguration } from '../../src/config/snapshot.ts';
import { get } from '../support/edge/client.ts';
import { type Origin, startOrigin } from '../support/edge/origin.ts';
import { createSnapshot, folded, router } from '../support/edge/world.ts';

const FREE_PLAN_MS = 10;
const WARM_REQUESTS = 300;

/**
 * CPU of the whole of workerd, its KV and network included, so what the free plan counts is less. The relay is played by a server
 * that answers at once.
 */
describe.runIf(process.platform === 'linux')('CPU of a request', () => {
  let relay: Origin;
  let script: string;

  beforeAll(async () => {
    relay = await startOrigin('relay', (_request, response) =>
      response.writeHead(200, { 'edgeway-relay': 'agent-1', 'Content-Length': 2 }).end('ok'),
    );
    script = await bundleWorker(undefined, { minify: true });
  });
  afterAll(() => relay.stop());

  async function start(worker: string, http: Partial<ProxyConfiguration>): Promise<{ edge: LocalEdge; port: number }> {
    const { privateKey } = await generateKeyPair('EdDSA', { extractable: true });
    const grantKey = JSON.stringify({ ...(await exportJWK(privateKey)), kid: 'k' });
    const env = edgeBindings({ EDGEWAY_GRANT_KEY: grantKey, EDGEWAY_CONTROL_HOST: 'control.test' });
    const edge = await startLocalEdge({
      workers: [localWorker({ name: 'edgeway', script: worker, env, durableObjects: ['Hub'], ownSocket: true })],
    });
    const snapshot = createSnapshot(1, [], http);
    const sites = { 'agent-1': { agent: 'agent-1', link: { type: 'https', address: relay.url } } } as const;
    const { pointerText } = await splitSnapshot({ ...snapshot, sites }, Date.now());
    await (await edge.kv('EDGEWAY_KV', 'edgeway')).put(POINTER_KEY, pointerText);
    return { edge, port: Number((await edge.directUrl('edgeway')).port) };
  }

  async function measure(worker: string, http: Partial<ProxyConfiguration>): Promise<{ cold: number; warm: number }> {
    const { edge, port } = await start(worker, http);
    try {
      const before = workerdCpuMs();
      expect((await get(port, 'app.test')).status).toBe(200);
      const cold = workerdCpuMs() - before;
      for (let i = 0; i < WARM_REQUESTS; i++) await get(port, 'app.test');
      const middle = workerdCpuMs();
      for (let i = 0; i < WARM_REQUESTS; i++) await get(port, 'app.test');
      return { cold, warm: (workerdCpuMs() - middle) / WARM_REQUESTS };
    } finally {
      await edge.stop();
    }
  }

  const services = { 'app@docker': folded({ 'agent-1': { name: 'app@docker', weight: 1 } }) };
  const many = Array.from(
    { length: 1000 },
    (_, i) => [`r${i}@docker`, router(`Host(\`h${i}.test\`) && PathPrefix(\`/p${i}\`)`, 'app@docker')] as const,
  );
  const app = { 'app@docker': router('Host(`app.test`)', 'app@docker') };
  const small = { routers: app, services };
  const large = { routers: { ...app, ...Object.fromEntries(many) }, services };

  /** Reads the same keys once and asks the same server: what is left is not ours. */
  const bare = (): string => `let read;
    export default { async fetch(request, env) {
      read ??= await env.EDGEWAY_KV.get(['${POINTER_KEY}', '${HEALTH_KEY}'], { type: 'text', cacheTtl: 30 });
      return fetch('${relay.url}/.edgeway/relay', { headers: request.headers });
    } };
    export class Hub {}`;

  it.each<[string, () => string, Partial<ProxyConfiguration>]>([
    ['one router', () => script, small],
    ['the same reads and fetch alone', bare, small],
    ['1000 routers', () => script, large],
    ['the same reads and fetch alone, 1000 routers', bare, large],
  ])('%s', async (name, worker, http) => {
    const { cold, warm } = await measure(worker(), http);
    console.log(`CPU of workerd, ${name}: cold ${cold.toFixed(1)} ms, warm ${warm.toFixed(2)} ms (free plan: ${FREE_PLAN_MS} ms)`);
    expect(warm).toBeLessThan(FREE_PLAN_MS);
  });
});
