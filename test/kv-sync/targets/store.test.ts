import { beforeEach, describe, expect, it } from 'vitest';
import { type BreakableStore, createBreakableStore } from '../../support/stores/breakable-store.ts';
import { BOTH, keysSource, ROUTER, SERVICE, type Syncing, syncTo } from '../../support/stores/syncing.ts';

let store: BreakableStore;
beforeEach(() => {
  store = createBreakableStore();
});

async function run(text: string, { name, ...options }: Partial<Syncing> & { name?: string } = {}) {
  const { said, ...result } = await syncTo({ client: store.client, ...options, source: keysSource(text, name) });
  return { ...result, said: said.join('') };
}
const revision = () => JSON.parse(store.pairs.get('edgeway/traefik/revision') ?? 'null');
const keys = (): string[] => Object.keys(store.below('traefik/'));

describe('a store as target', () => {
  it('gets the keys as they are written, and a revision', async () => {
    const { isWell, said } = await run(BOTH('a'));
    expect(isWell).toBe(true);
    expect(store.below('traefik/')).toEqual({
      'traefik/http/routers/a/rule': 'Host(`a.test`)',
      'traefik/http/routers/a/service': 'a',
      'traefik/http/services/a/loadBalancer/servers/0/url': 'http://a',
    });
    expect(revision()).toMatchObject({ revision: 1, state: 'written', writer: 'sync', hash: expect.stringMatching(/^[\da-f]{64}$/) });
    expect(said).toContain('+ http.routers.a  Host(`a.test`) → a\n+ http.services.a  http://a\n2 to add');
    expect(said).toContain('Revision 1 is in memory: 3 keys changed.');
  });

  it('is only looked at without --apply', async () => {
    expect(await run(BOTH('a'), { apply: false })).toMatchObject({ pending: 2 });
    expect(store.pairs.size).toBe(0);
  });

  it('writes nothing when nothing changed', async () => {
    await run(BOTH('a'));
    const writes = store.writes.length;
    expect(await run(BOTH('a'))).toMatchObject({ said: 'Nothing to do.\n', pending: 0 });
    expect(store.writes.length).toBe(writes);
  });

  it('says what a change means, and writes the keys of one object only', async () => {
    await run(BOTH('a') + BOTH('b'));
    store.writes.length = 0;
    const { said } = await run(ROUTER('a', 'new.test') + SERVICE('a') + BOTH('b'));
    expect(said).toContain('~ http.routers.a  Host(`new.test`) → a\n    rule: "Host(`a.test`)" → "Host(`new.test`)"\n');
    expect(store.writes).toHaveLength(1);
    expect(store.writes[0]!.filter(({ key }) => !key.startsWith('edgeway/'))).toEqual([
      { key: 'traefik/http/routers/a/rule', value: 'Host(`new.test`)' },
    ]);
    expect(store.writes[0]!.filter(({ key }) => key.startsWith('edgeway/'))).toHaveLength(2);
  });

  it('removes what left the source when it prunes, and only what it wrote', async () => {
    store.set('traefik/http/routers/other/rule', 'Host(`other`)');
    await run(BOTH('a') + BOTH('b'));
    const kept = await run(BOTH('a'), { prune: false });
    expect(kept.said).toContain('2 left the source and stay');
    expect(keys()).toContain('traefik/http/routers/b/rule');
    const { said } = await run(BOTH('a'));
    expect(said).toContain('- http.routers.b');
    expect(keys()).toEqual([
      'traefik/http/routers/a/rule',
      'traefik/http/routers/a/service',
      'traefik/http/routers/other/rule',
      'traefik/http/services/a/loadBalancer/servers/0/url',
    ]);
  });

  it('removes a key that left an object', async () => {
    await run(`${BOTH('a')}traefik/http/routers/a/priority,7\n`);
    const { said } = await run(BOTH('a'), { prune: false });
    expect(said).toContain('    priority: 7 → nothing\n');
    expect(keys()).not.toContain('traefik/http/routers/a/priority');
  });

  it.each([
    ['changed ours', 'traefik/http/routers/a/rule', 'somebody else has changed http/routers/a/rule'],
    ['was there first', 'traefik/http/routers/b/rule', 'http/routers/b/rule is there already, written by somebody else'],
  ])('leaves alone what somebody else %s, until it takes over', async (_, key, message) => {
    await run(BOTH('a'));
    store.set(key, 'Host(`theirs`)');
    const first = await run(BOTH('a') + BOTH('b'));
    expect(first).toMatchObject({ isWell: false });
    expect(first.said).toContain(message);
    expect(store.pairs.get(key)).toBe('Host(`theirs`)');
    expect(await run(BOTH('a') + BOTH('b'), { takeOver: true })).toMatchObject({ isWell: true });
    expect(store.pairs.get(key)).not.toBe('Host(`theirs`)');
    expect(await run(BOTH('a') + BOTH('b'))).toMatchObject({ isWell: true, said: 'Nothing to do.\n' });
  });

  it('removes nothing for an empty source unless that is allowed', async () => {
    await run(BOTH('a'));
    expect((await run('')).complaints).toEqual([expect.stringContaining('--allow-empty')]);
    expect(keys()).toHaveLength(3);
    await run('', { allowEmpty: true });
    expect(store.below('')).toEqual({ 'edgeway/traefik/revision': expect.any(String) });
  });

  it('does not remove what somebody else has changed', async () => {
    await run(BOTH('a') + BOTH('b'));
    store.set('traefik/http/routers/b/rule', 'Host(`theirs`)');
    expect(await run(BOTH('a'))).toMatchObject({ isWell: false });
    expect(keys()).toContain('traefik/http/routers/b/rule');
  });

  it('tells of keys of others in an object of ours', async () => {
    await run(BOTH('a'));
    store.set('traefik/http/routers/a/priority', '9');
    expect((await run(BOTH('a'))).complaints).toEqual([
      'http.routers.a has a key of somebody else too, which counts: http/routers/a/priority',
    ]);
  });

  it('keeps what two writers wrote apart', async () => {
    await run(BOTH('a'), { writer: 'one' });
    await run(BOTH('b'), { writer: 'two' });
    expect(keys()).toHaveLength(6);
    expect((await run(ROUTER('a', 'x') + SERVICE('a') + BOTH('b'), { writer: 'two' })).said).toContain("was written by the sync 'one'");
  });

  it('refuses what check refuses, and leaves the object as it was when it goes on', async () => {
    await run(BOTH('a') + BOTH('b'));
    const broken = ROUTER('a', 'x').replace('Host', 'Hots') + SERVICE('a') + ROUTER('b', 'new') + SERVICE('b');
    expect(await run(broken)).toMatchObject({
      isWell: false,
      complaints: [expect.stringContaining('Hots'), expect.stringContaining('--keep-going')],
    });
    expect(await run(broken, { keepGoing: true })).toMatchObject({ isWell: false });
    expect(store.below('traefik/http/routers/')).toMatchObject({
      'traefik/http/routers/a/rule': 'Host(`a.test`)',
      'traefik/http/routers/b/rule': 'Host(`new`)',
    });
  });

  it('removes nothing while a line cannot be read', async () => {
    await run(BOTH('a') + BOTH('b'));
    const { complaints } = await run(`${BOTH('a')}traefik/http/routers/b\n`, { keepGoing: true });
    expect(complaints.join()).toContain('Nothing is removed');
    expect(keys()).toHaveLength(6);
  });

  it('writes files as keys, names without their provider, secrets unseen', async () => {
    const text = (user: string): string =>
      `http: { routers: { a: { rule: Host(\`a\`), service: s@file, middlewares: [auth@file, x@docker] } }, services: { s: { loadBalancer: { servers: [{ url: http://s }] } } },\n  middlewares: { auth: { basicAuth: { users: ["${user}"] } } } }`;
    const { complaints } = await run(text('u:$1'), { name: 'a.yaml' });
    expect(complaints).toMatchObject([expect.stringContaining("'x@docker' in the sources")]);
    expect(store.below('traefik/')).toMatchObject({
      'traefik/http/routers/a/service': 's',
      'traefik/http/routers/a/middlewares/0': 'auth',
      'traefik/http/routers/a/middlewares/1': 'x@docker',
      'traefik/http/middlewares/auth/basicAuth/users/0': 'u:$1',
    });
    const { said } = await run(text('u:$2'), { name: 'a.yaml' });
    expect(said).toContain('~ http.middlewares.auth  basicAuth\n    only its spelling, or a secret\n');
  });

  it.each([
    [
      'a file, where it stays out',
      'a.yml',
      'http: { routers: { a: { rule: Host(`a`), service: api@internal, edge: { local: true } } } }',
      'stays out',
      2,
    ],
    ['keys, where it is kept', 'keys', `${BOTH('a')}traefik/http/routers/a/edge/local,true\n`, 'refuses all its keys', 4],
  ])('tells of an option of ours in %s', async (_, name, text, message, count) => {
    const { isWell, complaints } = await run(text, { name });
    expect([isWell, complaints]).toEqual([true, [expect.stringContaining(message)]]);
    expect(keys()).toHaveLength(count);
  });

  it('takes keys that differ in letter case as one object, from first to last', async () => {
    const text = 'traefik/http/routers/Blog/rule,Host(`a`)\ntraefik/HTTP/Routers/blog/service,api@internal\n';
    expect(await run(text)).toMatchObject({ isWell: true, pending: 0 });
    expect(keys()).toEqual(['traefik/HTTP/Routers/blog/service', 'traefik/http/routers/Blog/rule']);
    expect(await run(text)).toMatchObject({ isWell: true, said: 'Nothing to do.\n' });
    expect((await run('', { allowEmpty: true })).said).toContain('2 to remove.');
    expect(keys()).toEqual([]);
  });

  it.each(['traefik/http/router/x/rule,r', 'traefik/httpx/routers/x/rule,r', 'traefik/tls/x,r'])(
    'does not write %s, for which Traefik refuses everything',
    async (line) => {
      expect(await run(`${BOTH('a')}${line}\n`, { keepGoing: true })).toMatchObject({ isWell: false });
      expect(keys()).toHaveLength(3);
    },
  );

  it('carries keys of a static configuration along, and changes the root', async () => {
    const { said } = await run(`traefik/entryPoints/web/address,:80\ntraefik/providers/redis/password,hidden\n${BOTH('a')}`, {
      root: 'other',
    });
    expect(said).toContain('+ keys.entryPoints/web/address  :80\n');
    expect(said).not.toContain('hidden');
    expect(Object.keys(store.below('other/'))).toContain('other/entryPoints/web/address');
    expect(store.pairs.has('edgeway/other/revision')).toBe(true);
  });
});

describe('a store that cannot write all at once', () => {
  beforeEach(() => {
    store = createBreakableStore({ atomicChanges: 3 });
  });

  it.each([1, 3])('gets what is used before its users, and loses it after them; at once it writes %i', async (atomicChanges) => {
    store = createBreakableStore({ atomicChanges });
    await run(BOTH('a') + BOTH('b'));
    const order = (): string[] => store.writes.flat().map(({ key }) => key);
    const place = (part: string): number => order().findIndex((key) => key.startsWith(`traefik/http/${part}`));
    expect(place('services/a')).toBeLessThan(place('routers/a'));
    expect(place('routers/a/service')).toBeLessThan(place('routers/a/rule'));
    expect(order()[0]).toBe('edgeway/traefik/revision');
    expect(order().at(-1)).toBe('edgeway/traefik/revision');
    store.writes.length = 0;
    await run(BOTH('a'));
    expect(place('routers/b/rule')).toBeLessThan(place('services/b'));
  });

  it('divides no object that fits', async () => {
    await run(BOTH('a') + BOTH('b') + BOTH('c'));
    const routers = store.writes.map((batch) => batch.filter(({ key }) => key.startsWith('traefik/http/routers/')).length);
    expect(routers.filter((count) => count > 0)).toEqual([2, 2, 2]);
  });

  it('is finished by the next run, wherever the one before died', async () => {
    let diesAfter = 0;
    for (let isOver = false; !isOver; diesAfter++) {
      store = createBreakableStore({ atomicChanges: 3 });
      await run(BOTH('a') + BOTH('gone') + BOTH('b'));
      store.diesAfter = diesAfter;
      const first = await run(ROUTER('a', 'new') + SERVICE('a') + BOTH('b') + BOTH('c'));
      isOver = first.isWell;
      store.diesAfter = Number.POSITIVE_INFINITY;
      const second = await run(ROUTER('a', 'newer') + SERVICE('a') + BOTH('b'));
      expect(second, `died after ${diesAfter} writes`).toMatchObject({ isWell: true, complaints: [] });
      expect(keys()).toHaveLength(6);
      expect(store.pairs.get('traefik/http/routers/a/rule')).toBe('Host(`newer`)');
      expect(revision().state).toBe('written');
      expect(await run(ROUTER('a', 'newer') + SERVICE('a') + BOTH('b'))).toMatchObject({ said: 'Nothing to do.\n' });
    }
    expect(diesAfter).toBeGreaterThan(5);
  });
});

describe('the lock', () => {
  it('keeps a second sync from writing, and says so', async () => {
    await store.client.lock('edgeway/traefik/lock', 'other', 1_000);
    const { isWell, complaints } = await run(BOTH('a'));
    expect([isWell, complaints]).toEqual([false, ['Another sync is writing to memory; nothing was changed']]);
    expect(store.pairs.size).toBe(0);
  });

  it.each([0, 1, 2, 3, 4])('is taken again when it is lost after %i writes, and all is finished', async (losesAfter) => {
    store = createBreakableStore({ atomicChanges: 3 });
    store.losesAfter = losesAfter;
    expect(await run(BOTH('a') + BOTH('b'))).toMatchObject({ isWell: true, complaints: [] });
    expect([keys().length, revision().state]).toEqual([6, 'written']);
    expect((await run(BOTH('a') + BOTH('b'))).said).toBe('Nothing to do.\n');
  });

  it('is waited for, and the plan made anew', async () => {
    const lock = await store.client.lock('edgeway/traefik/lock', 'other', 1_000);
    const { isWell, complaints } = await run(BOTH('a'), {
      waitMs: 5_000,
      onWait: (line) => {
        complaints2.push(line);
        store.set('traefik/http/routers/a/rule', 'Host(`a.test`)');
        void lock!.release();
      },
    });
    expect([isWell, complaints, complaints2]).toEqual([true, [], ['Another sync is writing to memory; waiting for it']]);
    expect(store.writes[0]!.map(({ key }) => key)).not.toContain('traefik/http/routers/a/rule');
  });
  const complaints2: string[] = [];
});
