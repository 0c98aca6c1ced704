import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { describe } from '../base/errors.ts';
import { createLogger } from '../base/log.ts';
import type { EdgeScheme } from '../config/fold.ts';
import { loadStatic } from '../config/static-sources.ts';
import { readSource } from '../kv-sync/sources/read.ts';
import { sync } from '../kv-sync/sync.ts';
import { createEdgeTarget } from '../kv-sync/targets/edge.ts';
import { systemClock } from '../origin-agent/clock.ts';
import { readStaticConfiguration } from '../origin-agent/static-configuration.ts';
import type { Command, Io } from './io.ts';

export const usage = `Usage: edgeway sync FILE|DIRECTORY … --to edge --hub URL [options]

Reads dynamic configuration as the file provider does, prints what would change in the target, and changes it with --apply.
To the edge it publishes without an agent (from CI): servers must have public names, every chain must run at the edge.

  --to edge                 the target
  --hub URL                 control host of the Worker (or EDGEWAY_EDGE_HUB_URL)
  --name NAME               under which this publisher is enrolled (default: sync)
  --code CODE               enrolment code, needed once (or EDGEWAY_EDGE_CODE); 'edgeway edge codes' makes one
  --state DIRECTORY         where the key pair is kept (default: ./edgeway-state)
  --entry-point NAME=SCHEME routers of this entry point are public, by http or https; may be repeated
  --static FILE             static configuration, for its entry points and edge.entryPoints
  --apply                   carry the plan out
  --prune                   also remove what left the files
  --watch                   go on, whenever a file changes
  --keep-going              apply what is sound though something else is not (--watch does)

Exit codes: 0 done, 1 something is wrong, 2 wrong usage.
`;

export const run: Command = async (args, io) => {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(args);
  } catch (error) {
    return misused(io, (error as Error).message);
  }
  const { values, positionals } = parsed;
  if (values.help) {
    io.stdout.write(usage);
    return 0;
  }
  if (positionals.length === 0) return misused(io, 'name at least one file or directory');
  if (values.to !== 'edge')
    return misused(io, values.to === undefined ? 'give a target with --to; edge is one' : `there is no target '${values.to}'; edge is one`);
  const hubUrl = values.hub ?? io.env.EDGEWAY_EDGE_HUB_URL;
  if (hubUrl === undefined) return misused(io, 'give the control host of the Worker with --hub');

  const { configuration, entryPoints, problems } = readStatic(values, io);
  for (const problem of problems) io.stderr.write(`edgeway: ${problem}\n`);
  if (configuration === undefined) return 1;
  if (Object.keys(entryPoints).length === 0)
    return misused(io, 'nothing is public: name entry points with --entry-point, as in --entry-point websecure=https');

  const stopping = new AbortController();
  // Watchers and the clock's timers keep no process alive.
  const alive = setInterval(() => {}, 3_600_000);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopping.abort());
  const complain = (text: string): void => void io.stderr.write(`edgeway: ${text}\n`);
  const log = createLogger(({ message, fields }) => complain(`${message} ${JSON.stringify(fields)}`), 'WARN');
  try {
    const code = values.code ?? io.env.EDGEWAY_EDGE_CODE;
    const target = await createEdgeTarget({
      hubUrl,
      stateDirectory: resolve(io.cwd, values.state ?? './edgeway-state'),
      name: values.name ?? 'sync',
      ...(code !== undefined && { code }),
      entryPoints,
      clock: systemClock,
    });
    const source = readSource({
      sources: positionals.map((path) => ({ kind: 'path', path: resolve(io.cwd, path) })),
      allowForeign: false,
      configuration,
      context: { clock: systemClock, log, signal: stopping.signal, environment: io.env, root: 'traefik' },
      watch: values.watch === true,
    });
    const isWell = await sync({
      source,
      target,
      apply: values.apply === true,
      prune: values.prune === true,
      keepGoing: values.watch === true || values['keep-going'] === true,
      say: (text) => void io.stdout.write(text),
      complain,
    });
    return isWell.isWell || stopping.signal.aborted ? 0 : 1;
  } catch (error) {
    complain(describe(error));
    return 1;
  } finally {
    clearInterval(alive);
    stopping.abort();
  }
};

const parse = (args: string[]) =>
  parseArgs({
    args,
    allowPositionals: true,
    options: {
      to: { type: 'string' },
      hub: { type: 'string' },
      name: { type: 'string' },
      code: { type: 'string' },
      state: { type: 'string' },
      'entry-point': { type: 'string', multiple: true },
      static: { type: 'string' },
      apply: { type: 'boolean' },
      prune: { type: 'boolean' },
      watch: { type: 'boolean' },
      'keep-going': { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });

function misused(io: Io, message: string): number {
  io.stderr.write(`edgeway sync: ${message}\n'edgeway sync --help' tells more.\n`);
  return 2;
}

type Values = ReturnType<typeof parse>['values'];

/** The static file, or one in which there are only the entry points that the command line names. */
function readStatic(values: Values, io: Io) {
  const named: Record<string, EdgeScheme> = {};
  const problems: string[] = [];
  for (const text of values['entry-point'] ?? []) {
    const [, name, scheme] = /^([^=]+)=(https?)$/.exec(text) ?? [];
    if (name === undefined) problems.push(`--entry-point ${text}: write NAME=http or NAME=https`);
    else named[name] = scheme as EdgeScheme;
  }
  const loaded =
    values.static === undefined
      ? loadStatic({
          arguments: Object.keys(named).map((name, index) => `--entryPoints.${name}.address=:${8000 + index}`),
          environment: {},
          readFile: () => undefined,
        })
      : readStaticConfiguration([`--configFile=${values.static}`], {}, io.cwd);
  problems.push(...loaded.problems.map(describe));
  const fromFile = values.static === undefined ? {} : (loaded.configuration?.edge.entryPoints ?? {});
  return {
    configuration: problems.length > 0 ? undefined : loaded.configuration,
    entryPoints: { ...(fromFile as Record<string, EdgeScheme>), ...named },
    problems,
  };
}
