import { parseAnswer } from '../../../src/providers/clients/store-http.ts';
import { type ConsulToken, MANAGER } from './consul.ts';
import type { Tape } from './consul-tape.ts';

/** What our client asks of a Consul, in order: played to a real one and written down, and to the stand-in, which must answer the same. */
export interface Scene {
  /** Plays on a server that knows TOKENS. */
  readonly withTokens?: boolean;
  /** Keys of a scene begin with its name. */
  readonly play: (tape: Tape, root: string) => Promise<void>;
}

const token = (digit: string, keys: ConsulToken['keys'], sessions: boolean): ConsulToken => ({
  secret: `${digit.repeat(8)}-${digit.repeat(4)}-4${digit.repeat(3)}-8${digit.repeat(3)}-${digit.repeat(12)}`,
  keys,
  sessions,
});
export const WRITER = token('a', { '': 'write' }, true);
export const READER = token('b', { '': 'read' }, false);
/** May see one folder, and nothing else. */
export const NARROW = token('c', { 'narrow/': 'write' }, true);
/** May write keys, and so transactions, but no locks. */
export const LOCKLESS = token('d', { '': 'write' }, false);
export const TOKENS: readonly ConsulToken[] = [WRITER, READER, NARROW, LOCKLESS];
export const UNKNOWN = 'eeeeeeee-eeee-4eee-8eee-eeeeeeeeeeee';
export const SECRETS: readonly string[] = [MANAGER, UNKNOWN, ...TOKENS.map(({ secret }) => secret)];

const encode = (text: string): string => Buffer.from(text).toString('base64');
const set = (Key: string, value: string) => ({ KV: { Verb: 'set', Key, Value: encode(value) } });
const remove = (Key: string) => ({ KV: { Verb: 'delete', Key } });
const check = (Key: string, Session: string) => ({ KV: { Verb: 'check-session', Key, Session } });

const kv = (key: string, query = ''): string => `/v1/kv/${key.split('/').map(encodeURIComponent).join('/')}${query}`;
const get = (tape: Tape, key: string, query = '?consistent', token?: string) => tape.ask('GET', kv(key, query), { token });
const transact = (tape: Tape, operations: readonly object[], token?: string) =>
  tape.ask('PUT', '/v1/txn', { body: JSON.stringify(operations), token });
const acquire = (tape: Tape, key: string, session: string, body: string, token?: string) =>
  tape.ask('PUT', kv(key, `?acquire=${session}`), { body, token });
const renew = (tape: Tape, session: string, token?: string) => tape.ask('PUT', `/v1/session/renew/${session}`, { token });
const destroy = (tape: Tape, session: string, token?: string) => tape.ask('PUT', `/v1/session/destroy/${session}`, { token });
const SESSION = { Name: 'edgeway', TTL: '10s', Behavior: 'release', LockDelay: '0s', Checks: [] };
/** Its name; nothing when it was refused. */
async function create(tape: Tape, more: object = {}, token?: string): Promise<string> {
  const answer = await tape.ask('PUT', '/v1/session/create', { body: JSON.stringify({ ...SESSION, ...more }), token });
  return answer.status === 200 ? parseAnswer<{ ID: string }>(answer).ID : '';
}

/** A session that holds `<root>-lock`. */
async function lock(tape: Tape, root: string, token?: string): Promise<{ key: string; session: string }> {
  const session = await create(tape, {}, token);
  await acquire(tape, `${root}-lock`, session, 'me', token);
  return { key: `${root}-lock`, session };
}

async function look(tape: Tape, prefix: string): Promise<void> {
  await get(tape, prefix, '?recurse&consistent');
  await get(tape, prefix, '?keys&separator=/');
}

const indexOf = async (tape: Tape, prefix: string): Promise<number> =>
  Number((await get(tape, prefix, '?keys&separator=/')).headers['x-consul-index']);
const waitFor = (tape: Tape, prefix: string, index: number, seconds: number) =>
  get(tape, prefix, `?keys&separator=/&index=${index}&wait=${seconds}s`);

export const SCENES: Readonly<Record<string, Scene>> = {
  'keys-below-a-prefix': {
    async play(tape, root) {
      await look(tape, `${root}/`);
      await get(tape, `${root}/a`);
      const { key, session } = await lock(tape, root);
      await get(tape, key);
      const values = [set(`${root}/a`, '1'), set(`${root}/b/c`, 'two, „three“\n'), set(`${root}/b/d`, ''), set(`${root}x/a`, ' ')];
      await transact(tape, [check(key, session), ...values]);
      await look(tape, `${root}/`);
      await look(tape, `${root}/b/`);
      await get(tape, root, '?recurse&consistent');
      await get(tape, `${root}/a`);
      await get(tape, `${root}/b/d`);
      await transact(tape, [check(key, session), set(`${root}/a`, '2'), remove(`${root}/b/c`), remove(`${root}/none`)]);
      await look(tape, `${root}/`);
      await look(tape, `${root}/b/`);
      await get(tape, `${root}/b/c`);
      await transact(tape, [check(key, session), remove(`${root}/a`), remove(`${root}/b/d`)]);
      await look(tape, `${root}/`);
      await transact(tape, [check(key, session), set(`${root}x/a`, '3')]);
      await look(tape, `${root}/`);
      await look(tape, `${root}-never/`);
      await transact(tape, [check(key, session), set(`${root}/a`, '1')]);
      await look(tape, `${root}/`);
      await destroy(tape, session);
    },
  },
  'letters-of-a-key': {
    async play(tape, root) {
      const { key, session } = await lock(tape, root);
      const names = ['*', '[a]?', 'a b', 'ü', '100%', 'a+b', 'a:b', 'a@file'].map((name) => `${root}/${name}/x`);
      await transact(tape, [check(key, session), ...names.map((name) => set(name, name))]);
      await look(tape, `${root}/`);
      for (const name of names) await get(tape, name);
      await get(tape, `${root}/*/`, '?recurse&consistent');
      await destroy(tape, session);
    },
  },
  'a-lock': {
    async play(tape, root) {
      const key = `${root}/lock`;
      const [one, two] = [await create(tape), await create(tape)];
      await acquire(tape, key, one, 'one');
      await acquire(tape, key, two, 'two');
      await acquire(tape, key, one, 'one again');
      await get(tape, key);
      await transact(tape, [check(key, two), set(`${root}/a`, '2')]);
      await get(tape, `${root}/a`);
      await renew(tape, one);
      await destroy(tape, one);
      await get(tape, key);
      await get(tape, `${root}/none`);
      await transact(tape, [check(key, one), set(`${root}/a`, '1')]);
      await acquire(tape, key, two, 'two');
      await get(tape, key);
      await transact(tape, [check(key, one), set(`${root}/a`, '1')]);
      await transact(tape, [check(key, two), set(`${root}/a`, '2')]);
      await transact(tape, [check(`${root}/none`, two), set(`${root}/a`, '2')]);
      await renew(tape, one);
      await acquire(tape, key, one, 'one');
      await destroy(tape, one);
      await destroy(tape, two);
      await destroy(tape, '');
    },
  },
  'a-note-that-goes-with-its-session': {
    async play(tape, root) {
      const [one, two] = [await create(tape, { Behavior: 'delete' }), await create(tape, { Behavior: 'delete' })];
      await acquire(tape, `${root}/note`, one, 'here');
      await acquire(tape, `${root}/note`, one, 'there');
      await acquire(tape, `${root}/note`, two, 'mine');
      await look(tape, `${root}/`);
      await destroy(tape, one);
      await look(tape, `${root}/`);
      await get(tape, `${root}/note`);
      await acquire(tape, `${root}/note`, two, 'mine');
      await look(tape, `${root}/`);
      await destroy(tape, two);
    },
  },
  'sessions-that-are-refused': {
    async play(tape) {
      await tape.ask('PUT', '/v1/session/create', { body: JSON.stringify({ ...SESSION, TTL: '5s' }) });
      await tape.ask('PUT', '/v1/session/create', { body: JSON.stringify({ ...SESSION, TTL: '90000s' }) });
      await tape.ask('PUT', '/v1/session/create', { body: '{' });
    },
  },
  // No client of ours asks that, but tests.
  'sessions-that-are-there': {
    async play(tape) {
      await tape.ask('GET', '/v1/session/list');
      const session = await create(tape, { TTL: '30s' });
      await tape.ask('GET', '/v1/session/list');
      await destroy(tape, session);
      await tape.ask('GET', '/v1/session/list');
    },
  },
  limits: {
    async play(tape, root) {
      const { key, session } = await lock(tape, root);
      const many = (count: number) => [
        check(key, session),
        ...Array.from({ length: count - 1 }, (_, index) => set(`${root}/${String(index).padStart(3, '0')}`, '')),
      ];
      for (const count of [64, 65, 128, 129]) await transact(tape, many(count));
      await get(tape, `${root}/126`);
      await get(tape, `${root}/127`);
      const large = (characters: number) => [check(key, session), set(`${root}/large`, 'x'.repeat(characters))];
      await transact(tape, large(256 * 1024));
      await transact(tape, large(400 * 1024));
      await acquire(tape, key, session, 'x'.repeat(512 * 1024));
      await acquire(tape, key, session, 'x'.repeat(512 * 1024 + 1));
      await tape.ask('PUT', '/v1/txn', { body: '[' });
      await transact(tape, [check(key, session), set('', '1')]);
      await destroy(tape, session);
    },
  },
  'questions-that-wait': {
    async play(tape, root) {
      const { key, session } = await lock(tape, root);
      const write = (...operations: object[]) => transact(tape, [check(key, session), ...operations]);
      await write(set(`${root}/a`, '1'), set(`${root}-other/a`, '1'));
      const start = await indexOf(tape, `${root}/`);
      await waitFor(tape, `${root}/`, start - 1, 1);
      let waiting = waitFor(tape, `${root}/`, start, 10);
      await write(set(`${root}/a`, '2'));
      await waiting;
      waiting = waitFor(tape, `${root}/`, await indexOf(tape, `${root}/`), 10);
      await write(remove(`${root}/a`));
      await waiting;
      waiting = waitFor(tape, `${root}/`, await indexOf(tape, `${root}/`), 10);
      await write(set(`${root}/a`, '3'));
      await waiting;
      // Nothing of theirs: nobody's news, but another key's; and more than there is.
      const now = await indexOf(tape, `${root}/`);
      const idle = [waitFor(tape, `${root}/`, now, 1), waitFor(tape, `${root}/`, now + 1_000_000, 1)];
      await write(set(`${root}-other/a`, '2'));
      await Promise.all(idle);
      await destroy(tape, session);
    },
  },
  'questions-about-nothing': {
    async play(tape, root) {
      const { key, session } = await lock(tape, root);
      const write = (...operations: object[]) => transact(tape, [check(key, session), ...operations]);
      await waitFor(tape, `${root}/`, await indexOf(tape, `${root}/`), 1);
      // What stands beside it wakes it, although nothing is there then either.
      let waiting = waitFor(tape, `${root}/`, await indexOf(tape, `${root}/`), 1);
      await write(set(`${root}-other/a`, '1'));
      await waiting;
      waiting = waitFor(tape, `${root}/`, await indexOf(tape, `${root}/`), 10);
      await write(set(`${root}/a`, '1'));
      await waiting;
      await destroy(tape, session);
    },
  },
  'a-restored-snapshot': {
    async play(tape, root) {
      const { key, session } = await lock(tape, root);
      const write = (...operations: object[]) => transact(tape, [check(key, session), ...operations]);
      await write(set(`${root}/a`, '1'));
      const restore = await tape.snapshot();
      await write(set(`${root}/a`, '2'), set(`${root}/b`, '2'));
      const now = await indexOf(tape, `${root}/`);
      let isOver = false;
      const waiting = waitFor(tape, `${root}/`, now, 10).finally(() => {
        isOver = true;
      });
      // Once more, should the question come after the first time.
      while (!isOver) await restore();
      await waiting;
      await look(tape, `${root}/`);
      await waitFor(tape, `${root}/`, now, 1);
      await write(set(`${root}/c`, '3'));
      await look(tape, `${root}/`);
      await destroy(tape, session);
    },
  },
  'namespaces-of-the-community-edition': {
    async play(tape, root) {
      await get(tape, `${root}/`, '?recurse&consistent&ns=team');
      await get(tape, `${root}/`, '?keys&separator=/&ns=team');
      await get(tape, `${root}/a`, '?consistent&ns=team');
      await tape.ask('PUT', '/v1/session/create?ns=team', { body: JSON.stringify(SESSION) });
      const { key, session } = await lock(tape, root);
      await tape.ask('PUT', '/v1/txn?ns=team', { body: JSON.stringify([check(key, session), set(`${root}/a`, '1')]) });
      await get(tape, `${root}/a`);
      await destroy(tape, session);
    },
  },
  tokens: {
    withTokens: true,
    async play(tape, root) {
      const { key, session } = await lock(tape, root, WRITER.secret);
      const theirs = [set(`${root}/a`, '1'), set('narrow/a', '1'), set('narrower/a', '1')];
      await transact(tape, [check(key, session), ...theirs], WRITER.secret);
      for (const shown of [undefined, UNKNOWN, READER.secret, NARROW.secret]) {
        for (const prefix of [`${root}/`, 'narrow/', 'narrow', 'nothing/']) {
          await get(tape, prefix, '?recurse&consistent', shown);
          await get(tape, prefix, '?keys&separator=/', shown);
        }
        for (const one of [`${root}/a`, `${root}/`, 'narrow/a', 'narrow/', 'narrow/nothing']) await get(tape, one, undefined, shown);
        await transact(tape, [check(key, session), set(`${root}/a`, '2')], shown);
        await acquire(tape, `${root}/note`, session, 'x', shown);
        await create(tape, {}, shown);
        await renew(tape, session, shown);
        await destroy(tape, session, shown);
      }
      await create(tape, {}, LOCKLESS.secret);
      const own = await create(tape, {}, NARROW.secret);
      await acquire(tape, `${root}/note`, own, 'x', NARROW.secret);
      await acquire(tape, 'narrow/note', own, 'x', NARROW.secret);
      await transact(tape, [check('narrow/note', own), set('narrow/a', '2'), set(`${root}/a`, '2')], NARROW.secret);
      await transact(tape, [check('narrow/note', own), set('narrow/a', '2'), remove('narrow/none')], NARROW.secret);
      await get(tape, 'narrow/', '?recurse&consistent', NARROW.secret);
      await destroy(tape, own, NARROW.secret);
    },
  },
};
