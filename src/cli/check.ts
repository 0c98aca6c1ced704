import { ConfigError } from '../base/errors.ts';
import { silentLogger } from '../base/log.ts';
import { lint, lintStatic } from '../config/lint/lint.ts';
import { providerOf } from '../config/names.ts';
import type { RuntimeConfiguration, RuntimeObject } from '../config/runtime.ts';
import { systemClock } from '../origin-agent/clock.ts';
import { readStartConfiguration } from '../origin-agent/static-configuration.ts';
import { readArguments, UsageError } from './arguments.ts';
import { countOf, type Finding, FORMATS, type Format, findingOf, formatFindings, sortFindings } from './findings.ts';
import type { Command, Io } from './io.ts';
import { readSources } from './sources/read.ts';
import type { ReadSource } from './sources/source.ts';
import { mergeSources, type Whole } from './sources/whole.ts';

export const usage = `Usage: edgeway check [--format text|json|github] [--root NAME] [FILE | FOLDER | -]…

Says what is wrong with a configuration, where, and what to write instead. It reads static and dynamic files (YAML, TOML, JSON),
folders of them, the labels of compose and stack files, and keys of a store ('key=value' lines or a JSON object); '-' is standard
input. All that is named is judged together, with the files that providers.file of a static file names. Without any name it is the
static configuration that 'edgeway agent' would find here.

  --format FORMAT   text (default), json, or github (annotations of a workflow)
  --root NAME       first part of labels and keys; default traefik

Exit codes: 0 sound (there may be warnings), 1 something is wrong, 2 wrong usage or nothing could be read.
`;

export const run: Command = async (args, io) => {
  try {
    const { options, words } = readArguments(args, { format: 'value', root: 'value', help: 'switch' }, { h: 'help', f: 'format' });
    if (options.help !== undefined) {
      io.stdout.write(usage);
      return 0;
    }
    const format = (options.format?.at(-1) ?? 'text') as Format;
    if (!FORMATS.includes(format)) throw new UsageError(`there is no format '${format}'; known are ${FORMATS.join(', ')}`);
    const sources = words.length === 0 ? await readDefault(io) : await readSources(words, io, { root: options.root?.at(-1) ?? 'traefik' });
    const findings = sortFindings(judge(sources));
    io.stdout.write(formatFindings(findings, format, io.isTty));
    if (sources.every(isUnreadable)) return 2;
    return countOf(findings, 'error') > 0 ? 1 : 0;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    io.stderr.write(`edgeway check: ${error.message}\n\n${usage}`);
    return 2;
  }
};

const isUnreadable = ({ problems, dynamic, static: own }: ReadSource): boolean =>
  own === undefined && dynamic.length === 0 && problems.some(({ error }) => error.code === 'config.io');

/** What the agent would start with here, and the files that it would read. */
async function readDefault(io: Io): Promise<ReadSource[]> {
  const context = { clock: systemClock, log: silentLogger, patienceMs: 0 };
  const { configuration, problems, warnings, source, store } = await readStartConfiguration([], io.env, io.cwd, context);
  await store?.close();
  const own: ReadSource = {
    static: { configuration, path: source.path ?? source.kind },
    dynamic: [],
    problems: problems.map((error) => ({ error })),
    warnings,
  };
  const file = configuration?.providers.file;
  const named = file?.directory || file?.filename;
  return [own, ...(named ? await readSources([named], io, { root: 'traefik' }) : [])];
}

/** All that is wrong or odd about what was read, together. */
function judge(sources: readonly ReadSource[]): Finding[] {
  const whole = mergeSources(sources);
  const findings: Finding[] = [];
  for (const { problems, warnings } of sources) {
    findings.push(...problems.map(({ error }) => findingOf('error', error)));
    findings.push(...warnings.map((warning) => findingOf('warning', warning)));
  }
  findings.push(...whole.conflicts.map((conflict) => findingOf('warning', conflict)));
  findings.push(...judgeObjects(whole));
  for (const hint of lint(whole.runtime, whole.configuration, whole.isReal))
    findings.push(locate('warning', hint.object, hint.message, whole));
  for (const { static: own } of sources)
    if (own?.configuration !== undefined)
      findings.push(
        ...lintStatic(own.configuration).map(({ object, message }) =>
          findingOf('warning', new ConfigError('config.bad-value', message, { source: own.path, object })),
        ),
      );
  return findings;
}

/** What the merge says of objects. Those that their provider refused have said so; what uses a broken object says it once. */
function judgeObjects(whole: Whole): Finding[] {
  const findings: Finding[] = [];
  for (const [kind, objects] of kindsOf(whole.runtime)) {
    for (const [name, { status, errors, config, written, provider }] of Object.entries(objects)) {
      if (status === 'enabled' || isRefused(config, written)) continue;
      for (const error of errors) {
        if (IS_BROKEN.test(error) || (provider === 'internal' && IS_ENTRY_POINT.test(error))) continue;
        const foreign = /'[^']*@([\w-]+)'/.exec(error)?.[1];
        const unseen =
          /^There (is|are) no /.test(error) && foreign !== undefined && foreign !== 'internal' && !whole.providers.has(foreign);
        const message = unseen ? `${error} among what was read` : error;
        findings.push(locate(unseen || status === 'warning' ? 'warning' : 'error', `${kind}.${name}`, message, whole));
      }
    }
  }
  return findings;
}

/** `The service 'x@file' is broken: …` is said of the service itself too. */
const IS_BROKEN = /^The \w+ '[^']*@[^']*' is broken: /;

/** Of our own routers the static configuration's options have said it. */
const IS_ENTRY_POINT = /entry point/;

const isRefused = (config: object, written: unknown): boolean =>
  written === undefined && (Object.keys(config).length === 0 || (config as { service?: string; priority?: number }).priority === 0);

function kindsOf({ http, tcp, udp }: RuntimeConfiguration): [string, Readonly<Record<string, RuntimeObject<object>>>][] {
  return Object.entries({ http, tcp, udp }).flatMap(([protocol, kinds]) =>
    Object.entries(kinds as Record<string, Readonly<Record<string, RuntimeObject<object>>>>).map(
      ([kind, objects]): [string, Readonly<Record<string, RuntimeObject<object>>>] => [`${protocol}.${kind}`, objects],
    ),
  );
}

/** `object` is `http.routers.blog@file`; parts of split routers stand where the whole was written. */
function locate(level: Finding['level'], object: string, message: string, whole: Whole): Finding {
  const [, kind = '', qualified = ''] = /^(\w+\.\w+)\.(.*)$/s.exec(object) ?? [];
  const provider = providerOf(qualified);
  const name = qualified.slice(0, qualified.length - provider.length - 1);
  for (const candidate of wholeNames(name, whole)) {
    const place = whole.placeOf(kind, candidate, provider);
    if (place !== undefined)
      return { level, code: 'config.reference', message, file: place.source, line: place.line, object: `${kind}.${candidate}` };
  }
  return { level, code: 'config.reference', message, object };
}

function wholeNames(name: string, { configuration }: Whole): string[] {
  const names = [name];
  for (const entryPoint of Object.keys(configuration.entryPoints ?? {})) {
    for (const prefix of [`${entryPoint}-conflicted-`, `${entryPoint}-`])
      if (name.startsWith(prefix)) names.push(...wholeNames(name.slice(prefix.length), { configuration } as Whole));
  }
  return names;
}
