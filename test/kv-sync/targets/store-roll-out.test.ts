import { beforeEach, describe, expect, it } from 'vitest';
import { abortRollOut, type RollOutOptions, rollOut } from '../../../src/kv-sync/targets/store-roll-out.ts';
import type { StoreRevision } from '../../../src/providers/clients/store.ts';
import { readRevision } from '../../../src/providers/store-revision.ts';
import { realClock } from '../../support/provider.ts';
import { type BreakableStore, createBreakableStore } from '../../support/stores/breakable-store.ts';

const before: StoreRevision = { revision: 7, state: 'written', hash: 'seven', writer: 'sync', at: 0 };
const next: StoreRevision = { ...before, revision: 8, hash: 'eight' };
const changes = [
  { key: 'traefik/http/routers/a/rule', value: 'new' },
  { key: 'traefik/http/routers/b/rule', value: undefined },
];

let store: BreakableStore;
let said: string[];
beforeEach(() => {
  store = createBreakableStore();
  said = [];
});

const report = (node: string, revision: number): void =>
  store.set(`edgeway/traefik/nodes/${node}`, JSON.stringify({ node, revision, at: 0 }));

/** Agents that take what they are named for, in turn with who is named. */
async function roll(agents: readonly string[], options: Partial<RollOutOptions> = {}, deaf: readonly string[] = []) {
  for (const agent of agents) report(agent, 7);
  const ending = new AbortController();
  const named: string[][] = [];
  const agentsWork = (async () => {
    for await (const _ of store.client.watch([], ending.signal)) {
      const nodes = (await readRevision(store.client, 'traefik'))?.rollOut?.nodes ?? [];
      if (nodes.length !== named.at(-1)?.length) named.push([...nodes]);
      for (const node of nodes)
        if (!deaf.includes(node) && !store.pairs.get(`edgeway/traefik/nodes/${node}`)!.includes('8')) report(node, 8);
    }
  })();
  const lock = (await store.client.lock('edgeway/traefik/lock', 'me', 1_000))!;
  try {
    const done = await rollOut({
      nodes: ['one', 'two'],
      pauseMs: 0,
      limitMs: 300,
      say: (line) => said.push(line),
      client: store.client,
      lock,
      root: 'traefik',
      clock: realClock,
      signal: ending.signal,
      before,
      next,
      changes,
      ...options,
    });
    return { done, named };
  } finally {
    ending.abort();
    await agentsWork;
    await lock.release();
  }
}

describe('a roll-out', () => {
  it('names one agent after another, and touches nothing below root', async () => {
    const { done, named } = await roll(['one', 'two']);
    expect(named.filter((nodes) => nodes.length > 0)).toEqual([['one'], ['one', 'two']]);
    expect(said).toEqual(['one runs revision 8 (1 of 2)\n', 'two runs revision 8 (2 of 2)\n']);
    expect(store.below('traefik/')).toEqual({});
    expect(done.map(({ key, value }) => [key, value])).toEqual([
      ['edgeway/traefik/staged/8/set/http/routers/a/rule', undefined],
      ['edgeway/traefik/staged/8/gone/http/routers/b/rule', undefined],
    ]);
  });

  it('asks all that are known', async () => {
    const { named } = await roll(['a', 'c', 'b'], { nodes: 'all' });
    expect(named.at(-1)).toEqual(['a', 'b', 'c']);
  });

  it.each([
    ['an agent that nobody knows', ['one'], { nodes: ['one', 'three'] }, "no agent 'three' at this store; known are one"],
    ['all when there is none', [], { nodes: 'all' as const }, 'nobody to roll out to'],
  ])('refuses %s before anything is written', async (_, agents, options, message) => {
    await expect(roll(agents, options)).rejects.toThrow(message);
    expect(store.writes).toEqual([]);
  });

  it('stops at an agent that does not take it, until it is taken back', async () => {
    await expect(roll(['one', 'two'], {}, ['two'])).rejects.toThrow('two did not take revision 8 within 0.3 s');
    expect((await readRevision(store.client, 'traefik'))!.rollOut).toEqual({ revision: 8, hash: 'eight', nodes: ['one', 'two'] });
    const lock = (await store.client.lock('edgeway/traefik/lock', 'me', 1_000))!;
    expect(await abortRollOut(store.client, lock, 'traefik', await readRevision(store.client, 'traefik'))).toBe(true);
    expect(await readRevision(store.client, 'traefik')).toEqual(before);
    expect(store.below('edgeway/traefik/staged/')).toEqual({});
    expect(await abortRollOut(store.client, lock, 'traefik', before)).toBe(false);
  });
});
