import { describe } from '../../base/errors.ts';
import type { EdgeScheme } from '../../config/fold.ts';
import { loadStatic } from '../../config/static-sources.ts';
import { readStaticConfiguration } from '../../origin-agent/static-configuration.ts';
import type { Io } from '../io.ts';
import type { TargetName, Values } from './options.ts';

/**
 * The static file. Without one the edge has the entry points that the command line names, and a store those that routers name
 * (undefined).
 */
export function readStatic(values: Values, target: TargetName['kind'], io: Io) {
  const named: Record<string, EdgeScheme> = {};
  const problems: string[] = [];
  for (const text of values['entry-point'] ?? []) {
    const [, name, scheme] = /^([^=]+)=(https?)$/.exec(text) ?? [];
    if (name === undefined) problems.push(`--entry-point ${text}: write NAME=http or NAME=https`);
    else named[name] = scheme as EdgeScheme;
  }
  if (values.static === undefined && target !== 'edge') return { configuration: undefined, entryPoints: named, problems };
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
  return { configuration: loaded.configuration, entryPoints: { ...(fromFile as Record<string, EdgeScheme>), ...named }, problems };
}
