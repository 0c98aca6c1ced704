import { decode } from '../base/decode.ts';
import type { Schema } from '../base/schema.ts';
import { definitionOf, edgeVerdict, mayCountAtEdge, middlewaresOf, servicesOf, type Word } from './chain.ts';
import { directServerProblem } from './direct-server.ts';
import { httpRouter, httpService, serversTransport } from './dynamic.ts';
import { providerOf, qualify } from './names.ts';
import { hostsOf } from './public-hosts.ts';
import { isBroken, OBJECT_KINDS, type ObjectKind, type PublicationObjects } from './publication.ts';
import { childServices } from './references.ts';
import { checkHttpRule } from './rule/constraint.ts';
import { ruleSyntax } from './rule/rule.ts';
import type { RuntimeHttpRouter } from './runtime.ts';
import { isSealed } from './sealed.ts';
import type { ProxyRouter, ProxyService } from './snapshot.ts';

export interface Reference {
  readonly kind: ObjectKind;
  /** Qualified. */
  readonly name: string;
}

/** What is known of one published object without looking at others. */
export interface CheckedObject {
  /** Equal JSON for equal definitions; what the references mean is not in it. */
  readonly essence: unknown;
  readonly references: readonly Reference[];
  /** Decoded: a router, a service, a middleware object, a transport. Undefined when broken. */
  readonly value: object | undefined;
  /** Why nobody can use it. */
  readonly broken?: string;
  /** Services: present when folded. */
  readonly weight?: number;
  readonly stickyCookie?: string;
  readonly clientCertificate?: true;
  /** Why it cannot run at the edge, and why not even with edge.local. */
  readonly away?: string;
  readonly awayLocal?: string;
}

export type CheckedObjects = { readonly [K in ObjectKind]: ReadonlyMap<string, CheckedObject> };

const checked = new WeakMap<PublicationObjects, CheckedObjects>();

/** Judges every object of a shard alone: one that is wrong takes no other down. A shard is judged once, however many publish it. */
export function checkShard(shard: PublicationObjects): CheckedObjects {
  let result = checked.get(shard);
  if (result === undefined) {
    result = Object.fromEntries(OBJECT_KINDS.map((kind) => [kind, checkKind(kind, shard[kind])])) as unknown as CheckedObjects;
    checked.set(shard, result);
  }
  return result;
}

function checkKind(kind: ObjectKind, objects: Readonly<Record<string, object>>): Map<string, CheckedObject> {
  const result = new Map<string, CheckedObject>();
  for (const name of Object.keys(objects)) result.set(name, checkObject(kind, name, objects[name]!));
  return result;
}

/** Shared: of most objects there are very many. */
const NONE: readonly Reference[] = [];
const FOLDED = {};

function checkObject(kind: ObjectKind, name: string, object: object): CheckedObject {
  const failed = (broken: string): CheckedObject => ({ essence: object, references: NONE, value: undefined, broken });
  if (isBroken(object)) return failed(String(object.broken));
  if (providerOf(name) === 'internal') return failed('What is internal to an agent is never published');
  try {
    return CHECKS[kind](name, object as Record<string, unknown>);
  } catch (error) {
    return failed((error as Error).message);
  }
}

const CHECKS: Record<ObjectKind, (name: string, object: Record<string, unknown>) => CheckedObject> = {
  routers: checkRouter,
  services: checkService,
  middlewares: checkMiddleware,
  serversTransports: (_name, { config }) => {
    const value = read(serversTransport, config) as object;
    return { essence: value, references: NONE, value };
  },
};

/** Decodes. Throws an Error with all problems, in the words that an operator needs. */
function read(schema: Schema, config: unknown): unknown {
  const sealing = sealingProblem(schema, config);
  if (sealing !== undefined) throw new Error(sealing);
  const { value, problems } = decode(withoutSecretChecks(schema), config, 'machine');
  if (value === undefined || problems.length > 0)
    throw new Error(problems.map(({ path, message }) => `${path.join('.')} ${message}`.trim()).join('; ') || 'is empty');
  return value;
}

const SCHEMES = new Set(['http', 'https']);

function checkRouter(_name: string, object: Record<string, unknown>): CheckedObject {
  const value = readRouter(object.config);
  const { middlewares, service, parentRefs = [] } = value;
  const references = middlewares
    .map((name): Reference => ({ kind: 'middlewares', name }))
    .concat(service === '' ? NONE : { kind: 'services', name: service }, parentRefs.length === 0 ? NONE : parentRefs.map(routerNamed));
  if (object.clientCertificate !== true) return { essence: value, references, value };
  return { essence: [value, true], references, value, clientCertificate: true };
}

const routerNamed = (name: string): Reference => ({ kind: 'routers', name });

/** With TLS, which at the edge is a question of the entry point. */
const TLS = {};

/** As it stands in the snapshot when all names stay as they are and it is on one entry point. */
function readRouter(config: unknown): ProxyRouter {
  const decoded = read(httpRouter, config) as Partial<RuntimeHttpRouter>;
  const { entryPoints = [], middlewares = [], parentRefs = [], service = '', rule = '', priority = 0 } = decoded;
  const strange = entryPoints.find((entryPoint) => !SCHEMES.has(entryPoint));
  if (strange !== undefined) throw new Error(`'${strange}' is no entry point of the edge; http and https are`);
  if (entryPoints.length === 0 && parentRefs.length === 0) throw new Error('The router is on no entry point');
  checkHttpRule(rule, ruleSyntax(decoded.ruleSyntax));
  const hosts = parentRefs.length === 0 ? hostsOf(decoded) : undefined;
  const isSecure = entryPoints.length === 1 && entryPoints[0] === 'https';
  const value: { -readonly [K in keyof ProxyRouter]: ProxyRouter[K] } = Object.assign(decoded, {
    entryPoints,
    middlewares,
    service,
    rule,
    priority,
  });
  if (hosts !== undefined) value.hosts = hosts;
  if (isSecure) value.tls = TLS as ProxyRouter['tls'];
  return value;
}

function checkService(name: string, { config, folded }: Record<string, unknown>): CheckedObject {
  if (folded !== undefined) return checkFolded(folded as Record<string, unknown>);
  const value = read(httpService, config) as ProxyService;
  const problem = (value.loadBalancer?.servers ?? []).map(({ url }) => directServerProblem(url ?? '')).find((text) => text !== undefined);
  if (problem !== undefined) throw new Error(problem);
  const provider = providerOf(name);
  const transport = value.loadBalancer?.serversTransport;
  return {
    essence: value,
    references: [
      ...childServices(value).map((child) => ({ kind: 'services' as const, name: qualify(child, provider) })),
      ...(value.middlewares ?? []).map((child) => ({ kind: 'middlewares' as const, name: qualify(child, provider) })),
      ...(transport === undefined || transport === '' ? [] : [{ kind: 'serversTransports' as const, name: qualify(transport, provider) }]),
    ],
    value,
  };
}

function checkFolded({ weight, stickyCookie, digest }: Record<string, unknown>): CheckedObject {
  if (typeof weight !== 'number' || !Number.isInteger(weight) || weight < 0)
    throw new Error(`The weight ${String(weight)} is no whole number`);
  if (typeof digest !== 'string') throw new Error('The service has no fingerprint');
  if (typeof stickyCookie !== 'string') return { essence: digest, references: NONE, value: FOLDED, weight };
  return { essence: [digest, stickyCookie], references: NONE, value: FOLDED, weight, stickyCookie };
}

function checkMiddleware(name: string, { kind, options, withheld, digest }: Record<string, unknown>): CheckedObject {
  if (typeof kind !== 'string') throw new Error('The middleware has no kind');
  const reason = typeof withheld === 'string' ? withheld : undefined;
  const atAgent = (why: string): CheckedObject => ({
    essence: { kind, digest: digest ?? options },
    references: NONE,
    value: {},
    away: why,
    awayLocal: why,
  });
  if (options === undefined) {
    if (reason === undefined) throw new Error('The middleware has no options');
    return atAgent(reason);
  }
  const definition = definitionOf(kind);
  if (definition === undefined) return atAgent(`the Worker does not know '${kind}'; update it`);
  const word: Word = { kind, options: read(definition.options, options) };
  return {
    essence: { kind, digest: digest ?? word.options },
    references: [
      ...middlewaresOf(name, word).map((child) => ({ kind: 'middlewares' as const, name: child })),
      ...servicesOf(name, word).map((child) => ({ kind: 'services' as const, name: child })),
    ],
    value: { [kind]: word.options },
    ...judge(word, reason),
  };
}

/** The publisher saw the secrets and the hub does not, so its verdict counts; the hub's own counts where it is stricter. */
function judge(word: Word, withheld: string | undefined): { away?: string; awayLocal?: string } {
  const verdict = withheld ?? edgeVerdict(word);
  if (verdict === true) return {};
  return { away: verdict, ...(!mayCountAtEdge(word) && { awayLocal: verdict }) };
}

/** A secret in the clear, or a text that only looks like a sealed one, which no reader could open. */
function sealingProblem(schema: Schema, value: unknown, secret = false): string | undefined {
  const hidden = secret || schema.secret === true;
  if (typeof value === 'string') {
    if (hidden && value !== '' && !isSealed(value)) return 'A secret was published in the clear; update the agent';
    if (!hidden && isSealed(value)) return `A text begins with '${value.slice(0, 7)}', which marks sealed secrets`;
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  if (Array.isArray(value)) {
    for (const item of value) {
      const problem = sealingProblem(schema.items ?? ANY, item, hidden);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }
  for (const name in value) {
    const inner = schema.kind === 'map' ? schema.items : schema.fields?.[name];
    const problem = sealingProblem(inner ?? ANY, (value as Record<string, unknown>)[name], hidden);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

const ANY: Schema = { kind: 'any', summary: '' };

const relaxed = new WeakMap<Schema, Schema>();

/** Checks of what holds a secret would judge ciphertext; the publisher has run them. */
function withoutSecretChecks(schema: Schema): Schema {
  let result = relaxed.get(schema);
  if (result !== undefined) return result;
  result = !holdsSecret(schema)
    ? schema
    : {
        ...schema,
        check: undefined,
        values: undefined,
        ...(schema.items && { items: withoutSecretChecks(schema.items) }),
        ...(schema.fields && {
          fields: Object.fromEntries(Object.entries(schema.fields).map(([name, field]) => [name, withoutSecretChecks(field)])),
        }),
      };
  relaxed.set(schema, result);
  return result;
}

const holdsSecret = (schema: Schema): boolean =>
  schema.secret === true ||
  (schema.items !== undefined && holdsSecret(schema.items)) ||
  Object.values(schema.fields ?? {}).some(holdsSecret);
