import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Logger } from '../base/log.ts';
import type { ProxyConfiguration } from '../config/snapshot.ts';
import { diffConfigurations, isEmpty } from '../proxy/changes.ts';
import type { SharedCells } from './cells.ts';
import { changeLines } from './change-lines.ts';
import type { RelayState } from './data-plane.ts';
import type { DataThreadData, FromThread, ToThread } from './data-thread.ts';
import type { ThreadMetrics } from './metrics.ts';
import { probeAddress } from './probe-address.ts';
import type { StreamConfiguration } from './streams.ts';

export interface ThreadsOptions extends Omit<DataThreadData, 'reusePort' | 'thread'> {
  /** Number of data threads; 0 chooses min(cores, 4). */
  readonly count: number;
  /** Another agent may listen on the same ports, to take over or be taken over from. */
  readonly shared: boolean;
  /** Called when a thread crashed that cannot be replaced: sockets that were inherited are closed with it. */
  readonly onLost: (error: Error | undefined) => void;
  readonly log: Logger;
  readonly cells: SharedCells;
  /** Takes access log lines with their ends. */
  readonly writeLines: (lines: Uint8Array<ArrayBuffer>) => void;
}

/** The data threads as one: configuration goes in, ports come out, a thread that crashes is replaced. */
export interface Threads {
  /** Ports by entry point. Throws ConfigError when one is taken, other than those of `held`, which are taken over. */
  listen(held: ReadonlySet<string>): Promise<Record<string, number>>;
  /** Resolves when every thread serves the configuration. */
  apply(configuration: ProxyConfiguration, streams: StreamConfiguration): Promise<void>;
  /** What relays serve and whom they believe from here on. */
  setRelayState(state: RelayState): void;
  /** Numbers of every thread that lives. */
  metrics(): Promise<ThreadMetrics[]>;
  /** Resolves when no thread listens any more; what is open goes on. */
  leave(): Promise<void>;
  /** Resolves when the last connection has ended. */
  whenEmpty(): Promise<void>;
  drain(graceMs: number): Promise<void>;
  close(): Promise<void>;
}

const EMPTY: ProxyConfiguration = { routers: {}, services: {}, middlewares: {}, serversTransports: {} };

export function startThreads(options: ThreadsOptions): Threads {
  const { log } = options;
  const inherits = Object.keys(options.inherited).length > 0;
  // A socket cannot be listened on twice.
  const count = inherits ? 1 : options.count > 0 ? options.count : Math.min(availableParallelism(), 4);
  let current = EMPTY;
  let revision = 0;
  let streams: StreamConfiguration | undefined;
  let relayState: RelayState | undefined;
  let listening = false;
  let stopping = false;
  const threads = new Set<Thread>();
  for (let number = 0; number < count; number++) start(number);

  function start(number: number): Thread {
    const { log: _, count: __, onLost, cells, shared, writeLines, ...data } = options;
    const thread = startThread({ ...data, thread: number, reusePort: count > 1 || shared }, log, writeLines, (error) => {
      threads.delete(thread);
      if (stopping) return;
      if (inherits) return onLost(error);
      log.error('A data thread crashed and is replaced', { error: error?.stack ?? 'it ended by itself' });
      cells.giveBack(number);
      const next = start(number);
      void next
        .send({ type: 'changes', revision, lines: [...changeLines(diffConfigurations(EMPTY, current))] }, 'applied')
        .then(() => (listening ? next.send({ type: 'listen' }, 'listening') : undefined))
        // It crashed too, and is replaced in its turn.
        .catch(() => {});
    });
    if (streams !== undefined) thread.worker.postMessage({ type: 'streams', configuration: streams } satisfies ToThread);
    if (relayState !== undefined) thread.worker.postMessage({ type: 'relay', state: relayState } satisfies ToThread);
    threads.add(thread);
    return thread;
  }

  /** A thread that ends meanwhile needs no answer: the one that replaces it starts with what is in force. */
  async function everyThatLives(message: ToThread, answer: FromThread['type']): Promise<void> {
    await Promise.allSettled([...threads].map((thread) => thread.send(message, answer)));
  }

  return {
    async listen(held) {
      for (const [name, { address = '', reusePort }] of Object.entries(options.entryPoints)) {
        // Who writes `reusePort` wants company.
        if (!held.has(address) && reusePort !== true && options.inherited[name] === undefined)
          await probeAddress(`entryPoints.${name}.address`, address);
      }
      if (options.relay !== undefined && !held.has(options.relay.address)) await probeAddress('edge.relay.address', options.relay.address);
      const answers = await Promise.all([...threads].map((thread) => thread.send({ type: 'listen' }, 'listening')));
      listening = true;
      return answers[0]!.ports;
    },
    async apply(configuration, nextStreams) {
      if (streams !== nextStreams) {
        streams = nextStreams;
        await everyThatLives({ type: 'streams', configuration: nextStreams }, 'streaming');
      }
      const changes = diffConfigurations(current, configuration);
      current = configuration;
      if (isEmpty(changes)) return;
      revision += 1;
      const lines = [...changeLines(changes)];
      await everyThatLives({ type: 'changes', revision, lines }, 'applied');
    },
    setRelayState(state) {
      relayState = state;
      for (const { worker } of threads) worker.postMessage({ type: 'relay', state } satisfies ToThread);
    },
    async metrics() {
      const answers = await Promise.allSettled([...threads].map((thread) => thread.send({ type: 'metrics' }, 'measured')));
      return answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value.metrics] : []));
    },
    async leave() {
      // One that crashes from here on is not missed.
      stopping = true;
      await Promise.all([...threads].map((thread) => thread.send({ type: 'leave' }, 'left')));
    },
    async whenEmpty() {
      await Promise.allSettled([...threads].map((thread) => thread.send({ type: 'whenEmpty' }, 'empty')));
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
