import { parentPort, workerData } from 'node:worker_threads';
import { createLogger, type LogLevel } from '../base/log.ts';
import type { EntryPoint } from '../config/static.ts';
import type { ProxyChanges } from '../proxy/proxy.ts';
import { createSharedCells } from './cells.ts';
import { readChangeLine } from './change-lines.ts';
import { systemClock } from './clock.ts';
import { createDataPlane, type RelayState } from './data-plane.ts';
import type { RelayEntryPoint } from './entrypoints/relay.ts';
import type { ThreadMetrics } from './metrics.ts';
import { createMiddlewarePlatform } from './middleware-platform.ts';
import type { ObserverOptions } from './observer.ts';
import type { StreamConfiguration } from './streams.ts';

/** What a data thread is started with. */
export interface DataThreadData {
  readonly entryPoints: Readonly<Record<string, EntryPoint>>;
  readonly precedence: readonly string[] | undefined;
  readonly hostname: string;
  readonly arena: SharedArrayBuffer;
  /** From 0; one that replaces another has its number. */
  readonly thread: number;
  readonly logLevel: LogLevel;
  readonly controlSocket: string;
  readonly pingTerminatingStatus: number | undefined;
  readonly observed: ObserverOptions;
  readonly reusePort: boolean;
  readonly inherited: Readonly<Record<string, number>>;
  readonly relay: RelayEntryPoint | undefined;
}

export type ToThread =
  | { readonly type: 'changes'; readonly revision: number; readonly lines: readonly string[] }
  | { readonly type: 'streams'; readonly configuration: StreamConfiguration }
  | { readonly type: 'relay'; readonly state: RelayState }
  | { readonly type: 'listen' }
  | { readonly type: 'metrics' }
  | { readonly type: 'leave' }
  | { readonly type: 'whenEmpty' }
  | { readonly type: 'drain'; readonly graceMs: number };

export type FromThread =
  | { readonly type: 'log'; readonly line: { level: LogLevel; message: string; fields: Record<string, unknown> } }
  | { readonly type: 'access'; readonly lines: Uint8Array<ArrayBuffer> }
  | { readonly type: 'measured'; readonly metrics: ThreadMetrics }
  | { readonly type: 'applied'; readonly revision: number }
  | { readonly type: 'streaming' }
  | { readonly type: 'listening'; readonly ports: Record<string, number> }
  | { readonly type: 'failed'; readonly error: Error }
  | { readonly type: 'left' }
  | { readonly type: 'empty' }
  | { readonly type: 'drained' };

/** Milliseconds of parsing between which requests get their turn. */
const SLICE_MS = 1;

const port = parentPort!;
const data = workerData as DataThreadData;
const tell = (message: FromThread): void => port.postMessage(message);
const log = createLogger(
  (line) => tell({ type: 'log', line: { level: line.level, message: line.message, fields: plain(line.fields) } }),
  data.logLevel,
);
const plane = createDataPlane({
  ...data,
  cells: createSharedCells(data.arena, data.thread),
  clock: systemClock,
  log,
  middleware: createMiddlewarePlatform(),
  // The memory moves, nothing is copied.
  writeLines: (lines) => port.postMessage({ type: 'access', lines } satisfies FromThread, [lines.buffer]),
});
let applying = Promise.resolve();

port.on('message', (message: ToThread) => {
  if (message.type === 'changes') applying = applying.then(() => apply(message.revision, message.lines));
  else if (message.type === 'streams') {
    plane.setStreams(message.configuration);
    tell({ type: 'streaming' });
  } else if (message.type === 'listen')
    plane.listen().then(
      (ports) => tell({ type: 'listening', ports }),
      (error: Error) => tell({ type: 'failed', error }),
    );
  else if (message.type === 'metrics') tell({ type: 'measured', metrics: plane.metrics() });
  else if (message.type === 'relay') plane.setRelayState(message.state);
  else if (message.type === 'leave') {
    plane.leave();
    // Handles are closed in the turn of the event loop in which they are given up.
    setImmediate(() => tell({ type: 'left' }));
  } else if (message.type === 'whenEmpty') void plane.whenEmpty().then(() => tell({ type: 'empty' }));
  else void plane.drain(message.graceMs).then(() => tell({ type: 'drained' }));
});

/** Reads the lines in slices, then swaps the configuration at once. */
async function apply(revision: number, lines: readonly string[]): Promise<void> {
  const changes: Record<string, Record<string, unknown>> = {};
  let sliceEnd = performance.now() + SLICE_MS;
  for (const line of lines) {
    readChangeLine(line, changes);
    if (performance.now() < sliceEnd) continue;
    await new Promise((resolve) => setImmediate(resolve));
    sliceEnd = performance.now() + SLICE_MS;
  }
  plane.update(changes as ProxyChanges);
  tell({ type: 'applied', revision });
}

/** Fields that can be posted: errors as their text. */
function plain(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, value instanceof Error ? value.message : value]));
}
