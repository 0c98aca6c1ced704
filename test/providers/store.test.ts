import { afterEach, describe, expect, it } from 'vitest';
import { createLogger, type LogLine } from '../../src/base/log.ts';
import { hashPairs } from '../../src/providers/clients/pair-hash.ts';
import { StoreError } from '../../src/providers/clients/store.ts';
import type { ProviderContext, ProviderMessage } from '../../src/providers/provider.ts';
import { followStore } from '../../src/providers/store.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { createMemoryStore } from '../support/stores/memory-store.ts';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A provider over a store in memory, on a clock that the test moves. */
function follow(rootKey = 'traefik', more: Partial<ProviderContext> = {}) {
  const memory = createMemoryStore();
  const clock = createManualClock();
  const abort = new AbortController();
  const lines: LogLine[] = [];
  const messages: ProviderMessage[] = [];
  const log = createLogger((line) => lines.push(line), 'DEBUG');
  const start = () => {
    const context = { clock, log, signal: abort.signal, environment: {}, node: { name: 'n1', version: '1.2.3' }, ...more };
    return (async () => {
      for await (const message of followStore(memory.store, rootKey, context)) messages.push(message);
    })();
  };
  let done: Promise<void> | undefined;
  ending = async () => {
    abort.abort();
    for (let i = 0; i < 20; i++) await turn();
    await done;
  };
  return {
    ...memory,
    lines,
    messages,
    rule: (name: string) => messages.at(-1)?.configuration.http?.routers?.[name]?.rule,
    /** Lets time pass in steps of 10 ms. */
    async pass(ms: number): Promise<void> {
      done ??= start();
      for (let i = 0; i < 12; i++) await turn();
      for (let gone = 0; gone < ms; gone += 10) {
        await clock.advance(10);
        for (let i = 0; i < 12; i++) await turn();
      }
    },
    revision(revision: number, state: 'writing' | 'written', hash = `h${revision}`) {
      memory.put('edgeway/traefik/revision', JSON.stringify({ revision, state, hash, writer: 'test', at: 0 }));
    },
    /** What sync notes of the keys that are there. */
    hash: () => hashPairs([...memory.pairs].filter(([key]) => key.startsWith('traefik/'))),
  };
}
let ending: (() => Promise<void>) | undefined;
afterEach(async () => {
  await ending?.();
  ending = undefined;
});

const router = 'traefik/http/routers/a';

describe('what a store says', () => {
  it('is told at once at the start, and empty when nothing is there', async () => {
    const { pass, messages } = follow();
    await pass(0);
    expect(messages).toEqual([{ configuration: {}, problems: [] }]);
  });

  it('is read below the root key alone, however it is written', async () => {
    const { pass, put, rule, messages } = follow('/team/one/');
    put('team/one/http/routers/a/rule', 'Path(`/a`)');
    put('team/ones/http/routers/b/rule', 'Path(`/b`)');
    await pass(0);
    expect(rule('a')).toBe('Path(`/a`)');
    expect(Object.keys(messages[0]!.configuration.http!.routers!)).toEqual(['a']);
    expect(messages[0]!.problems).toEqual([]);
  });

  it('waits after a change of a foreign writer until nothing follows', async () => {
    const { pass, put, rule, messages, state } = follow();
    await pass(0);
    const reads = state.reads;
    for (const [key, value] of [
      ['rule', 'Path(`/a`)'],
      ['service', 's'],
      ['middlewares/0', 'auth'],
    ]) {
      put(`${router}/${key}`, value!);
      await pass(60);
      expect(messages.length).toBe(1);
    }
    await pass(150);
    expect(messages.length).toBe(2);
    expect(messages[1]!.configuration.http!.routers!.a).toMatchObject({ rule: 'Path(`/a`)', service: 's', middlewares: ['auth'] });
    expect(rule('a')).toBeDefined();
    expect(state.reads - reads).toBe(1);
  });

  it('asks for the changed keys only, and decodes their object only, when sync noted what all is then', async () => {
    const { pass, put, rule, revision, hash, messages, state } = follow();
    for (const name of ['a', 'b', 'c']) put(`traefik/http/routers/${name}/rule`, 'Path(`/old`)');
    revision(1, 'written', hash());
    await pass(0);
    const { reads } = state;
    put(`${router}/rule`, 'Path(`/new`)');
    revision(2, 'written', hash());
    await pass(0);
    expect([rule('a'), rule('b')]).toEqual(['Path(`/new`)', 'Path(`/old`)']);
    expect(state.reads).toBe(reads);
    const [before, after] = messages.map(({ configuration }) => configuration.http!.routers!);
    expect(Object.keys(after!).filter((name) => after![name] !== before![name])).toEqual(['a']);
  });

  it.each<[string, (world: ReturnType<typeof follow>) => void]>([
    ['went without a word', ({ pairs }) => pairs.delete('traefik/http/routers/b/rule')],
    ['came without a word', ({ pairs }) => pairs.set('traefik/http/routers/d/rule', 'Path(`/d`)')],
  ])('reads all when a key %s', async (_, change) => {
    const world = follow();
    const { pass, put, revision, messages } = world;
    for (const name of ['a', 'b', 'c']) put(`traefik/http/routers/${name}/rule`, 'Path(`/old`)');
    revision(1, 'written', world.hash());
    await pass(0);
    change(world);
    put(`${router}/rule`, 'Path(`/new`)');
    revision(2, 'written', world.hash());
    await pass(0);
    const there = [...world.pairs.keys()].filter((key) => key.startsWith('traefik/')).map((key) => key.split('/')[3]);
    expect(Object.keys(messages.at(-1)!.configuration.http!.routers!).sort()).toEqual(there.sort());
  });

  it('takes what stands still after a second of changes, and leaves what is in motion as it was', async () => {
    const { pass, put, rule, messages } = follow();
    put(`${router}/rule`, 'Path(`/old`)');
    await pass(0);
    put('traefik/http/routers/b/rule', 'Path(`/b`)');
    put(`${router}/rule`, 'Path(`/new`)');
    for (let i = 0; messages.length === 1; i++) {
      expect(i).toBeLessThan(60);
      put(`${router}/priority`, `${i}`);
      await pass(50);
    }
    expect([rule('a'), rule('b')]).toEqual(['Path(`/old`)', 'Path(`/b`)']);
    await pass(1_500);
    expect(rule('a')).toBe('Path(`/new`)');
  });

  it('keeps the last whole form of an object that becomes wrong, says so, and takes the others', async () => {
    const { pass, put, rule, messages, pairs } = follow();
    put(`${router}/rule`, 'Path(`/a`)');
    await pass(0);
    put(`${router}/rulle`, 'x');
    put('traefik/http/routers/b/rule', 'Path(`/b`)');
    put('traefik/http/routers/c/nothing', 'x');
    await pass(300);
    expect([rule('a'), rule('b'), rule('c')]).toEqual(['Path(`/a`)', 'Path(`/b`)', undefined]);
    expect(messages.at(-1)!.problems.map(({ place }) => place.source)).toEqual([`${router}/rulle`, 'traefik/http/routers/c/nothing']);
    for (const key of [...pairs.keys()]) if (key.startsWith(`${router}/`)) put(key, undefined);
    await pass(300);
    expect(rule('a')).toBeUndefined();
  });

  it('is withdrawn when all keys are removed', async () => {
    const { pass, put, messages } = follow();
    put(`${router}/rule`, 'Path(`/a`)');
    await pass(0);
    put(`${router}/rule`, undefined);
    await pass(300);
    expect(messages.at(-1)).toEqual({ configuration: {}, problems: [] });
  });
});

describe('what sync writes', () => {
  it('counts at once when it is written', async () => {
    const { pass, put, revision, rule } = follow();
    revision(1, 'written');
    await pass(0);
    put(`${router}/rule`, 'Path(`/a`)');
    revision(2, 'written');
    await pass(0);
    expect(rule('a')).toBe('Path(`/a`)');
  });

  it('does not count while it is being written', async () => {
    const { pass, put, revision, rule, messages } = follow();
    revision(1, 'written');
    put(`${router}/rule`, 'Path(`/old`)');
    await pass(0);
    revision(2, 'writing');
    for (let i = 0; i < 5; i++) {
      put(`${router}/rule`, `Path(\`/${i}\`)`);
      await pass(2_000);
    }
    expect(messages.length).toBe(1);
    revision(2, 'written');
    await pass(0);
    expect(rule('a')).toBe('Path(`/4`)');
  });

  it('counts after a while when its writer died', async () => {
    const { pass, put, revision, rule, messages } = follow();
    revision(1, 'written');
    await pass(0);
    revision(2, 'writing');
    put(`${router}/rule`, 'Path(`/half`)');
    await pass(4_900);
    expect(messages.length).toBe(1);
    await pass(300);
    expect(rule('a')).toBe('Path(`/half`)');
  });

  it('is not believed to be a note when it is none', async () => {
    const { pass, put, rule } = follow();
    for (const text of ['', '{', '[]', '{"revision":"1","state":"writing"}', '{"revision":1,"state":"odd"}']) {
      put('edgeway/traefik/revision', text);
      put(`${router}/rule`, `Path(\`/${text.length}\`)`);
      await pass(300);
      expect(rule('a')).toBe(`Path(\`/${text.length}\`)`);
    }
  });

  it('is answered with a note of this node once it is served', async () => {
    const { pass, put, revision, messages, pairs } = follow();
    revision(7, 'written');
    put(`${router}/rule`, 'Path(`/a`)');
    await pass(0);
    expect(pairs.has('edgeway/traefik/nodes/n1')).toBe(false);
    messages[0]!.applied!();
    await pass(0);
    expect(JSON.parse(pairs.get('edgeway/traefik/nodes/n1')!)).toEqual({
      node: 'n1',
      revision: 7,
      hash: 'h7',
      version: '1.2.3',
      at: expect.any(Number),
    });
    await pass(300);
    expect(messages.length).toBe(1);
  });

  it('is served all the same to who may not write', async () => {
    const { pass, revision, messages, lines, state } = follow();
    state.refuse = new StoreError('refused', 'NOPERM');
    for (let i = 1; i < 4; i++) {
      revision(i, 'written');
      await pass(0);
      messages.at(-1)!.applied!();
      await pass(0);
    }
    expect(lines.map(({ level, message }) => [level, message])).toEqual([['DEBUG', 'Cannot note the applied revision in the store']]);
  });
});

describe('a note that may not be read', () => {
  it('is done without: credentials made for Traefik serve, and it is told once', async () => {
    const { pass, put, lose, rule, lines, state } = follow();
    state.refusedKey = 'edgeway/traefik/revision';
    put(`${router}/rule`, 'Path(`/a`)');
    await pass(0);
    expect(rule('a')).toBe('Path(`/a`)');
    lose();
    await pass(2_000);
    put(`${router}/rule`, 'Path(`/b`)');
    await pass(2_000);
    expect(rule('a')).toBe('Path(`/b`)');
    const told = lines.filter(({ level }) => level === 'WARN');
    expect(told).toMatchObject([
      { message: expect.stringContaining('may not read what edgeway sync notes'), fields: { keys: 'edgeway/traefik/*' } },
    ]);
  });
});

describe('a store that goes away', () => {
  it('is asked again, and what it said stays', async () => {
    const { pass, put, lose, rule, messages, state, lines } = follow();
    put(`${router}/rule`, 'Path(`/a`)');
    await pass(0);
    lose();
    await pass(50);
    put(`${router}/rule`, 'Path(`/b`)');
    expect(messages.length).toBe(1);
    await pass(1_000);
    expect([rule('a'), state.watches]).toEqual(['Path(`/b`)', 2]);
    expect(lines.map(({ message }) => message)).toEqual(['Provider failed, keeping its last good configuration']);
  });

  it('is not believed when it comes back empty, until somebody writes', async () => {
    const { pass, put, lose, pairs, rule, messages, lines } = follow();
    put(`${router}/rule`, 'Path(`/a`)');
    await pass(0);
    pairs.clear();
    lose();
    await pass(1_000);
    expect(messages.length).toBe(1);
    expect(lines.map(({ message }) => message)).toContain('The store came back empty, keeping what it said before until a key is written');
    put('traefik/http/routers/b/rule', 'Path(`/b`)');
    await pass(300);
    expect([rule('a'), rule('b')]).toEqual([undefined, 'Path(`/b`)']);
  });

  it.each([true, false])('is empty at the start, and something stands in for it: %s', async (stands) => {
    const failures: string[] = [];
    const onFailure = ({ message }: Error): boolean => failures.push(message) > 0 && stands;
    const { pass, put, lose, rule, messages } = follow('traefik', { onFailure });
    await pass(1_000);
    lose();
    await pass(1_000);
    expect(messages).toHaveLength(stands ? 0 : 2);
    expect(failures).toContain('It is empty');
    put(`${router}/rule`, 'Path(`/a`)');
    await pass(300);
    expect(rule('a')).toBe('Path(`/a`)');
  });

  it('is believed when sync says that it is empty', async () => {
    const { pass, put, lose, pairs, revision, messages } = follow();
    put(`${router}/rule`, 'Path(`/a`)');
    await pass(0);
    pairs.clear();
    revision(2, 'written');
    lose();
    await pass(1_000);
    expect(messages.at(-1)!.configuration).toEqual({});
  });

  it('is closed at the end', async () => {
    const { pass, state } = follow();
    await pass(0);
    await ending!();
    expect(state.isClosed).toBe(true);
  });
});
