import { encode } from '../base/encode.ts';
import type { Schema } from '../base/schema.ts';
import { type DynamicConfiguration, dynamicConfiguration } from './dynamic.ts';
import { type Loaded, loadTree } from './load.ts';

/** JSON that `parseDynamic` reads back as the same configuration, secrets and what only providers set included. */
export const formatDynamic = (configuration: DynamicConfiguration): string => formatFields(dynamicConfiguration, configuration);

function formatFields(schema: Schema, value: object): string {
  const fields = Object.entries(value).filter(([name, field]) => field !== undefined && schema.fields![name] !== undefined);
  return `{${fields.map(([name, field]) => `"${name}":${formatField(schema.fields![name]!, field)}`).join(',')}}`;
}

function formatField(schema: Schema, value: object): string {
  if (schema.kind === 'object') return formatFields(schema, value);
  if (schema.kind !== 'map') return stringify(schema, value);
  return `{${Object.entries(value)
    .map(([name, object]) => `${JSON.stringify(name)}:${formatObject(schema.items!, object)}`)
    .join(',')}}`;
}

/** Most objects stay the same references when some change: 10,000 routers and services cost 160 ms anew, 15 ms again. */
const texts = new WeakMap<object, string>();

function formatObject(schema: Schema, object: object): string {
  let text = texts.get(object);
  if (text === undefined) texts.set(object, (text = stringify(schema, object)));
  return text;
}

const INTEGER = '$integer';

/** Only options without a schema (of plugins) still have bigints when they are encoded. */
function stringify(schema: Schema, value: unknown): string {
  const encoded = encode(schema, value);
  try {
    return JSON.stringify(encoded);
  } catch {
    return JSON.stringify(encoded, (_, item) => (typeof item === 'bigint' ? { [INTEGER]: String(item) } : item));
  }
}

/** Objects that this version cannot read are left out, each with its problem. `source` is where the text stands. Throws SyntaxError. */
export function parseDynamic(text: string, source: string): Loaded {
  const tree: unknown = text.includes(`"${INTEGER}"`) ? JSON.parse(text, readInteger) : JSON.parse(text);
  if (typeof tree !== 'object' || tree === null || Array.isArray(tree)) throw new SyntaxError('There is no object');
  return loadTree(tree as Record<string, unknown>, 'machine', () => ({ source }));
}

function readInteger(_: string, value: unknown): unknown {
  const digits = (value as Record<string, unknown> | null)?.[INTEGER];
  return typeof digits === 'string' && /^-?\d+$/.test(digits) ? BigInt(digits) : value;
}
