import { encodeText, sha256Hex } from '../base/bytes.ts';
import { decode } from '../base/decode.ts';
import { ConfigError } from '../base/errors.ts';
import { Secret } from '../base/log.ts';
import { type Infer, integer, map, object, oneOf, string } from '../base/schema.ts';
import { canonicalJson } from './snapshot.ts';

/**
 * What one publisher says to the hub: a manifest, and the objects in shards by hash of their names. Options stand in the spelling
 * of the file provider, so that a hub of another version decodes them with its own schema and defaults.
 */
export interface PublicationObjects {
  readonly routers: Readonly<Record<string, PublishedRouter>>;
  readonly services: Readonly<Record<string, PublishedService>>;
  readonly middlewares: Readonly<Record<string, PublishedMiddleware>>;
  readonly serversTransports: Readonly<Record<string, PublishedTransport>>;
}

/** The publisher has the object but cannot publish it: whatever needs it is refused too, and no other publisher's takes its place. */
export interface BrokenObject {
  readonly broken: string;
}

export type PublishedRouter =
  | {
      /** A router whose entry points are the schemes `http` and `https`. */
      readonly config: unknown;
      /** Its TLS options demand a client certificate. */
      readonly clientCertificate?: true;
    }
  | BrokenObject;

export type PublishedService =
  | {
      readonly config: unknown;
      /** Present when the servers stay behind the publisher's relay; `config` is empty then. */
      readonly folded?: {
        readonly weight: number;
        /** Name of the cookie that remembers the site. */
        readonly stickyCookie?: string;
        /** Fingerprint of the options without servers: services of the same name merge when it is the same. */
        readonly digest: string;
      };
    }
  | BrokenObject;

export type PublishedMiddleware =
  | {
      readonly kind: string;
      /** Absent when no published router runs the word at the edge. */
      readonly options?: unknown;
      /** Why the word cannot run at the edge; with it the fingerprint of the options. */
      readonly withheld?: string;
      readonly digest?: string;
    }
  | BrokenObject;

export type PublishedTransport = { readonly config: unknown } | BrokenObject;

/** What is published of it is a fingerprint, which tells equal values from unequal ones. */
export class Fingerprinted extends Secret {}

/** The same before sealing: secrets, and what will be a fingerprint, print as `***`. */
export interface UnsealedObjects {
  readonly routers: PublicationObjects['routers'];
  readonly services: Readonly<Record<string, { readonly config: unknown; readonly folded?: Unsealed<NonNullable<Folded>> } | BrokenObject>>;
  readonly middlewares: Readonly<Record<string, Unsealed<Exclude<PublishedMiddleware, BrokenObject>>>>;
  readonly serversTransports: PublicationObjects['serversTransports'];
}
type Folded = Exclude<PublishedService, BrokenObject>['folded'];
type Unsealed<T extends { readonly digest?: string }> = Omit<T, 'digest'> & { readonly digest?: Fingerprinted };

export const OBJECT_KINDS = ['routers', 'services', 'middlewares', 'serversTransports'] as const;
export type ObjectKind = (typeof OBJECT_KINDS)[number];

/** More are refused: the first version's limit of one publisher. */
export const MAX_ROUTERS = 10_000;
/** Shards of a publication; empty ones are left out. Bucket `n` of one publisher holds names that are in bucket `n` of every other. */
export const BUCKETS = 64;
/** UTF-8 bytes of one object's text. Larger ones are published as broken. */
export const MAX_OBJECT_BYTES = 256 * 1024;
/** UTF-8 bytes of a shard: a value of a Durable Object's SQLite may have 2 MB. */
export const MAX_SHARD_BYTES = 1_900_000;

const NAME = /^[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?$/;

/** What is wrong with a publisher's name; it stands in host names, tokens and names of objects. */
export const checkPublisherName = (name: string): string | undefined =>
  NAME.test(name) ? undefined : `'${name}' is no name of a publisher; write up to 63 small letters, digits, dots, - and _`;

const siteLink = object(
  {
    type: oneOf(['https', 'vpc', 'socket'], 'Kind of the link.', { required: true }),
    address: string('Origin of the relay, name of the binding, or empty.', {
      default: '',
    }),
  },
  'How the edge reaches the agent.',
);

const manifestSchema = object(
  {
    format: integer('Version of this format.', {
      required: true,
      check: (value) => (value === 1 ? undefined : 'is not known; update the Worker'),
    }),
    publisher: string('Who says it.', { required: true, check: checkPublisherName }),
    revision: integer('Grows with every publication of the publisher.', { required: true }),
    link: siteLink,
    forgetAfterMs: integer('How long the hub keeps what a silent agent said; 0 is for ever.', { default: 86_400_000 }),
    routers: integer('How many there are.', { required: true }),
    shards: map(string('SHA-256 of the text.'), 'By bucket.', { default: {} }),
  },
  'Manifest of a publication.',
);

/** `link` is absent when no agent stands behind the publication (kv-sync): it holds direct services only. */
export type PublicationManifest = Infer<typeof manifestSchema>;

/** What a publisher says of itself beside its objects. */
export type PublicationHead = Pick<PublicationManifest, 'publisher' | 'revision' | 'link' | 'forgetAfterMs'>;

export interface Publication {
  readonly manifest: PublicationManifest;
  /** Shard texts by hash. */
  readonly texts: ReadonlyMap<string, string>;
}

/** Throws ConfigError `config.limit` when there are too many routers. */
export async function formatPublication(objects: PublicationObjects, head: PublicationHead): Promise<Publication> {
  const routers = Object.keys(objects.routers).length;
  if (routers > MAX_ROUTERS) throw tooManyRouters(routers);
  const texts = new Map<string, string>();
  const shards: Record<string, string> = {};
  for (const [bucket, shard] of split(objects)) {
    const text = canonicalJson(shard);
    const hash = await sha256Hex(text);
    texts.set(hash, text);
    shards[bucket] = hash;
  }
  return { manifest: { format: 1, ...head, routers, shards }, texts };
}

export const tooManyRouters = (count: number): ConfigError =>
  new ConfigError(
    'config.limit',
    `${count} routers are to be published, and one publisher may have ${MAX_ROUTERS}; publish fewer entry points, or split them over several agents`,
    { object: 'edge.entryPoints' },
  );

function split(objects: PublicationObjects): Map<number, PublicationObjects> {
  const shards = new Map<number, Record<ObjectKind, Record<string, unknown>>>();
  for (const kind of OBJECT_KINDS) {
    for (const [name, object] of Object.entries(objects[kind])) {
      const bucket = bucketOf(name);
      let shard = shards.get(bucket);
      if (shard === undefined) shards.set(bucket, (shard = { routers: {}, services: {}, middlewares: {}, serversTransports: {} }));
      shard[kind][name] = limit(object);
    }
  }
  return shards as Map<number, never>;
}

function limit(object: unknown): unknown {
  const bytes = encodeText(canonicalJson(object)).length;
  if (bytes <= MAX_OBJECT_BYTES) return object;
  return { broken: `its text has ${bytes} bytes, and the edge takes ${MAX_OBJECT_BYTES} for one object` } satisfies BrokenObject;
}

/** FNV-1a. */
export function bucketOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return (hash >>> 0) % BUCKETS;
}

/** Throws ConfigError when the value is no manifest, or names more routers than allowed. */
export function parseManifest(value: unknown): PublicationManifest {
  const { value: manifest, problems } = decode(manifestSchema, withoutEmptyShards(value));
  if (manifest === undefined)
    throw new ConfigError('config.bad-value', problems.map((problem) => `${problem.path.join('.')} ${problem.message}`).join('; '), {
      object: 'manifest',
    });
  if (manifest.routers > MAX_ROUTERS) throw tooManyRouters(manifest.routers);
  for (const [bucket, hash] of Object.entries(manifest.shards))
    if (!/^\d{1,2}$/.test(bucket) || Number(bucket) >= BUCKETS || !/^[0-9a-f]{64}$/.test(hash))
      throw new ConfigError('config.bad-value', `shards.${bucket} is no shard`, { object: 'manifest' });
  return manifest;
}

/** The schema kit takes an empty map for a mistake; a publisher without a public router has one. */
function withoutEmptyShards(value: unknown): unknown {
  if (!isRecord(value) || !isRecord(value.shards) || Object.keys(value.shards).length > 0) return value;
  const { shards: _empty, ...rest } = value;
  return rest;
}

/** Throws ConfigError when the text is no shard; what stands in its objects is judged by `compileSnapshot`. */
export function parseShard(text: string): PublicationObjects {
  const value: unknown = JSON.parse(text);
  const result: Partial<Record<ObjectKind, Record<string, unknown>>> = {};
  for (const kind of OBJECT_KINDS) {
    const objects = isRecord(value) ? value[kind] : undefined;
    if (!isRecord(objects) || !Object.entries(objects).every(([name, object]) => name.includes('@') && isRecord(object)))
      throw new ConfigError('config.bad-value', `A shard has no ${kind}`, { object: 'publication' });
    result[kind] = objects;
  }
  return result as PublicationObjects;
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** All objects of several shards. */
export function joinObjects(shards: Iterable<PublicationObjects>): PublicationObjects {
  const all = { routers: {}, services: {}, middlewares: {}, serversTransports: {} };
  for (const shard of shards) for (const kind of OBJECT_KINDS) Object.assign(all[kind], shard[kind]);
  return all;
}

export const isBroken = (object: object): object is BrokenObject => 'broken' in object;
