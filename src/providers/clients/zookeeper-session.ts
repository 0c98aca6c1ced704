import { connect as connectTcp, type Socket } from 'node:net';
import type { ACL, Client, Event, Stat, Transaction } from 'node-zookeeper-client';
import type { Clock } from '../../base/clock.ts';
import { parseEndpoint } from './endpoint.ts';
import { StoreError } from './store.ts';

export interface ZooKeeperServers {
  readonly endpoints: readonly string[];
  readonly username?: string;
  readonly password?: string;
}

export type Watcher = (event: Event) => void;

/** A session with a ZooKeeper, over when its connection is lost. Methods throw StoreError; a node that is not there is undefined. */
export interface ZooKeeperSession {
  node(path: string, watcher?: Watcher): Promise<{ readonly data: string; readonly hasChildren: boolean } | undefined>;
  children(path: string, watcher?: Watcher): Promise<readonly string[] | undefined>;
  /** Its children, and whether it has data besides. */
  list(path: string): Promise<{ readonly names: readonly string[]; readonly hasData: boolean } | undefined>;
  stat(path: string, watcher?: Watcher): Promise<Stat | undefined>;
  transaction(): Transaction;
  /** False: one of its checks failed, or a node was there or not there against its expectation. */
  commit(transaction: Transaction): Promise<boolean>;
  /** A node that goes with the session; with `sequential` its name ends in a number that grows. Returns its path; undefined when it is there. */
  createEphemeral(path: string, data: string, sequential: boolean): Promise<string | undefined>;
  remove(path: string): Promise<void>;
  /** Who may do what with new nodes: everybody, or with a login its owner alone. */
  readonly acl: ACL[];
  readonly isOver: () => boolean;
  onEnd(listener: () => void): () => void;
  close(): void;
}

const CONNECT_MS = 5_000;
/** The client itself never notices a connection that died without a word. */
const HEARTBEAT_MS = 10_000;
const ANSWER_MS = 10_000;
/** Questions that are on their way at once; further ones wait, and their time does not run. */
const AT_ONCE = 256;

type Callback<T> = (error: unknown, value: T) => void;

/** Throws StoreError when no server takes the session. */
export async function openZooKeeperSession(servers: ZooKeeperServers, sessionTimeoutMs: number, clock: Clock): Promise<ZooKeeperSession> {
  // Only where somebody asks for ZooKeeper.
  const { default: zooKeeper } = await import('node-zookeeper-client');
  const { ACL, CreateMode, Exception, Id, Permission } = zooKeeper;
  const client = zooKeeper.createClient(servers.endpoints.join(','), { sessionTimeout: sessionTimeoutMs, spinDelay: 100, retries: 0 });
  const listeners = new Set<() => void>();
  let isOver = false;
  let stopHeartbeat: () => void = () => {};
  const end = (): void => {
    if (isOver) return;
    isOver = true;
    stopHeartbeat();
    client.close();
    for (const listener of [...listeners]) listener();
  };

  const turns = createTurns(AT_ONCE);
  const together = createPackets(client);

  /** An answer, or undefined with one of the codes that are none of our faults. */
  const ask = async <T>(start: (callback: Callback<T>) => void, ...expected: number[]): Promise<T | undefined> => {
    await turns.take();
    try {
      return await send(start, expected);
    } finally {
      turns.give();
    }
  };
  const send = <T>(start: (callback: Callback<T>) => void, expected: readonly number[]): Promise<T | undefined> =>
    new Promise((resolve, reject) => {
      if (isOver) return reject(new StoreError('unreachable', 'The session has ended'));
      const cancel = clock.after(ANSWER_MS, () => {
        reject(new StoreError('unreachable', `No answer within ${ANSWER_MS} ms`));
        end();
      });
      together();
      start((error, value) => {
        cancel();
        if (!error) return resolve(value);
        const { code = 0, name, message } = error as { code?: number; name?: string; message?: string };
        if (expected.includes(code)) return resolve(undefined);
        const isLost = [Exception.CONNECTION_LOSS, Exception.SESSION_EXPIRED, Exception.OPERATION_TIMEOUT].includes(code);
        reject(new StoreError(isLost ? 'unreachable' : 'refused', message ? `${name}: ${message}` : String(error)));
      });
    });

  await probe(servers.endpoints);
  await connect(client, servers);
  for (const event of ['disconnected', 'expired', 'authenticationFailed']) client.once(event, end);
  const beat = (): void => {
    stopHeartbeat = clock.after(HEARTBEAT_MS, () => {
      ask((callback: Callback<unknown>) => client.exists('/', callback)).then(() => !isOver && beat(), end);
    });
  };
  beat();
  const acl = [new ACL(Permission.ALL, servers.username ? new Id('auth', '') : new Id('world', 'anyone'))];
  return {
    acl,
    node: (path, watcher) =>
      ask((callback: Callback<{ data: string; hasChildren: boolean }>) => {
        const take = (error: unknown, data: Buffer | undefined, stat: Stat): void =>
          // A node may have no data at all, which is not the same as no node.
          callback(error, error ? (undefined as never) : { data: data?.toString('utf8') ?? '', hasChildren: stat.numChildren > 0 });
        if (watcher) client.getData(path, watcher, take);
        else client.getData(path, take);
      }, Exception.NO_NODE),
    children: (path, watcher) =>
      ask(
        (callback: Callback<string[]>) => (watcher ? client.getChildren(path, watcher, callback) : client.getChildren(path, callback)),
        Exception.NO_NODE,
      ),
    list: (path) =>
      ask(
        (callback: Callback<{ names: readonly string[]; hasData: boolean }>) =>
          client.getChildren(path, (error, names, stat) =>
            callback(error, error ? (undefined as never) : { names, hasData: stat.dataLength > 0 }),
          ),
        Exception.NO_NODE,
      ),
    stat: async (path, watcher) =>
      (await ask((callback: Callback<Stat>) => (watcher ? client.exists(path, watcher, callback) : client.exists(path, callback)))) ??
      undefined,
    transaction: () => client.transaction(),
    commit: async (transaction) => {
      const { NO_NODE, NODE_EXISTS, NOT_EMPTY, BAD_VERSION } = Exception;
      const done = await ask(
        (callback: Callback<true>) => transaction.commit((error) => callback(error, true)),
        NO_NODE,
        NODE_EXISTS,
        NOT_EMPTY,
        BAD_VERSION,
        // The client gives an answer whose first fault it did not find.
        Exception.RUNTIME_INCONSISTENCY,
      );
      return done === true;
    },
    createEphemeral: (path, data, sequential) =>
      ask(
        (callback: Callback<string>) =>
          client.create(path, Buffer.from(data), acl, sequential ? CreateMode.EPHEMERAL_SEQUENTIAL : CreateMode.EPHEMERAL, callback),
        Exception.NODE_EXISTS,
      ),
    remove: async (path) =>
      void (await ask((callback: Callback<void>) => client.remove(path, (error) => callback(error)), Exception.NO_NODE)),
    isOver: () => isOver,
    onEnd(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: end,
  };
}

/**
 * What is asked in one turn of the event loop goes out in one piece: the client writes every question for itself, which costs it and
 * the server a system call each. Its socket has no place in its interface.
 */
function createPackets(client: Client): () => void {
  const { connectionManager } = client as unknown as { readonly connectionManager?: { readonly socket?: Socket } };
  let isCorked = false;
  return () => {
    const socket = connectionManager?.socket;
    if (isCorked || socket === undefined) return;
    isCorked = true;
    socket.cork();
    process.nextTick(() => {
      isCorked = false;
      socket.uncork();
    });
  };
}

/** At most `limit` at once, in their order. A hundred thousand may wait, of which Array.shift would move all. */
function createTurns(limit: number): { take(): Promise<void>; give(): void } {
  let under = 0;
  let waiting: (() => void)[] = [];
  let first = 0;
  return {
    async take() {
      if (under === limit) return new Promise<void>((resolve) => waiting.push(resolve));
      under++;
    },
    give() {
      const next = waiting[first];
      if (next === undefined) {
        under--;
        return;
      }
      first++;
      if (first === waiting.length || first === 10_000) {
        waiting = waiting.slice(first);
        first = 0;
      }
      next();
    },
  };
}

/** The client tries for ever without a word: whether any server listens, and why not, is found out before. */
async function probe(endpoints: readonly string[]): Promise<void> {
  const attempts = endpoints.map(
    (endpoint) =>
      new Promise<void>((resolve, reject) => {
        const socket = connectTcp({ ...parseEndpoint(endpoint, 2181), timeout: CONNECT_MS });
        const over = (result: () => void) => () => {
          socket.destroy();
          result();
        };
        socket.once('connect', over(resolve));
        socket.once(
          'timeout',
          over(() => reject(new Error(`${endpoint} does not take the connection within ${CONNECT_MS} ms`))),
        );
        socket.once('error', reject);
      }),
  );
  await Promise.any(attempts).catch(({ errors }: AggregateError) => {
    throw new StoreError('unreachable', errors.map((error: Error) => error.message).join('; '));
  });
}

/** Resolves with the session; it tries every server until the time is over. */
function connect(client: Client, { username, password, endpoints }: ZooKeeperServers): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (code: StoreError['code'], message: string): void => {
      clearTimeout(timer);
      client.close();
      reject(new StoreError(code, message));
    };
    const timer = setTimeout(
      () => fail('unreachable', `None of ${endpoints.join(', ')} takes the connection within ${CONNECT_MS} ms`),
      CONNECT_MS,
    );
    client.once('authenticationFailed', () => fail('refused', 'The login was refused'));
    client.once('connected', () => {
      clearTimeout(timer);
      resolve();
    });
    if (username) client.addAuthInfo('digest', Buffer.from(`${username}:${password ?? ''}`));
    client.connect();
  });
}
