import { connect as connectTcp } from 'node:net';
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
  data(path: string): Promise<string | undefined>;
  children(path: string, watcher?: Watcher): Promise<readonly string[] | undefined>;
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

  /** An answer, or undefined with one of the codes that are none of our faults. */
  const ask = <T>(start: (callback: Callback<T>) => void, ...expected: number[]): Promise<T | undefined> =>
    new Promise((resolve, reject) => {
      if (isOver) return reject(new StoreError('unreachable', 'The session has ended'));
      const cancel = clock.after(ANSWER_MS, () => {
        reject(new StoreError('unreachable', `No answer within ${ANSWER_MS} ms`));
        end();
      });
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
    data: async (path) => {
      const data = await ask((callback: Callback<Buffer | undefined>) => client.getData(path, callback), Exception.NO_NODE);
      // A node may have no data at all, which is not the same as no node.
      if (data !== undefined) return data.toString('utf8');
      return (await ask((callback: Callback<Stat>) => client.exists(path, callback))) ? '' : undefined;
    },
    children: (path, watcher) =>
      ask(
        (callback: Callback<string[]>) => (watcher ? client.getChildren(path, watcher, callback) : client.getChildren(path, callback)),
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
