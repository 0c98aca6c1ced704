import { encode } from '../base/encode.ts';
import { ConfigError } from '../base/errors.ts';
import type { Schema } from '../base/schema.ts';
import { type DynamicConfiguration, dynamicConfiguration } from '../config/dynamic.ts';
import type { FoldNote } from '../config/fold.ts';
import { decodeKeys, encodeKeys, type Pair } from '../config/keys.ts';
import { meaningOf } from './meaning.ts';
import type { SourceMessage } from './sources/read.ts';
import type { Translation } from './targets/target.ts';

/** An object as it stands in a store: its keys without root, and their values. */
export type KeyRecord = Readonly<Record<string, string>>;

/** Kinds of objects by section, lower-case name → name. */
const KINDS = new Map(
  Object.entries(dynamicConfiguration.fields!).map(([section, { fields }]) => [
    section,
    new Map(Object.entries(fields!).map(([kind, schema]) => [kind.toLowerCase(), { kind, schema }])),
  ]),
);

/**
 * The object that a key (without root) belongs to: `http.routers.blog`, `tls.certificates`. A key that is of none, as one of the
 * static configuration, is an object by itself: `keys.entrypoints/web/address`.
 */
export function objectOfKey(key: string): string {
  let id = known.get(key);
  if (id !== undefined) return id;
  id = findObject(key);
  // While a source is followed, the same keys come again and again.
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(key, id);
  return id;
}

const known = new Map<string, string>();
const MAX_KNOWN = 200_000;

function findObject(key: string): string {
  const parts = key.split('/').filter((part) => part !== '');
  const section = parts[0]?.toLowerCase() ?? '';
  const kind = KINDS.get(section)?.get(parts[1]?.toLowerCase() ?? '');
  if (kind?.schema.kind === 'list') return `${section}.${kind.kind}`;
  return kind === undefined || parts[2] === undefined ? `keys.${key}` : `${section}.${kind.kind}.${parts[2]}`;
}

/** `http.routers.a.b` has the name `a.b`; lists have none. */
export function pathOf(id: string): [section: string, kind: string, name: string | undefined] {
  const [section = '', kind = ''] = id.split('.', 2);
  const length = section.length + 1 + kind.length;
  return [section, kind, id.length > length ? id.slice(length + 1) : undefined];
}

/** The keys of all that the sources say, by object. What stands there as keys is kept as it is written. */
export function toKeyRecords({ configuration, keys, problems }: SourceMessage): Translation {
  const made = new Map<string, Record<string, string>>();
  const encoded = encodeKeys(withoutKeys(configuration, keys), ROOT);
  for (const [key, value] of encoded.pairs) {
    const id = objectOfKey(key.slice(ROOT.length + 1));
    let record = made.get(id);
    if (record === undefined) made.set(id, (record = {}));
    record[key.slice(ROOT.length + 1)] = value;
  }
  const broken = [...problems, ...encoded.problems];
  // A problem of a router of an entry point is told of `web-blog@file`, which is why all parts of a name count.
  const held = new Set(
    broken.flatMap(({ place }) => (place.object === undefined ? [] : [place.object, place.object.replace(/@[^@]*$/, '')])),
  );
  const entries = made.size + held.size === 0 ? keys : new Map([...keys, ...made].filter(([id]) => !held.has(id)));
  return {
    entries,
    notes: ownOptions(configuration, keys),
    problems: encoded.problems,
    held,
    isPartial: problems.some(({ place }) => place.object === undefined),
  };
}

/** Options that only Edgeway has: Traefik refuses all keys for one that it does not know. */
function ownOptions(configuration: DynamicConfiguration, keys: SourceMessage['keys']): FoldNote[] {
  const notes: FoldNote[] = [];
  for (const [section, kinds] of Object.entries(configuration as Tree))
    for (const [kind, objects] of Object.entries(kinds)) {
      const fields = Object.entries(KINDS.get(section)?.get(kind.toLowerCase())?.schema.items?.fields ?? {});
      const own = fields.filter(([, field]) => field.own).map(([name]) => name);
      if (own.length === 0) continue;
      for (const name of Object.keys(objects)) {
        const object = (objects as Record<string, Record<string, unknown>>)[name]!;
        for (const option of own) {
          if (object[option] === undefined) continue;
          const id = `${section}.${kind}.${name}`;
          const message = keys.has(id)
            ? `${option} is known to Edgeway only: a Traefik that reads this store refuses all its keys`
            : `${option} is known to Edgeway only and stays out of stores; write it as a key where no Traefik reads them`;
          notes.push({ object: id, message });
        }
      }
    }
  return notes;
}

const ROOT = 'traefik';

type Tree = Record<string, Record<string, Record<string, unknown> | readonly unknown[]>>;

function withoutKeys(configuration: DynamicConfiguration, keys: ReadonlyMap<string, unknown>): DynamicConfiguration {
  if (countObjects(configuration as Tree) === countObjectKeys(keys)) return {};
  const result: Tree = {};
  for (const [section, kinds] of Object.entries(configuration as Tree)) {
    result[section] = {};
    for (const [kind, objects] of Object.entries(kinds)) {
      if (!Array.isArray(objects))
        result[section][kind] = Object.fromEntries(Object.entries(objects).filter(([name]) => !keys.has(`${section}.${kind}.${name}`)));
      else if (!keys.has(`${section}.${kind}`)) result[section][kind] = objects;
    }
  }
  return result as DynamicConfiguration;
}

/** Every object of `keys` is one of the configuration: where they are as many, nothing is left. */
function countObjectKeys(keys: ReadonlyMap<string, unknown>): number {
  let count = 0;
  for (const id of keys.keys()) if (!id.startsWith('keys.')) count++;
  return count;
}

function countObjects(configuration: Tree): number {
  let count = 0;
  for (const kinds of Object.values(configuration))
    for (const objects of Object.values(kinds)) count += Array.isArray(objects) ? 1 : Object.keys(objects).length;
  return count;
}

/** The object that these keys mean; undefined when they mean none. */
function objectOf(id: string, record: KeyRecord): { readonly config: object; readonly schema: Schema } | undefined {
  const [section, kind, name] = pathOf(id);
  const schema = KINDS.get(section)?.get(kind.toLowerCase())?.schema;
  if (schema === undefined) return undefined;
  const pairs = Object.entries(record).map(([key, value]): Pair => [`${ROOT}/${key}`, value]);
  const found = (decodeKeys(ROOT, pairs).configuration as Tree)[section]?.[kind];
  if (name === undefined) return Array.isArray(found) ? { config: found, schema } : undefined;
  const config = (found as Record<string, object> | undefined)?.[name];
  return config === undefined ? undefined : { config, schema: schema.items! };
}

/** In a few words, or the keys where nobody can read them. */
export function meaningOfRecord(id: string, record: KeyRecord): string {
  const found = objectOf(id, record);
  if (found === undefined) return id.startsWith('keys.') ? Object.values(masked(record)).join(', ') : 'cannot be read';
  return Array.isArray(found.config) ? `${found.config.length}` : meaningOf(pathOf(id)[1], found.config);
}

/** The object as files have it, secrets as `***`; else its keys. */
export function viewOfRecord(id: string, record: KeyRecord): unknown {
  const found = objectOf(id, record);
  return found === undefined ? masked(record) : encode(found.schema, found.config, () => '***');
}

/** Of keys that no schema is known for, all that may be a secret. */
const masked = (record: KeyRecord): KeyRecord =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, MAY_BE_SECRET.test(key) ? '***' : value]));
const MAY_BE_SECRET = /password|secret|token|credential|users|key\w*$/i;

/** What a root has that cannot be one of keys. */
export function checkRoot(root: string): string {
  if (/^[^/\s][^\s]*[^/\s]$|^[^/\s]$/.test(root) && !root.startsWith('edgeway/')) return root;
  throw new ConfigError('config.bad-value', `'${root}' is no root of keys; write a name without slash at its ends, as traefik`);
}
