import { ConfigError, type Place } from '../../base/errors.ts';
import type { DynamicConfiguration } from '../../config/dynamic.ts';
import { createMerger, type Say } from '../../config/merge.ts';
import type { RuntimeConfiguration } from '../../config/runtime.ts';
import type { StaticConfiguration } from '../../config/static.ts';
import { imagineStatic } from '../../kv-sync/sources/imagined.ts';
import type { ReadSource } from './source.ts';

/** All sources together, as an agent would have them in force. */
export interface Whole {
  readonly runtime: RuntimeConfiguration;
  readonly configuration: StaticConfiguration;
  /** The static configuration is the user's; otherwise it is made up of the entry points that routers name. */
  readonly isReal: boolean;
  /** Providers of which objects were read. */
  readonly providers: ReadonlySet<string>;
  /** Where an object was written, by `http.routers.blog` and provider. */
  readonly placeOf: (kind: string, name: string, provider: string) => Place | undefined;
  /** Of two definitions of one object the first counts. */
  readonly conflicts: readonly ConfigError[];
}

export function mergeSources(sources: readonly ReadSource[]): Whole {
  const configurations = new Map<string, Objects>();
  const places = new Map<string, Place>();
  const conflicts: ConfigError[] = [];
  for (const { dynamic } of sources) {
    for (const { provider, configuration, places: own } of dynamic) {
      let into = configurations.get(provider);
      if (into === undefined) configurations.set(provider, (into = {}));
      for (const key of addTo(into, configuration as Objects))
        conflicts.push(conflict(key, own.get(key), places.get(`${key}@${provider}`)));
      for (const [key, place] of own) if (!places.has(`${key}@${provider}`)) places.set(`${key}@${provider}`, place);
    }
  }
  const real = sources.find((source) => source.static?.configuration !== undefined)?.static?.configuration;
  const configuration = real ?? imagineStatic([...configurations.values()] as DynamicConfiguration[]);
  const says = new Map<string, Say>(
    [...configurations].map(([provider, said]) => [
      provider,
      {
        configuration: said as DynamicConfiguration,
        problems: sources.flatMap(({ problems }) => problems.filter((problem) => problem.provider === provider).map(({ error }) => error)),
      },
    ]),
  );
  return {
    runtime: createMerger(configuration).merge(says),
    configuration,
    isReal: real !== undefined,
    providers: new Set(says.keys()),
    placeOf: (kind, name, provider) => places.get(`${kind}.${name}@${provider}`),
    conflicts,
  };
}

type Objects = Record<string, Record<string, Record<string, unknown> | unknown[] | undefined> | undefined>;

const conflict = (object: string, place: Place | undefined, first: Place | undefined): ConfigError =>
  new ConfigError(
    'config.conflict',
    `is defined before${first?.source === undefined ? '' : ` (${first.source}${first.line === undefined ? '' : `:${first.line}`})`}; this one is passed over`,
    {
      ...place,
      object,
    },
  );

/** Returns the names that were there already. */
function addTo(into: Objects, configuration: Objects): string[] {
  const known: string[] = [];
  for (const [section, kinds] of Object.entries(configuration)) {
    for (const [kind, objects] of Object.entries(kinds ?? {})) {
      const target = (into[section] ??= {});
      if (Array.isArray(objects)) target[kind] = [...((target[kind] as unknown[] | undefined) ?? []), ...objects];
      else {
        const named = (target[kind] ??= {}) as Record<string, unknown>;
        for (const [name, object] of Object.entries(objects ?? {})) {
          if (Object.hasOwn(named, name)) known.push(`${section}.${kind}.${name}`);
          else Object.defineProperty(named, name, { value: object, enumerable: true, writable: true, configurable: true });
        }
      }
    }
  }
  return known;
}
