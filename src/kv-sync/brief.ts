import { isDeepStrictEqual } from 'node:util';
import { decode, defaultsOf } from '../base/decode.ts';
import { encode } from '../base/encode.ts';
import type { Schema } from '../base/schema.ts';
import { type DynamicConfiguration, dynamicConfiguration } from '../config/dynamic.ts';

/** The configuration in the spelling of the file provider, without what is said by saying nothing; all of it where that would read otherwise. */
export function encodeBriefly(configuration: DynamicConfiguration): unknown {
  const brief = encode(dynamicConfiguration, withoutDefaults(dynamicConfiguration, configuration));
  const { value, problems } = decode(dynamicConfiguration, brief, 'document');
  return problems.length === 0 && isDeepStrictEqual(plain(value), plain(configuration))
    ? brief
    : encode(dynamicConfiguration, configuration);
}

/** Trees that were read have no prototype. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value, (_, item) => (typeof item === 'bigint' ? `${item}n` : item)));

function withoutDefaults(schema: Schema, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (schema.kind === 'list') return (value as unknown[]).map((item) => withoutDefaults(schema.items!, item));
  if (schema.kind === 'map') return mapValues(value, (item) => withoutDefaults(schema.items!, item));
  if (schema.kind !== 'object') return value;
  const result: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(schema.fields!)) {
    const item = (value as Record<string, unknown>)[name];
    if (item === undefined || (field.default !== undefined && isDeepStrictEqual(plain(item), plain(defaultOf(field))))) continue;
    const brief = withoutDefaults(field, item);
    // An object without options is refused where it has no meaning of its own.
    const isHollow = field.kind === 'object' && !field.presence && Object.keys(brief as object).length === 0;
    result[name] = isHollow ? item : brief;
  }
  return result;
}

const defaultOf = (schema: Schema): unknown =>
  schema.kind === 'object' ? { ...(defaultsOf(schema) as object), ...(schema.default as object) } : schema.default;

const mapValues = (value: object, change: (item: unknown) => unknown): object =>
  Object.fromEntries(Object.entries(value).map(([name, item]) => [name, change(item)]));
