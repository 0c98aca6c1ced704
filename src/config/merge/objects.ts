import type { RuntimeObject } from '../runtime.ts';
import type { Graph } from './graph.ts';
import { type Named, reference } from './names.ts';
import { createRegistry, type Protocol, type Registry, type Slot } from './registry.ts';
import type { RouterEntry } from './routers.ts';
import type { MergedTls } from './tls.ts';
import { addCritical, addUser, finish, type Verdict } from './verdict.ts';

export type Objects<T> = Readonly<Record<string, RuntimeObject<T>>>;

export const transportRegistry = (protocol: Protocol): Registry<Slot> => createRegistry(protocol, 'serversTransports', () => ({}));

/** Gives every object what its graph says of it. */
export function judgeAll<S extends Slot>(slots: ReadonlyMap<string, S>, graph: Graph<S>): void {
  for (const slot of slots.values()) {
    const errors = graph.errorsOf(slot);
    if (errors.length > 0 && slot.rejected === undefined) slot.critical = errors;
  }
}

interface UsingConfig {
  readonly middlewares: string[];
  readonly service: string;
  readonly tls?: { readonly options?: string; readonly passthrough?: boolean };
}

export interface Used {
  readonly services: ReadonlyMap<string, Verdict>;
  readonly serviceGraph: Graph<never>;
  readonly middlewares: ReadonlyMap<string, Verdict>;
  readonly middlewareGraph: Graph<never>;
  readonly tls: MergedTls;
}

/** What a router refers to: that it exists and works, and that it is used. */
export function judgeUse(entry: RouterEntry<UsingConfig>, { services, serviceGraph, middlewares, middlewareGraph, tls }: Used): void {
  const { key, config } = entry;
  for (const name of config.middlewares) {
    for (const error of middlewareGraph.errorsOfUse(name)) addCritical(entry, error);
    const middleware = middlewares.get(name);
    if (middleware !== undefined) addUser(middleware, key);
  }
  if (config.service !== '') {
    for (const error of serviceGraph.errorsOfUse(config.service)) addCritical(entry, error);
    const service = services.get(config.service);
    if (service !== undefined) addUser(service, key);
  }
  if (config.tls !== undefined && !config.tls.passthrough) {
    const problem = tls.problemOf(config.tls.options ?? 'default');
    if (problem !== undefined) addCritical(entry, problem);
  }
}

export function finishSlots<T>(slots: ReadonlyMap<string, Slot>, before: Objects<T> | undefined): Objects<T> {
  const result: Record<string, RuntimeObject<T>> = {};
  for (const [key, slot] of slots) {
    const config = (slot.written === undefined ? BROKEN : wholeNames(slot.written, slot.owner)) as T;
    const written = config === slot.written || config === BROKEN ? undefined : slot.written;
    result[key] = finish(slot, slot.owner.name, slot.owner.provider, config, undefined, written);
  }
  return unlessSame(result, before);
}

const BROKEN: object = Object.freeze({});

export function finishRouters<T>(
  entries: readonly RouterEntry<T>[],
  rejected: Iterable<Slot>,
  broken: T,
  before: Objects<T> | undefined,
): Objects<T> {
  const result: Record<string, RuntimeObject<T>> = {};
  for (const entry of entries) {
    // `web-r` may be a router of its own and a part of the router `r`.
    let { key, name } = entry;
    for (let n = 2; Object.hasOwn(result, key); n++) {
      name = `${entry.name}-${n}`;
      key = `${name}@${entry.provider}`;
    }
    result[key] = finish(entry, name, entry.provider, entry.config, entry.using, entry.part.written);
  }
  for (const slot of rejected) result[slot.key] = finish(slot, slot.owner.name, slot.owner.provider, broken, NOWHERE, undefined);
  return unlessSame(result, before);
}

const NOWHERE: readonly string[] = Object.freeze([]);

/** The objects of the last merge when these are the same. */
function unlessSame<T>(objects: Objects<T>, before: Objects<T> | undefined): Objects<T> {
  if (before === undefined) return objects;
  let count = 0;
  for (const key in objects) {
    if (before[key] !== objects[key]) return objects;
    count++;
  }
  for (const _ in before) count--;
  return count === 0 ? before : objects;
}

const whole = new WeakMap<object, { readonly owner: Named; readonly config: object }>();

/** The transport of a load balancer, and the parts of a chain, by their whole names. */
function wholeNames(written: unknown, owner: Named): object {
  const { loadBalancer, chain } = written as { loadBalancer?: { serversTransport?: string }; chain?: { middlewares?: string[] } };
  const transport = loadBalancer?.serversTransport ?? '';
  const parts = chain?.middlewares ?? [];
  if ((transport === '' || transport.includes('@')) && parts.every((name) => name.includes('@'))) return written as object;
  const known = whole.get(written as object);
  if (known?.owner === owner) return known.config;
  const config =
    chain === undefined
      ? { ...(written as object), loadBalancer: { ...loadBalancer, serversTransport: reference(transport, owner) } }
      : { ...(written as object), chain: { ...chain, middlewares: parts.map((name) => reference(name, owner)) } };
  whole.set(written as object, { owner, config });
  return config;
}
