import { formatDuration } from '../base/duration.ts';
import { ConfigError } from '../base/errors.ts';
import type { Schema } from '../base/schema.ts';
import { type DynamicConfiguration, dynamicConfiguration } from './dynamic.ts';

/** A text and the way to it: names of options and objects, and `[n]` for items of lists of objects. */
export interface Leaf {
  readonly path: readonly string[];
  readonly text: string;
}

/** What differs between the flat spellings. */
export interface FlatSpelling {
  readonly dialect: 'labels' | 'keys';
  /** Why a name of an object or a header cannot be written; undefined when it can. */
  readonly checkName: (name: string) => string | undefined;
  /** Why no object of this kind can have this name. */
  readonly checkObject?: (kind: string, name: string) => string | undefined;
  /** Whether a plain list is written item by item. */
  readonly indexed: boolean;
}

export interface Flattened {
  readonly leaves: readonly Leaf[];
  /** Objects that this spelling has no form for; nothing of them is written. */
  readonly problems: readonly ConfigError[];
}

/** A value that the spelling has no form for. */
class Unwritable extends Error {}

/** The texts of a configuration, object by object. */
export function flatten(configuration: DynamicConfiguration, spelling: FlatSpelling): Flattened {
  const leaves: Leaf[] = [];
  const problems: ConfigError[] = [];
  const attempt = (object: string, write: () => Leaf[]): void => {
    try {
      for (const leaf of write()) leaves.push(leaf);
    } catch (error) {
      if (!(error instanceof Unwritable)) throw error;
      problems.push(new ConfigError('config.unsupported', `cannot be written in ${spelling.dialect}: ${error.message}`, { object }));
    }
  };
  for (const [section, { fields }] of Object.entries(dynamicConfiguration.fields!)) {
    for (const [kind, schema] of Object.entries(fields!)) {
      const objects = (configuration as Record<string, Record<string, unknown> | undefined>)[section]?.[kind];
      if (objects === undefined) continue;
      const path = [section, kind];
      if (schema.kind === 'list') attempt(`${section}.${kind}`, () => writeList(schema, objects as unknown[], path, spelling));
      else writeObjects(schema, objects as Record<string, unknown>, path, spelling, attempt);
    }
  }
  return { leaves, problems };
}

function writeList(schema: Schema, items: unknown[], path: readonly string[], spelling: FlatSpelling): Leaf[] {
  if (items.length === 0) return [];
  if (refuses(schema, spelling)) throw new Unwritable('Traefik passes over it there');
  return writeItems(schema, items, path, spelling);
}

function writeObjects(
  schema: Schema,
  objects: Record<string, unknown>,
  path: readonly string[],
  spelling: FlatSpelling,
  attempt: (object: string, write: () => Leaf[]) => void,
): void {
  const seen = new Map<string, string>();
  for (const [name, object] of Object.entries(objects)) {
    attempt([...path, name].join('.'), () => {
      if (refuses(schema, spelling)) throw new Unwritable('Traefik passes over it there');
      const complaint = spelling.checkObject?.(path.join('.'), name);
      if (complaint !== undefined) throw new Unwritable(complaint);
      claim(seen, name);
      return writeEntry(schema.items!, object, [...path, checked(name, spelling)], spelling);
    });
  }
}

const refuses = (schema: Schema, { dialect }: FlatSpelling): boolean => schema.labels === false && dialect === 'labels';

function checked(name: string, spelling: FlatSpelling): string {
  const complaint = spelling.checkName(name);
  if (complaint !== undefined) throw new Unwritable(complaint);
  return name;
}

/** Flat spellings do not tell letter case apart. */
function claim(seen: Map<string, string>, name: string): void {
  const other = seen.get(name.toLowerCase());
  if (other !== undefined) throw new Unwritable(`the name differs from '${other}' in letter case only`);
  seen.set(name.toLowerCase(), name);
}

/** An entry of a map or list: it exists even without any option. */
function writeEntry(schema: Schema, value: unknown, path: readonly string[], spelling: FlatSpelling): Leaf[] {
  if (schema.kind !== 'object') return writeField(schema, value, path, spelling);
  const leaves = writeFields(schema, value as Record<string, unknown>, path, spelling);
  if (leaves.length > 0) return leaves;
  if (spelling.indexed && /^\[\d+\]$/.test(path.at(-1)!)) throw new Unwritable('an item of a list needs an option');
  return [{ path, text: '' }];
}

function writeFields(schema: Schema, value: Record<string, unknown>, path: readonly string[], spelling: FlatSpelling): Leaf[] {
  const leaves: Leaf[] = [];
  for (const [name, field] of Object.entries(schema.fields!)) {
    const item = value[name];
    if (item === undefined || item === null || field.internal === 'note') continue;
    if (field.internal === 'meaning') throw new Unwritable(`${name} is made by providers only`);
    if ((field.own || field.onlyLabels) && spelling.dialect === 'keys') continue;
    if (refuses(field, spelling)) throw new Unwritable(`Traefik passes over ${name} there`);
    const word = spelling.dialect === 'labels' ? (field.labelName ?? name) : name;
    for (const leaf of writeField(field, item, [...path, word], spelling)) leaves.push(leaf);
  }
  return leaves;
}

function writeField(schema: Schema, value: unknown, path: readonly string[], spelling: FlatSpelling): Leaf[] {
  switch (schema.kind) {
    case 'object':
      return writeSwitch(schema, value as Record<string, unknown>, path, spelling);
    case 'list':
      return schema.items!.kind === 'object'
        ? writeItems(schema, value as unknown[], path, spelling)
        : writeTexts(schema, value as unknown[], path, spelling);
    case 'map':
      return writeMap(schema, value as Record<string, unknown>, path, spelling);
    case 'any':
      return writeRaw(value, path, spelling);
    case 'duration':
      return [{ path, text: formatDuration(value as number) }];
    default:
      return [{ path, text: String(value) }];
  }
}

function writeSwitch(schema: Schema, value: Record<string, unknown>, path: readonly string[], spelling: FlatSpelling): Leaf[] {
  const leaves = writeFields(schema, value, path, spelling);
  if (leaves.length > 0) return leaves;
  if (!schema.presence) {
    if (schema.default !== undefined) return [];
    throw new Unwritable(`${path.at(-1)} has no options`);
  }
  if (schema.presence === 'not in keys' && spelling.dialect === 'keys')
    throw new Unwritable(`Traefik refuses ${path.at(-1)} without options`);
  return [{ path, text: 'true' }];
}

function writeItems(schema: Schema, items: readonly unknown[], path: readonly string[], spelling: FlatSpelling): Leaf[] {
  if (spelling.dialect === 'labels' && schema.labelName !== undefined) {
    if (items.length > 1) throw new Unwritable(`${path.at(-1)} can be written once only`);
    const leaves = items.flatMap((item) => writeFields(schema.items!, item as Record<string, unknown>, path, spelling));
    if (items.length > 0 && leaves.length === 0) throw new Unwritable(`${path.at(-1)} needs an option`);
    return leaves;
  }
  if (items.length === 0) return [{ path, text: '' }];
  return items.flatMap((item, index) => writeEntry(schema.items!, item, [...path, indexOf(index, items.length)], spelling));
}

/** Indexes are read in the order of their text. */
const indexOf = (index: number, length: number): string => `[${String(index).padStart(String(length - 1).length, '0')}]`;

function writeTexts(schema: Schema, items: readonly unknown[], path: readonly string[], spelling: FlatSpelling): Leaf[] {
  const texts = items.map((item) => (schema.items!.kind === 'duration' ? formatDuration(item as number) : String(item)));
  if (texts.length === 0) {
    if (schema.default === undefined || (schema.default as unknown[]).length === 0) return [{ path, text: '' }];
    throw new Unwritable(`an empty list ${path.at(-1)} would stand for its default`);
  }
  const odd = texts.find((text) => text.includes(',') || text !== text.trim());
  if (odd !== undefined)
    throw new Unwritable(`${schema.secret ? 'an item' : `'${odd}'`} of ${path.at(-1)} has a comma or blanks around it`);
  if (texts.length === 1 && texts[0] === '') throw new Unwritable(`${path.at(-1)} has an empty item only`);
  if (!spelling.indexed) return [{ path, text: texts.join(',') }];
  return texts.map((text, index) => ({ path: [...path, indexOf(index, texts.length)], text }));
}

function writeMap(schema: Schema, map: Record<string, unknown>, path: readonly string[], spelling: FlatSpelling): Leaf[] {
  const leaves: Leaf[] = [];
  const seen = new Map<string, string>();
  for (const [name, value] of Object.entries(map)) {
    claim(seen, name);
    const words = schema.items!.kind === 'string' && spelling.dialect === 'labels' ? name.split('.') : [name];
    for (const word of words) checked(word, spelling);
    for (let length = 1; length < words.length; length++)
      if (seen.has(words.slice(0, length).join('.').toLowerCase())) throw new Unwritable(`'${name}' stands below another name`);
    for (const leaf of writeEntry(schema.items!, value, [...path, ...words], spelling)) leaves.push(leaf);
  }
  return leaves;
}

/** Options that no schema describes; numbers and switches are read back as texts. */
function writeRaw(value: unknown, path: readonly string[], spelling: FlatSpelling): Leaf[] {
  if (Array.isArray(value)) {
    if (spelling.indexed && value.some((item) => typeof item !== 'object'))
      throw new Unwritable(`the list ${path.at(-1)} would become one text`);
    return value.flatMap((item, index) => writeRaw(item, [...path, indexOf(index, value.length)], spelling));
  }
  if (typeof value !== 'object' || value === null) return [{ path, text: String(value ?? '') }];
  const seen = new Map<string, string>();
  const leaves: Leaf[] = [];
  for (const [name, item] of Object.entries(value)) {
    claim(seen, name);
    for (const leaf of writeRaw(item, [...path, checked(name, spelling)], spelling)) leaves.push(leaf);
  }
  return leaves.length > 0 ? leaves : [{ path, text: '' }];
}
