import { createServer } from 'node:net';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { ConfigError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { ProxyConfiguration } from '../config/snapshot.ts';
import { diffConfigurations, isEmpty } from '../proxy/changes.ts';
import { changeLines } from './change-lines.ts';
import type { RelayState } from './data-plane.ts';
import type { DataThreadData, FromThread, ToThread } from './data-thread.ts';
import { parseListenAddress } from './listen-address.ts';
import type { ThreadMetrics } from './metrics.ts';
import type { StreamConfiguration } from './streams.ts';

export interface ThreadsOptions extends Omit<DataThreadData, 'reusePort'> {
  /** Number of data threads; 0 chooses min(cores, 4). */
  readonly count: number;
  readonly log: Logger;
  /** Takes access log lines with their ends. */
  readonly writeLines: (lines: Uint8Array<ArrayBuffer>) => void;
}

/** The data threads as one: configuration goes in, ports come out, a thread that crashes is replaced. */
export interface Threads {
  /** Ports by entry point. Throws ConfigError when one is taken. */
  listen(): Promise<Record<string, number>>;
  /** Resolves when every thread serves the configuration. */
  apply(configuration: ProxyConfiguration, streams: StreamConfiguration): Promise<void>;
  /** What relays serve and whom they believe from here on. */
  setRelayState(state: RelayState): void;
  /** Numbers of every thread that lives. */
  metrics(): Promise<ThreadMetrics[]>;
  drain(graceMs: number): Promise<void>;
  close(): Promise<void>;
}

const EMPTY: ProxyConfiguration = { routers: {}, services: {}, middlewares: {}, serversTransports: {} };

export function startThreads(options: ThreadsOptions): Threads {
  const { log } = options;
  const count = options.count > 0 ? options.count : Math.min(availableParallelism(), 4);
  let current = EMPTY;
  let revision = 0;
  let streams: StreamConfiguration | undefined;
  let relayState: RelayState | undefined;
  let listening = false;
  let stopping = false;
  const threads = new Set<Thread>();
  for (let i = 0; i < count; i++) start();

  function start(): Thread {
    const { log: _, count: __, writeLines, ...data } = options;
    const thread = startThread({ ...data, reusePort: count > 1 }, log, writeLines, (error) => {
      threads.delete(thread);
      if (stopping) return;
      log.error('A data thread crashed and is replaced', { error: error?.stack ?? 'it ended by itself' });
      const next = start();
      void next
        .send({ type: 'changes', revision, lines: [...changeLines(diffConfigurations(EMPTY, current))] }, 'applied')
        .then(() => (listening ? next.send({ type: 'listen' }, 'listening') : undefined));
    });
    if (streams !== undefined) thread.worker.postMessage({ type: 'streams', configuration: streams } satisfies ToThread);
    if (relayState !== undefined) thread.worker.postMessage({ type: 'relay', state: relayState } satisfies ToThread);
    threads.add(thread);
    return thread;
  }

  return {
    async listen() {
      for (const [name, { address = '' }] of Object.entries(options.entryPoints))
        if (!address.endsWith('/udp')) await probe(`entryPoints.${name}.address`, address);
      if (options.relay !== undefined) await probe('edge.relay.address', options.relay.address);
      const answers = await Promise.all([...threads].map((thread) => thread.send({ type: 'listen' }, 'listening')));
      listening = true;
      return answers[0]!.ports;
    },
    async apply(configuration, nextStreams) {
      if (streams !== nextStreams) {
        streams = nextStreams;
        await Promise.all([...threads].map((thread) => thread.send({ type: 'streams', configuration: nextStreams }, 'streaming')));
      }
      const changes = diffConfigurations(current, configuration);
      current = configuration;
      if (isEmpty(changes)) return;
      revision += 1;
      const lines = [...changeLines(changes)];
      await Promise.all([...threads].map((thread) => thread.send({ type: 'changes', revision, lines }, 'applied')));
    },
    setRelayState(state) {
      relayState = state;
      for (const { worker } of threads) worker.postMessage({ type: 'relay', state } satisfies ToThread);
    },
    async metrics() {
      const answers = await Promise.allSettled([...threads].map((thread) => thread.send({ type: 'metrics' }, 'measured')));
      return answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value.metrics] : []));
    },
    async drain(graceMs) {
      stopping = true;
      await Promise.all([...threads].map((thread) => thread.send({ type: 'drain', graceMs }, 'drained')));
    },
    async close() {
      stopping = true;
      await Promise.all([...threads].map((thread) => thread.worker.terminate()));
    },
  };
}

/** In a clone Node runs the source; the bundle has a file of its own beside it. */
const DATA_THREAD = import.meta.url.endsWith('.ts') ? './data-thread.ts' : './data-thread.mjs';

interface Thread {
  readonly worker: Worker;
  /** Resolves with the answer of this type; rejects when the thread fails or ends. */
  send<T extends FromThread['type']>(message: ToThread, answer: T): Promise<Extract<FromThread, { type: T }>>;
}

function startThread(
  data: DataThreadData,
  log: Logger,
  writeLines: (lines: Uint8Array<ArrayBuffer>) => void,
  onEnd: (error: Error | undefined) => void,
): Thread {
  const worker = new Worker(new URL(DATA_THREAD, import.meta.url), { workerData: data });
  const waiting: { type: string; resolve: (message: never) => void; reject: (error: Error) => void }[] = [];
  let failure: Error | undefined;
  worker.on('message', (message: FromThread) => {
    if (message.type === 'log') return log[message.line.level.toLowerCase() as 'info'](message.line.message, message.line.fields);
    if (message.type === 'access') return writeLines(message.lines);
    if (message.type === 'failed') {
      for (const { reject } of waiting.splice(0)) reject(message.error);
      return;
    }
    const index = waiting.findIndex(({ type }) => type === message.type);
    if (index !== -1) waiting.splice(index, 1)[0]!.resolve(message as never);
  });
  worker.on('error', (error) => (failure = error as Error));
  worker.on('exit', () => {
    for (const { reject } of waiting.splice(0)) reject(failure ?? new Error('The data thread ended'));
    onEnd(failure);
  });
  return {
    worker,
    send: (message, answer) =>
      new Promise((resolve, reject) => {
        waiting.push({ type: answer, resolve, reject });
        worker.postMessage(message);
      }),
  };
}

/** Binds the port exclusively and lets go: with reusePort alone a forgotten second agent would share it unnoticed. */
async function probe(object: string, address: string): Promise<void> {
  const { host, port } = parseListenAddress(address, object);
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port, exclusive: true }, resolve);
    });
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const why =
      code === 'EADDRINUSE'
        ? 'another process listens there; stop it or choose another port'
        : code === 'EACCES'
          ? 'ports below 1024 need root, CAP_NET_BIND_SERVICE, or net.ipv4.ip_unprivileged_port_start=0'
          : message;
    throw new ConfigError('config.io', `Cannot listen on '${address}': ${why}`, { object }, { cause });
  }
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
