import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { edgeBindings, type LocalEdge, localWorker, startLocalEdge } from '../../src/cli/local-edge.ts';

const SCRIPT = `
  import { DurableObject } from 'cloudflare:workers';
  export class Hub extends DurableObject {
    #calls = 0;
    async count() {
      const stored = ((await this.ctx.storage.get('count')) ?? 0) + 1;
      await this.ctx.storage.put('count', stored);
      return { stored, inMemory: ++this.#calls };
    }
  }
  export default {
    async fetch(request, env) {
      console.log('asked for ' + new URL(request.url).hostname);
      if (request.method === 'PUT') await env.EDGEWAY_KV.put('key', await request.text());
      return Response.json({ kv: await env.EDGEWAY_KV.get('key'), hub: await env.HUB.getByName('hub').count(), variable: env.VARIABLE });
    },
  };`;

let folder: string;
const lines: string[] = [];
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'edgeway-local-'))));
afterAll(() => rm(folder, { recursive: true, force: true }));

const start = (): Promise<LocalEdge> =>
  startLocalEdge({
    workers: [localWorker({ name: 'edgeway', script: SCRIPT, env: edgeBindings({ VARIABLE: 'v' }), durableObjects: ['Hub'] })],
    stateDirectory: folder,
    onLog: (line) => lines.push(line),
  });

it('keeps KV and Durable Objects over a restart, and objects over an eviction', async () => {
  const ask = async (edge: LocalEdge, init?: RequestInit) => (await (await fetch(edge.url, init)).json()) as unknown;
  const first = await start();
  expect(await ask(first, { method: 'PUT', body: 'value' })).toEqual({ kv: 'value', hub: { stored: 1, inMemory: 1 }, variable: 'v' });
  await first.evict('edgeway', 'Hub');
  expect(await ask(first)).toEqual({ kv: 'value', hub: { stored: 2, inMemory: 1 }, variable: 'v' });
  expect(await (await first.kv('EDGEWAY_KV', 'edgeway')).get('key')).toBe('value');
  await first.stop();

  const second = await start();
  expect(await ask(second)).toEqual({ kv: 'value', hub: { stored: 3, inMemory: 1 }, variable: 'v' });
  await second.stop();
  expect(lines).toContain('asked for 127.0.0.1');
});
