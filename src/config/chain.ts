import { HTTP_MIDDLEWARES } from '../middlewares/index.ts';
import { type MiddlewareDefinition, runsAtEdge } from '../middlewares/middleware.ts';
import { providerOf, qualify } from './names.ts';

/** One middleware object: the kind of its word, and its options. */
export interface Word {
  readonly kind: string;
  readonly options: unknown;
}

/** Exactly one kind is set in a middleware object; undefined otherwise. */
export function wordOf(config: object): Word | undefined {
  const [first, ...others] = Object.entries(config).filter(([, options]) => options !== undefined);
  return first === undefined || others.length > 0 ? undefined : { kind: first[0], options: first[1] };
}

export const definitionOf = (kind: string): MiddlewareDefinition | undefined =>
  Object.hasOwn(HTTP_MIDDLEWARES, kind) ? (HTTP_MIDDLEWARES as Record<string, MiddlewareDefinition>)[kind] : undefined;

/** Words that count requests. A router's `edge.local` keeps them at the edge, where each isolate counts for itself. */
const COUNTING = new Set(['rateLimit', 'inFlightReq', 'circuitBreaker']);

/** Whether `edge.local` may keep the word at the edge: not when it counts in a store that only agents reach. */
export const mayCountAtEdge = ({ kind, options }: Word): boolean =>
  COUNTING.has(kind) && (options as { redis?: unknown } | undefined)?.redis === undefined;

/** True, or why the word cannot run at the edge. */
export function edgeVerdict({ kind, options }: Word): true | string {
  const definition = definitionOf(kind);
  if (definition?.create === undefined && definition?.expand === undefined) return `nobody implements '${kind}' there`;
  return runsAtEdge(definition, options);
}

/** Middlewares that the word stands for (chain), as qualified names. */
export const middlewaresOf = (name: string, { kind, options }: Word): string[] =>
  (definitionOf(kind)?.expand?.(options as never) ?? []).map((child) => qualify(child, providerOf(name)));

/** Services that the word asks (errors), as qualified names. */
export function servicesOf(name: string, { kind, options }: Word): string[] {
  const service = kind === 'errors' ? (options as { service?: string }).service : undefined;
  return service === undefined || service === '' ? [] : [qualify(service, providerOf(name))];
}

/** The words of a chain with their names, chains replaced by what they stand for; names that do not exist are passed over. */
export function* wordsOf(
  names: readonly string[],
  find: (name: string) => Word | undefined,
  path: readonly string[] = [],
): Generator<[string, Word]> {
  for (const name of names) {
    const word = path.includes(name) ? undefined : find(name);
    if (word === undefined) continue;
    const children = middlewaresOf(name, word);
    if (children.length > 0) yield* wordsOf(children, find, [...path, name]);
    else yield [name, word];
  }
}

/** Why a router's own middlewares cannot all run at the edge, naming the first that cannot. */
export function chainProblem(
  { middlewares, edge }: { readonly middlewares: readonly string[]; readonly edge?: { readonly local: boolean } },
  find: (name: string) => object | undefined,
): string | undefined {
  const lookUp = (name: string): Word | undefined => {
    const config = find(name);
    return config && wordOf(config);
  };
  for (const [name, word] of wordsOf(middlewares, lookUp)) {
    const verdict = edgeVerdict(word);
    if (verdict === true || (edge?.local === true && mayCountAtEdge(word))) continue;
    return `'${name}' cannot run at the edge: ${verdict}`;
  }
  return undefined;
}
