import { resolve } from 'node:path';
import { describe } from '../base/errors.ts';
import { createLogger } from '../base/log.ts';
import { readSource, type SourceSpec } from '../kv-sync/sources/read.ts';
import { sync } from '../kv-sync/sync.ts';
import { createEdgeTarget } from '../kv-sync/targets/edge.ts';
import { createKeysFileTarget } from '../kv-sync/targets/keys-file.ts';
import { createStoreTarget } from '../kv-sync/targets/store.ts';
import type { Target } from '../kv-sync/targets/target.ts';
import { systemClock } from '../origin-agent/clock.ts';
import { UsageError } from './arguments.ts';
import type { Command, Io } from './io.ts';
import { parse, readRollOut, readTargets, readWait, type TargetName, type Values } from './sync/options.ts';
import { createProgress } from './sync/progress.ts';
import { readStatic } from './sync/static.ts';
import { createStores, type Stores } from './sync/stores.ts';
import { usage } from './sync/usage.ts';

export const run: Command = async (args, io) => {
  if (args[0] === 'export') return (await import('./sync/export.ts')).run(args.slice(1), io);
  if (args[0] === 'status') return (await import('./sync/status.ts')).run(args.slice(1), io);
  if (args[0] === 'abort') return (await import('./sync/abort.ts')).run(args.slice(1), io);
  try {
    const { values, positionals } = parseOrRefuse(args);
    if (values.help) {
      io.stdout.write(usage);
      return 0;
    }
    return await runSync(values, positionals, io);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    io.stderr.write(`edgeway sync: ${error.message}\n'edgeway sync --help' tells more.\n`);
    return 2;
  }
};

function parseOrRefuse(args: readonly string[]): ReturnType<typeof parse> {
  try {
    return parse(args);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

async function runSync(values: Values, positionals: readonly string[], io: Io): Promise<number> {
  const { sources, target: name } = readTargets(positionals, values, io.env);
  const waitMs = readWait(values);
  const rollOut = readRollOut(values);
  const { configuration, entryPoints, problems } = readStatic(values, name.kind, io);
  for (const problem of problems) io.stderr.write(`edgeway: ${problem}\n`);
  if (problems.length > 0) return 1;

  const stopping = new AbortController();
  // Watchers and the clock's timers keep no process alive.
  const alive = setInterval(() => {}, 3_600_000);
  const stop = (): void => stopping.abort();
  for (const signal of SIGNALS) process.once(signal, stop);
  const progress = createProgress(io);
  const complain = (text: string): void => progress.line(() => io.stderr.write(`edgeway: ${text}\n`));
  const log = createLogger(({ message, fields }) => complain(`${message} ${JSON.stringify(fields)}`), 'WARN');
  const stores = createStores({ clock: systemClock, log });
  try {
    const target = await openTarget(name, {
      values,
      io,
      stores,
      entryPoints,
      waitMs,
      rollOut,
      signal: stopping.signal,
      complain,
      progress,
    });
    const watch = values.watch === true;
    const { isWell, pending } = await sync({
      source: readSource({
        sources: await Promise.all(sources.map((source) => specOf(source, io, stores))),
        configuration,
        allowForeign: name.kind !== 'edge',
        context: { clock: systemClock, log, signal: stopping.signal, environment: io.env, root: values.root ?? 'traefik' },
        watch,
      }),
      target,
      apply: values.apply === true || rollOut !== undefined,
      prune: values.prune === true,
      allowEmpty: values['allow-empty'] === true,
      keepGoing: watch || values['keep-going'] === true,
      say: (text) => progress.line(() => io.stdout.write(text)),
      complain,
      ...(watch && name.kind !== 'edge' && { watch: { clock: systemClock, signal: stopping.signal } }),
    });
    if (stopping.signal.aborted) return 0;
    if (!isWell) return 1;
    return values['detailed-exit-code'] && pending > 0 ? 3 : 0;
  } catch (error) {
    if (error instanceof UsageError) throw error;
    complain(describe(error));
    return 1;
  } finally {
    clearInterval(alive);
    for (const signal of SIGNALS) process.off(signal, stop);
    stopping.abort();
    await stores.close();
  }
}

async function specOf(source: string, io: Io, stores: Stores): Promise<SourceSpec> {
  if (source === '-') return { kind: 'text', name: '<stdin>', read: () => readStream(io.stdin) };
  if (!source.includes('://')) return { kind: 'path', path: resolve(io.cwd, source) };
  return { kind: 'store', ...(await stores.open(source)) };
}

async function readStream(stream: Io['stdin']): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of stream) text += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
  return text + decoder.decode();
}

interface Opening {
  readonly values: Values;
  readonly io: Io;
  readonly stores: Stores;
  readonly entryPoints: ReturnType<typeof readStatic>['entryPoints'];
  readonly waitMs: number;
  readonly rollOut: ReturnType<typeof readRollOut>;
  readonly signal: AbortSignal;
  readonly complain: (text: string) => void;
  readonly progress: ReturnType<typeof createProgress>;
}

async function openTarget(
  name: TargetName,
  { values, io, stores, entryPoints, waitMs, rollOut, signal, complain, progress }: Opening,
): Promise<Target> {
  const publisher = values.name ?? 'sync';
  if (!/^[\w.-]+$/.test(publisher)) throw new UsageError(`--name has letters, digits, dots, dashes and underscores, not '${publisher}'`);
  if (name.kind === 'file') return createKeysFileTarget(resolve(io.cwd, name.path), values.root ?? 'traefik');
  if (name.kind === 'store')
    return createStoreTarget({
      ...(await stores.open(name.url)),
      writer: publisher,
      takeOver: values['take-over'] === true,
      waitMs,
      clock: systemClock,
      signal,
      onWait: complain,
      onProgress: progress.show,
      ...(rollOut && { rollOut: { ...rollOut, say: (text) => void io.stdout.write(text) } }),
    });
  const hubUrl = values.hub ?? io.env.EDGEWAY_EDGE_HUB_URL;
  if (hubUrl === undefined) throw new UsageError('give the control host of the Worker with --hub');
  if (Object.keys(entryPoints).length === 0)
    throw new UsageError('nothing is public: name entry points with --entry-point, as in --entry-point websecure=https');
  const code = values.code ?? io.env.EDGEWAY_EDGE_CODE;
  return createEdgeTarget({
    hubUrl,
    stateDirectory: resolve(io.cwd, values.state ?? './edgeway-state'),
    name: publisher,
    ...(code !== undefined && { code }),
    entryPoints,
    clock: systemClock,
  });
}
