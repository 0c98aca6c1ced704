import { decode } from '../base/decode.ts';
import type { Schema } from '../base/schema.ts';
import { definitionOf, edgeVerdict, mayCountAtEdge, middlewaresOf, servicesOf, type Word } from './chain.ts';
import { directServerProblem } from './direct-server.ts';
import { httpRouter, httpService, serversTransport } from './dynamic.ts';
import { providerOf, qualify } from './names.ts';
import { isBroken, OBJECT_KINDS, type ObjectKind, type PublicationObjects } from './publication.ts';
import { childServices } from './references.ts';
import { compileHttpRule, ruleSyntax } from './rule/rule.ts';
import type { RuntimeHttpRouter } from './runtime.ts';
import { isSealed } from './sealed.ts';
import { canonicalJson, type ProxyService } from './snapshot.ts';

export interface Reference {
  readonly kind: ObjectKind;
  /** Qualified. */
  readonly name: string;
}

/** What is known of one published object without looking at others. */
export interface CheckedObject {
  /** Equal for equal definitions; what the references mean is not in it. Made when asked for: most objects have but one publisher. */
  readonly essence: () => string;
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
  return new Map(Object.entries(objects).map(([name, object]) => [name, checkObject(kind, name, object)]));
}

function checkObject(kind: ObjectKind, name: string, object: object): CheckedObject {
  const failed = (broken: string): CheckedObject => ({ essence: () => canonicalJson(object), references: [], value: undefined, broken });
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
    return { essence: () => canonicalJson(value), references: [], value };
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
  const decoded = read(httpRouter, object.config) as Partial<RuntimeHttpRouter>;
  const { entryPoints = [], middlewares = [], parentRefs = [], service = '', rule = '', priority = 0 } = decoded;
  const strange = entryPoints.find((entryPoint) => !SCHEMES.has(entryPoint));
  if (strange !== undefined) throw new Error(`'${strange}' is no entry point of the edge; http and https are`);
  if (entryPoints.length === 0 && parentRefs.length === 0) throw new Error('The router is on no entry point');
  compileHttpRule(rule, ruleSyntax(decoded.ruleSyntax));
  const value: RuntimeHttpRouter = { ...decoded, entryPoints, middlewares, service, rule, priority };
  return {
    essence: () => canonicalJson([value, object.clientCertificate === true]),
    references: [
      ...middlewares.map((name) => ({ kind: 'middlewares' as const, name })),
      ...(service === '' ? [] : [{ kind: 'services' as const, name: service }]),
      ...parentRefs.map((name) => ({ kind: 'routers' as const, name })),
    ],
    value,
    ...(object.clientCertificate === true && { clientCertificate: true }),
  };
}

function checkService(name: string, { config, folded }: Record<string, unknown>): CheckedObject {
  if (folded !== undefined) return checkFolded(folded as Record<string, unknown>);
  const value = read(httpService, config) as ProxyService;
  const problem = (value.loadBalancer?.servers ?? []).map(({ url }) => directServerProblem(url ?? '')).find((text) => text !== undefined);
  if (problem !== undefined) throw new Error(problem);
  const provider = providerOf(name);
  const transport = value.loadBalancer?.serversTransport;
  return {
    essence: () => canonicalJson(value),
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
  const cookie = typeof stickyCookie === 'string' ? { stickyCookie } : {};
  return { essence: () => canonicalJson({ digest, ...cookie }), references: [], value: {}, weight, ...cookie };
}

function checkMiddleware(name: string, { kind, options, withheld, digest }: Record<string, unknown>): CheckedObject {
  if (typeof kind !== 'string') throw new Error('The middleware has no kind');
  const reason = typeof withheld === 'string' ? withheld : undefined;
  const atAgent = (why: string): CheckedObject => ({
    essence: () => canonicalJson({ kind, digest: digest ?? options }),
    references: [],
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
    essence: () => canonicalJson({ kind, digest: digest ?? word.options }),
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
  for (const [name, item] of Object.entries(value)) {
    const inner = Array.isArray(value) || schema.kind === 'map' ? schema.items : schema.fields?.[name];
    const problem = sealingProblem(inner ?? ANY, item, hidden);
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
