import { beforeEach, describe, expect, it, vi } from 'vitest';
import { sync } from '../../../src/kv-sync/sync.ts';
import { realClock } from '../../support/provider.ts';
import { type BreakableStore, createBreakableStore } from '../../support/stores/breakable-store.ts';
import { BOTH, keysSource, ROUTER, SERVICE, type Syncing, storeTarget, syncTo } from '../../support/stores/syncing.ts';

let store: BreakableStore;
beforeEach(() => {
  store = createBreakableStore();
});

async function run(text: string, options: Partial<Syncing> = {}) {
  const { said, ...result } = await syncTo({ client: store.client, ...options, source: text });
  return { ...result, said: said.join('') };
}
const revision = () => JSON.parse(store.pairs.get('edgeway/traefik/revision') ?? 'null');
const keys = (): string[] => Object.keys(store.below('traefik/'));

describe('while a source is followed', () => {
  it('puts back what left the store, and does not wake for what it wrote itself', async () => {
    const stopping = new AbortController();
    const said: string[] = [];
    let reads = 0;
    const counting = Object.create(store.client, {
      read: {
        value(prefix: string) {
          reads++;
          return store.client.read(prefix);
        },
      },
    }) as typeof store.client;
    const target = storeTarget({ client: counting, signal: stopping.signal });
    let rounds = 0;
    const following = sync({
      source: (async function* () {
        yield* keysSource(BOTH('a'));
        await new Promise((resolve) => stopping.signal.addEventListener('abort', resolve));
      })(),
      target: {
        ...target,
        translate(message) {
          rounds++;
          return target.translate(message);
        },
      },
      apply: true,
      prune: true,
      keepGoing: true,
      say: (line) => said.push(line),
      complain: (line) => said.push(line),
      watch: { clock: realClock, signal: stopping.signal },
    });
    await vi.waitFor(() => expect(keys()).toHaveLength(3));
    // The look at its own write, and no round for it.
    await vi.waitFor(() => expect(reads).toBeGreaterThan(4));
    expect(rounds).toBe(1);
    for (const key of [...store.pairs.keys()]) store.pairs.delete(key);
    store.set('other', 'x');
    await vi.waitFor(() => expect(keys()).toHaveLength(3));
    stopping.abort();
    expect(await following).toMatchObject({ isWell: true });
  });
});

describe('a source that changes', () => {
  /** What a round asked for; `between` happens before the second. */
  async function follow(texts: readonly string[], between: () => void = () => {}) {
    const asked: string[] = [];
    const counting = (name: 'read' | 'get', mark: string) => ({
      value: (text: string) => {
        asked.push(text + mark);
        return store.client[name](text);
      },
    });
    const client = Object.create(store.client, { read: counting('read', '*'), get: counting('get', '') }) as typeof store.client;
    const { said, complaints } = await syncTo({
      client,
      keepGoing: true,
      source: (async function* () {
        for (const [index, text] of texts.entries()) {
          if (index === texts.length - 1) between();
          asked.length = 0;
          yield* keysSource(text);
        }
      })(),
    });
    return { asked, said: [...said, ...complaints] };
  }
  const before = BOTH('a') + BOTH('b');

  it.each<[string, string, string[]]>([
    ['changed line', ROUTER('a', 'new.test') + SERVICE('a') + BOTH('b'), ['traefik/http/routers/a/rule', 'traefik/http/routers/a/service']],
    ['removed object', BOTH('a') + ROUTER('b'), ['traefik/http/services/b/loadBalancer/servers/0/url']],
    ['new object', before + SERVICE('c'), ['traefik/http/services/c/loadBalancer/servers/0/url']],
  ])('has the keys of a %s asked for, and nothing else read', async (_, after, wanted) => {
    const { asked } = await follow([before, after]);
    expect(asked.filter((key) => key !== 'edgeway/traefik/revision').sort()).toEqual(wanted);
    expect((await run(after)).said).toBe('Nothing to do.\n');
  });

  it('writes no key that somebody else has changed without a word', async () => {
    const { said } = await follow([before, BOTH('a') + ROUTER('b', 'new.test') + SERVICE('b')], () =>
      store.pairs.set('traefik/http/routers/b/rule', 'Host(`foreign.test`)'),
    );
    expect(store.pairs.get('traefik/http/routers/b/rule')).toBe('Host(`foreign.test`)');
    expect(said.at(-1)).toContain('1 in conflict');
    expect((await run(before)).said).toContain('somebody else has changed http/routers/b/rule');
  });

  it.each<[string, () => void]>([
    ['lost all', () => store.pairs.clear()],
    ['lost its keys, not its books', () => [...store.pairs.keys()].map((key) => key.startsWith('traefik/') && store.set(key, undefined))],
  ])('fills a store again that %s', async (_, lose) => {
    await follow([before, ROUTER('a', 'new.test') + SERVICE('a') + BOTH('b')], lose);
    expect((await run(ROUTER('a', 'new.test') + SERVICE('a') + BOTH('b'))).said).toBe('Nothing to do.\n');
    expect(keys()).toHaveLength(6);
  });

  it('finishes what another sync began meanwhile', async () => {
    await follow([before, before], () => {
      const mark = JSON.parse(store.pairs.get('edgeway/traefik/revision')!);
      store.pairs.set('edgeway/traefik/revision', JSON.stringify({ ...mark, revision: 7, state: 'writing' }));
    });
    expect(revision()).toMatchObject({ revision: 8, state: 'written' });
  });
});
