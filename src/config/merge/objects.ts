import { violations } from '../../base/violations.ts';
import { serversTransport, tcpServersTransport } from '../dynamic.ts';
import type { RuntimeObject } from '../runtime.ts';
import type { Graph } from './graph.ts';
import { type Named, reference } from './names.ts';
import { createRegistry, type Registry, type Slot } from './registry.ts';
import type { RouterEntry } from './routers.ts';
import type { MergedTls } from './tls.ts';
import { addCritical, addUser, type Finisher, type Verdict } from './verdict.ts';

export type Objects<T> = Readonly<Record<string, RuntimeObject<T>>>;

const TRANSPORTS = { http: serversTransport, tcp: tcpServersTransport };

/** With the values that were taken, but that nothing can be made of. */
export type TransportSlot = Slot<readonly string[]>;

export const transportRegistry = (protocol: 'http' | 'tcp'): Registry<TransportSlot> =>
  createRegistry(protocol, 'serversTransports', ({ written }) => {
    const found = written === undefined ? [] : violations(TRANSPORTS[protocol], written);
    return found.map(({ path, message }) => `${path.join('.')}: ${message}`);
  });

export function judgeTransports(slots: ReadonlyMap<string, TransportSlot>): void {
  for (const slot of slots.values()) if (slot.facts.length > 0) slot.critical = slot.facts;
}

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

export function finishSlots<T>(slots: ReadonlyMap<string, Slot>, { finish, done }: Finisher<T>): Objects<T> {
  for (const slot of slots.values()) {
    const { key, owner, written } = slot;
    const config = (written === undefined ? BROKEN : wholeNames(written, owner)) as T;
    finish(slot, key, owner.name, owner.provider, config, undefined, config === written ? undefined : written);
  }
  return done();
}

const BROKEN: object = Object.freeze({});

/** Routers and their parts, and those that were refused. */
export function finishRouters<T>(
  entries: readonly RouterEntry<T>[],
  slots: ReadonlyMap<string, Slot>,
  broken: T,
  { finish, has, done }: Finisher<T>,
): Objects<T> {
  for (const entry of entries) {
    let { key, name } = entry;
    // `web-r` may be a router of its own and a part of the router `r`.
    for (let n = 2; entry.isPart && (slots.has(key) || has(key)); n++) {
      name = `${entry.name}-${n}`;
      key = `${name}@${entry.provider}`;
    }
    finish(entry, key, name, entry.provider, entry.config, entry.using, entry.part.written);
  }
  for (const slot of slots.values())
    if (slot.rejected !== undefined) finish(slot, slot.key, slot.owner.name, slot.owner.provider, broken, NOWHERE, undefined);
  return done();
}

const NOWHERE: readonly string[] = Object.freeze([]);

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
