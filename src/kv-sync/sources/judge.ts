import { ConfigError } from '../../base/errors.ts';
import type { DynamicConfiguration } from '../../config/dynamic.ts';
import { createMerger, type Merger } from '../../config/merge.ts';
import { providerOf } from '../../config/names.ts';
import type { RuntimeConfiguration, RuntimeObject } from '../../config/runtime.ts';
import type { StaticConfiguration } from '../../config/static.ts';
import { pathOf } from '../store-objects.ts';
import { entryPointsOf, imagineStatic } from './imagined.ts';
import type { United } from './unite.ts';

export interface Judged {
  readonly runtime: RuntimeConfiguration;
  /** What merge has disabled, where no problem of the source says so already. */
  readonly problems: readonly ConfigError[];
  readonly warnings: readonly ConfigError[];
}

export interface JudgeOptions {
  /** Undefined: the entry points are those that routers name. */
  readonly configuration: StaticConfiguration | undefined;
  /** Objects may use those of providers that were not read (`auth@docker`): whoever takes the configuration has them. */
  readonly allowForeign: boolean;
}

/** Says of a configuration what the agent would say of it. */
export function createJudge({ configuration, allowForeign }: JudgeOptions): (united: United) => Judged {
  let merger: Merger | undefined = configuration && createMerger(configuration);
  let names = '';
  return ({ configuration: said, problems: known, suffixes }) => {
    if (configuration === undefined) {
      const wanted = JSON.stringify(entryPointsOf([said]));
      if (wanted !== names) merger = createMerger(imagineStatic([said]));
      names = wanted;
    }
    const entryPoints = Object.keys(configuration?.entryPoints ?? {});
    const runtime = merger!.merge(new Map([['file', { configuration: said, problems: known }]]));
    const told = new Set(known.map(({ place }) => place.object));
    const problems: ConfigError[] = [];
    const warnings: ConfigError[] = [];
    for (const [id, { status, errors }] of objectsOf(runtime)) {
      if (status === 'enabled' || told.has(id) || told.has(id.slice(0, id.lastIndexOf('@')))) continue;
      for (const text of errors) {
        const foreign = /^There (?:is|are) no .*?'[^']*@([\w-]+)'/.exec(text)?.[1];
        const isForeign = allowForeign && foreign !== undefined && foreign !== 'internal' && !suffixes.has(foreign) && foreign !== 'file';
        const object = writtenId(id, said, entryPoints);
        const error = new ConfigError('config.reference', isForeign ? `${text} in the sources` : text, { object });
        if (isForeign || status === 'warning') warnings.push(error);
        else problems.push(error);
      }
    }
    return { runtime, problems, warnings };
  };
}

function* objectsOf({ http, tcp, udp }: RuntimeConfiguration): Generator<[id: string, object: RuntimeObject<unknown>]> {
  for (const [section, kinds] of Object.entries({ http, tcp, udp }))
    for (const [kind, objects] of Object.entries(kinds as Record<string, Readonly<Record<string, RuntimeObject<unknown>>>>))
      for (const [name, object] of Object.entries(objects))
        if (object.status !== 'enabled' && object.provider !== 'internal' && providerOf(name) !== 'internal')
          yield [`${section}.${kind}.${name}`, object];
}

/** Of `websecure-blog@file`, the part of a router on one entry point, the router as it is written. */
function writtenId(id: string, said: DynamicConfiguration, entryPoints: readonly string[]): string {
  const [section, kind, name = ''] = pathOf(id);
  const objects = (said as Record<string, Record<string, object> | undefined>)[section]?.[kind] ?? {};
  const bare = name.slice(0, name.lastIndexOf('@'));
  if (Object.hasOwn(objects, bare)) return id;
  const written = entryPoints
    .map((entryPoint) => bare.slice(entryPoint.length + 1))
    .find((rest, index) => bare === `${entryPoints[index]}-${rest}` && Object.hasOwn(objects, rest));
  return written === undefined ? id : `${section}.${kind}.${written}@file`;
}
