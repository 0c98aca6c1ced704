import type { ConfigError } from '../../base/errors.ts';

/** Objects that a provider had to leave out, by section (`http.routers`) and name, with all that is wrong with each. */
export type Rejected = ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;

/** Problems name objects as `http.routers.blog`; what belongs to no object is passed over here (the provider logged it). */
export function readRejected(problems: readonly ConfigError[]): Rejected {
  const sections = new Map<string, Map<string, string[]>>();
  for (const problem of problems) {
    const [protocol, kind, ...rest] = (problem.place.object ?? '').split('.');
    const name = rest.join('.');
    if (name === '') continue;
    const section = `${protocol}.${kind}`;
    let objects = sections.get(section);
    if (objects === undefined) sections.set(section, (objects = new Map()));
    const messages = objects.get(name) ?? [];
    messages.push(sentence(problem));
    objects.set(name, messages);
  }
  return sections;
}

/** With file and line, without the object, which is where the sentence is shown. */
function sentence(problem: ConfigError): string {
  const { source, line } = problem.place;
  if (source === undefined) return problem.message;
  return `${problem.message} (${line === undefined ? source : `${source}:${line}`})`;
}
