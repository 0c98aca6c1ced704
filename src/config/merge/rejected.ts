import type { ConfigError } from '../../base/errors.ts';
import { type DynamicConfiguration, dynamicConfiguration } from '../dynamic.ts';

/** What a provider says, and what it had to leave out of it. */
export interface Say {
  readonly configuration: DynamicConfiguration;
  readonly problems?: readonly ConfigError[];
}

export type Says = ReadonlyMap<string, Say>;

/** Objects that a provider had to leave out, by kind (`http.routers`) and name, with all that is wrong with each. */
export type Rejected = ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;

/** Problems name options as they were written, in any letter case. */
const KINDS = new Map(
  Object.entries(dynamicConfiguration.fields!).flatMap(([section, { fields }]) =>
    Object.keys(fields ?? {}).map((kind) => [`${section}.${kind}`.toLowerCase(), `${section}.${kind}`]),
  ),
);

/** Problems name objects as `http.routers.blog`; what belongs to no object is passed over here (the provider logged it). */
export function readRejected(problems: readonly ConfigError[] = []): Rejected {
  const kinds = new Map<string, Map<string, string[]>>();
  for (const problem of problems) {
    const [protocol, kind, ...rest] = (problem.place.object ?? '').split('.');
    const name = rest.join('.');
    if (name === '') continue;
    const canonical = KINDS.get(`${protocol}.${kind}`.toLowerCase()) ?? `${protocol}.${kind}`;
    let objects = kinds.get(canonical);
    if (objects === undefined) kinds.set(canonical, (objects = new Map()));
    objects.set(name, [...(objects.get(name) ?? []), sentence(problem)]);
  }
  return kinds;
}

/** With file and line, without the object, which is where the sentence is shown. */
function sentence(problem: ConfigError): string {
  const { source, line } = problem.place;
  if (source === undefined) return problem.message;
  return `${problem.message} (${line === undefined ? source : `${source}:${line}`})`;
}
