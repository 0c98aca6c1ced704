import { mkdtempSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { ConfigError } from '../base/errors.ts';
import type { Logger, LogLevel } from '../base/log.ts';
import { createMerger } from '../config/merge.ts';
import type { RuntimeConfiguration } from '../config/runtime.ts';
import { toProxyConfiguration } from '../config/snapshot.ts';
import type { StaticConfiguration } from '../config/static.ts';
import { createInbox } from '../providers/inbox.ts';
import { type AccessLogOptions, createAccessLogFormat } from '../proxy/access-log.ts';
import { type AccessLogWriter, createAccessLogWriter } from './access-log/writer.ts';
import { createDebug } from './api/debug.ts';
import { createApi } from './api.ts';
import { createArena, createSharedCells } from './cells.ts';
import { collect } from './collect.ts';
import { configurationCopies } from './configuration-copy.ts';
import { type ControlServer, startControlServer } from './control-server.ts';
import { type EdgeSide, nodeName, startEdgeSide } from './edge-side.ts';
import { createHealthChecks } from './health-check.ts';
import { createUpstream } from './http1/upstream.ts';
import { inheritedSockets } from './inherited-sockets.ts';
import { TERMINATING } from './internal-services.ts';
import { createPrometheus } from './metrics.ts';
import { createMiddlewarePlatform } from './middleware-platform.ts';
import { reportProblems } from './report-problems.ts';
import { createRestService } from './rest-service.ts';
import { createStreamConfigurations } from './streams.ts';
import { openSuccession } from './succession.ts';
import { startThreads } from './threads.ts';

const RELAY_ADDRESS = ':8443';
/** A source that says nothing for so long keeps the others from the edge no longer. */
const SOURCES_MS = 60_000;

export interface AgentOptions {
  readonly configuration: StaticConfiguration;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Against which relative paths of `edge` are read. */
  readonly cwd: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly logLevel: LogLevel;
  /** Of the program, for the API. */
  readonly version: string;
}

export interface Agent {
  /** Ports in use by entry point. */
  readonly ports: Readonly<Record<string, number>>;
  /** The configuration in force. */
  readonly runtime: () => RuntimeConfiguration;
  /** Resolves when the next configuration (or, with a test, the first that passes) is served by every thread. */
  readonly whenServed: (test?: (runtime: RuntimeConfiguration) => boolean) => Promise<void>;
  /** Opens the access log anew, after its file was moved away. */
  readonly reopenLogs: () => void;
  /** Lets the file provider read again. */
  readonly reread: () => void;
  /**
   * Resolves when a successor listens in place of this agent and the last connection has ended: what is left to do is to stop. Rejects when
   * the agent cannot go on.
   */
  readonly replaced: Promise<void>;
  /** Stops as SIGTERM does: goes on for requestAcceptGraceTimeout, takes no new connections, ends those left after graceTimeOut. */
  readonly stop: () => Promise<void>;
}

/**
 * The agent, from its static configuration to the end: threads that serve, providers that are collected, merged and applied,
 * a control server that answers questions. This function is the map of the control thread. Throws ConfigError.
 */
export async function startAgent({ configuration, environment, cwd, clock, log, logLevel, version }: AgentOptions): Promise<Agent> {
  const arena = createArena();
  const cells = createSharedCells(arena);
  const inherited = inheritedSockets(environment);
  for (const name of Object.keys(inherited))
    if (!Object.hasOwn(configuration.entryPoints ?? {}, name)) log.warn('No entry point has the name of this socket of systemd', { name });
  // Sockets of systemd outlive every agent: nobody needs to take them over.
  const takeover = configuration.edge.takeover && Object.keys(inherited).length === 0;
  const succession = await openSuccession({ edge: { ...configuration.edge, takeover }, cwd, log });
  const replaced = Promise.withResolvers<void>();
  replaced.promise.catch(() => {});
  const folder = mkdtempSync(join(tmpdir(), 'edgeway-'));
  const controlSocket = join(folder, 'control.sock');
  const accessLog = configuration.accessLog && openAccessLog(configuration.accessLog, log);
  const threads = startThreads({
    count: configuration.edge.threads ?? 0,
    shared: takeover,
    inherited,
    onLost: (error) =>
      replaced.reject(new Error(`The data thread crashed, and its sockets are closed: ${error?.stack ?? 'it ended by itself'}`)),
    entryPoints: configuration.entryPoints ?? {},
    precedence: configuration.providers.precedence,
    hostname: hostname(),
    arena,
    cells,
    logLevel,
    observed: { accessLog: configuration.accessLog, metrics: configuration.metrics },
    writeLines: (lines) => accessLog?.write(lines),
    controlSocket,
    pingTerminatingStatus: configuration.ping?.terminatingStatusCode,
    relay: configuration.edge.hub?.url === undefined ? undefined : (configuration.edge.relay ?? { address: RELAY_ADDRESS }),
    log,
  });
  // Nobody connects or packs here; it tells whether files that middlewares name can be read.
  const merger = createMerger(configuration, { platform: createMiddlewarePlatform() });
  let runtime = merger.merge(new Map());
  const watchers = new Set<(runtime: RuntimeConfiguration) => void>();
  const sender = createUpstream({ clock });
  const streams = createStreamConfigurations({ clock, log });
  let edgeSide: EdgeSide | undefined;
  const health = createHealthChecks({ cells, clock, log, send: sender.send, onChange: () => edgeSide?.healthChanged() });
  const api = createApi({ runtime: () => runtime, configuration, health: health.status, version, now: clock.now });
  const reloads = { count: 0, lastMs: 0 };
  const prometheus =
    configuration.metrics?.prometheus &&
    createPrometheus({
      ...configuration.metrics.prometheus,
      runtime: () => runtime,
      health: health.status,
      threads: threads.metrics,
      reloads: () => reloads,
      now: clock.now,
    });
  const debug = configuration.api?.debug ? createDebug(configuration.api.basePath) : () => undefined;
  const inbox = configuration.providers.rest && createInbox();
  const control: ControlServer = await startControlServer({
    socket: controlSocket,
    services: {
      ...api,
      api: (request) => debug(request) ?? api.api(request),
      ...(prometheus && { prometheus }),
      ...(inbox && { rest: createRestService(inbox, log) }),
    },
  });
  const providers = new AbortController();
  const rereaders = new Set<() => void>();

  /** What is collected meanwhile is applied in one go when the threads have taken the last. */
  let pending: { readonly next: RuntimeConfiguration; readonly isOnCopy: boolean } | undefined;
  /** What to tell when it is served. */
  let waiting: (() => void)[] = [];
  let applying: Promise<void> | undefined;
  async function apply(): Promise<void> {
    while (pending !== undefined) {
      const { next, isOnCopy } = pending;
      pending = undefined;
      const told = waiting;
      waiting = [];
      await threads.apply(toProxyConfiguration(next), streams.of(next));
      reloads.count += 1;
      reloads.lastMs = clock.now();
      health.update(next);
      edgeSide?.update(next, isOnCopy);
      for (const tell of told) tell();
      for (const watcher of [...watchers]) watcher(next);
    }
  }
  const serve = (next: RuntimeConfiguration, isOnCopy: boolean): void => {
    reportProblems(runtime, next, log);
    runtime = next;
    pending = { next, isOnCopy };
    applying ??= apply().finally(() => (applying = undefined));
  };

  const stateDirectory = resolve(cwd, configuration.edge.stateDirectory);
  let collecting: Promise<void> = Promise.resolve();
  const collected = Promise.withResolvers<void>();
  function follow(): Promise<void> {
    collecting = collect({
      providers: configuration.providers as Readonly<Record<string, unknown>>,
      throttleMs: configuration.providers.providersThrottleDuration,
      context: {
        clock,
        log,
        signal: providers.signal,
        environment,
        node: { name: nodeName(configuration.edge), version },
        onReread: (listener) => rereaders.add(listener),
        ...(inbox && { inbox }),
      },
      log,
      onChange(messages, { applied }) {
        if (applied !== undefined) waiting.push(applied);
        serve(
          merger.merge(messages),
          [...messages.values()].some(({ isCopy }) => isCopy),
        );
      },
      onComplete: collected.resolve,
      lastGoodOf: configurationCopies({
        stateDirectory,
        // Who serves now knows at least as much as what it wrote, and writes no more when it has left.
        isRead: succession.predecessor === undefined,
        isWritten: () => !hasLeft,
        clock,
        log,
      }),
    });
    return collected.promise;
  }

  let hasLeft = false;
  async function leave(): Promise<void> {
    hasLeft = true;
    const left = edgeSide;
    edgeSide = undefined;
    await Promise.all([threads.leave(), left?.close()]);
    void threads.whenEmpty().then(replaced.resolve);
  }

  let ports: Record<string, number>;
  try {
    serve(runtime, false);
    await applying;
    edgeSide = await startEdgeSide({ edge: configuration.edge, cwd, cells, clock, log, onRelayState: threads.setRelayState });
    // Who takes over must know all that its predecessor knows before it gets the first connection.
    if (succession.predecessor !== undefined) await succession.inTime(follow());
    await applying;
    ports = await threads.listen(succession.held);
    await succession.takeOver({ addresses: addressesOf(configuration), leave });
  } catch (error) {
    providers.abort();
    succession.close();
    await Promise.all([threads.close(), control.close(), edgeSide?.close(), collecting]);
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  if (succession.predecessor === undefined) void follow();
  void Promise.race([collected.promise, new Promise<void>((resolve) => clock.after(SOURCES_MS, resolve))]).then(async () => {
    // It tells what is in force: what was collected last must be by then.
    await applying;
    edgeSide?.begin();
  });

  async function stop(): Promise<void> {
    cells.counter(TERMINATING).set(1);
    succession.close();
    const lifeCycles = Object.values(configuration.entryPoints ?? {}).map((entryPoint) => entryPoint.transport.lifeCycle);
    const acceptMs = Math.max(0, ...lifeCycles.map((lifeCycle) => lifeCycle.requestAcceptGraceTimeout ?? 0));
    // Whoever still takes requests must know of servers that go meanwhile.
    if (acceptMs > 0) await new Promise<void>((resolve) => clock.after(acceptMs, resolve));
    providers.abort();
    health.stop();
    await threads.drain(Math.max(0, ...lifeCycles.map((lifeCycle) => lifeCycle.graceTimeOut)));
    await Promise.all([collecting, control.close(), edgeSide?.close()]);
    await threads.close();
    await accessLog?.close();
    sender.close();
    rmSync(folder, { recursive: true, force: true });
  }

  return {
    ports,
    runtime: () => runtime,
    whenServed: (test = () => true) =>
      new Promise((resolve) => {
        const watcher = (next: RuntimeConfiguration): void => {
          if (!test(next)) return;
          watchers.delete(watcher);
          resolve();
        };
        watchers.add(watcher);
        if (applying === undefined && pending === undefined && test(runtime)) watcher(runtime);
      }),
    reopenLogs: () => accessLog?.reopen(),
    replaced: replaced.promise,
    reread() {
      for (const listener of rereaders) listener();
    },
    stop,
  };
}

/** Addresses of everything that listens, as they are written. */
const addressesOf = ({ entryPoints = {}, edge }: StaticConfiguration): string[] => [
  ...Object.values(entryPoints).flatMap(({ address }) => address ?? []),
  ...(edge.hub?.url === undefined ? [] : [edge.relay?.address ?? RELAY_ADDRESS]),
];

/** Throws ConfigError on wrong options too, which a data thread could not report. */
function openAccessLog(options: NonNullable<StaticConfiguration['accessLog']>, log: Logger): AccessLogWriter {
  createAccessLogFormat(options as AccessLogOptions);
  const { filePath } = options;
  try {
    return createAccessLogWriter({ filePath, log });
  } catch (cause) {
    throw new ConfigError(
      'config.io',
      `The access log '${filePath}' cannot be opened: ${(cause as Error).message}`,
      { object: 'accessLog.filePath' },
      { cause },
    );
  }
}
