import { type ConfigError, describe } from '../base/errors.ts';
import { LOG_LEVELS, type LogLevel } from '../base/log.ts';
import { startAgent } from '../origin-agent/agent.ts';
import { systemClock } from '../origin-agent/clock.ts';
import { createLogOutput, type LogOutput } from '../origin-agent/log-output.ts';
import { readStartConfiguration } from '../origin-agent/static-configuration.ts';
import type { Command, Io } from './io.ts';
import { packageVersion } from './version.ts';

export const usage = `Usage: edgeway agent [--configFile=FILE | --option=value …]

Serves the entry points of the static configuration, follows the providers, and publishes to the edge what edge.entryPoints names.
Flags, variables (TRAEFIK_… or EDGEWAY_…) and files are Traefik's; docs/reference/static.md lists all of them. With
--edge.bootstrap=redis://… they come from a store; docs/stores.md says how.

Signals: TERM and INT stop gracefully, USR1 reopens the log files, HUP reads files again.
`;

/** A store that starts together with the agent, on one machine or in one stack, needs a while. */
const STORE_PATIENCE_MS = 30_000;
/** With the copy of an earlier start there is something to serve with. */
const STORE_COPY_PATIENCE_MS = 5_000;

export const run: Command = async (args, io) => {
  // Before anything else: without listeners SIGUSR1 would open Node's inspector, and SIGHUP end the process.
  let reopen = (): void => {};
  let reread = (): void => {};
  process.on('SIGUSR1', () => reopen());
  process.on('SIGHUP', () => reread());
  if (args.includes('--help') || args.includes('-h')) {
    io.stdout.write(usage);
    return 0;
  }
  const starting = createLogOutput({ level: 'WARN', format: 'common', colours: io.isTty });
  const context = {
    clock: systemClock,
    log: starting.log,
    patienceMs: STORE_PATIENCE_MS,
    copyPatienceMs: STORE_COPY_PATIENCE_MS,
  };
  // The clock's timers keep no process alive that waits for a store.
  const alive = setInterval(() => {}, 3_600_000);
  const reading = readStartConfiguration(args, io.env, io.cwd, context);
  const { configuration, problems, warnings, source, store } = await reading.finally(() => clearInterval(alive));
  if (configuration === undefined) {
    await store?.close();
    return refuse(problems, io);
  }
  const level = logLevel(configuration.log?.level);
  let output: LogOutput;
  try {
    output = createLogOutput({
      ...configuration.log,
      level,
      format: configuration.log?.format === 'json' ? 'json' : 'common',
      colours: io.isTty && configuration.log?.noColor !== true,
    });
  } catch (error) {
    await store?.close();
    io.stderr.write(`edgeway: log.filePath: The file cannot be opened: ${describe(error)}\n`);
    return 1;
  }
  reopen = output.reopen;
  for (const warning of warnings) output.log.warn('Static configuration', { error: describe(warning) });
  output.log.info('Static configuration read', { source: source.path ?? source.kind });

  const watching = new AbortController();
  try {
    const agent = await startAgent({
      configuration,
      environment: io.env,
      cwd: io.cwd,
      clock: systemClock,
      log: output.log,
      logLevel: level,
      version: packageVersion(),
    });
    reopen = () => {
      output.reopen();
      agent.reopenLogs();
    };
    reread = agent.reread;
    store?.keep();
    void store?.watch(output.log, watching.signal);
    output.log.info('Serving', { ports: agent.ports });
    const signalled = new Promise<void>((resolve) => {
      for (const signal of ['SIGTERM', 'SIGINT'] as const) {
        process.once(signal, () => {
          output.log.info('Stopping', { signal });
          resolve();
        });
      }
    });
    await Promise.race([signalled, agent.replaced]);
    await agent.stop();
    output.log.info('Stopped');
    return 0;
  } catch (error) {
    io.stderr.write(`edgeway: ${describe(error)}\n`);
    return 1;
  } finally {
    watching.abort();
    await store?.close();
  }
};

function refuse(problems: readonly ConfigError[], io: Io): number {
  for (const problem of problems) io.stderr.write(`edgeway: ${describe(problem)}\n`);
  return 1;
}

const logLevel = (text: string | undefined): LogLevel => LOG_LEVELS.find((level) => level === text?.toUpperCase()) ?? 'ERROR';
