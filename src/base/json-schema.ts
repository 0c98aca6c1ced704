import { formatDuration } from './duration.ts';
import type { Schema } from './schema.ts';

type JsonSchema = Record<string, unknown>;

/**
 * JSON Schema (2020-12) of a schema, for editors: what the decoder accepts in documents, and what one would write. Letter case of
 * names, which the decoder does not heed, and spellings like `t` for true are left out.
 */
export function jsonSchema(schema: Schema): JsonSchema {
  const common: JsonSchema = { description: schema.summary };
  if (schema.deprecated !== undefined) common.deprecated = true;
  if (schema.default !== undefined && schema.kind !== 'object') common.default = defaultValue(schema);
  switch (schema.kind) {
    case 'string':
      return schema.values === undefined ? { ...common, type: ['string', 'number', 'boolean'] } : { ...common, enum: schema.values };
    case 'boolean':
      return { ...common, enum: [true, false, 'true', 'false'] };
    case 'integer':
      return { ...common, type: ['integer', 'string'], pattern: '^[+-]?[0-9]+$' };
    case 'number':
      return { ...common, type: ['number', 'string'] };
    case 'duration':
      return { ...common, type: ['string', 'integer'], pattern: DURATION };
    case 'list':
      return listSchema(schema, common);
    case 'map':
      return { ...common, type: 'object', minProperties: 1, additionalProperties: entrySchema(jsonSchema(schema.items!)) };
    case 'object':
      return objectSchema(schema, common);
    case 'any':
      return common;
  }
}

function defaultValue({ kind, default: value }: Schema): unknown {
  if (kind === 'duration') return formatDuration(value as number);
  return typeof value === 'bigint' ? value.toString() : value;
}

/** Go's text, or digits alone for seconds. */
const DURATION = '^[+-]?([0-9]+|(([0-9]+\\.?[0-9]*|\\.[0-9]+)(ns|us|µs|ms|s|m|h))+)$';

function listSchema(schema: Schema, common: JsonSchema): JsonSchema {
  const items = jsonSchema(schema.items!);
  if (schema.items!.kind === 'object') return { ...common, type: 'array', items: entrySchema(items) };
  return { ...common, anyOf: [{ type: 'array', items }, { type: 'string' }] };
}

/** An entry of a list or map may be empty where an option may not. */
const entrySchema = ({ minProperties: _, ...rest }: JsonSchema): JsonSchema => rest;

function objectSchema(schema: Schema, common: JsonSchema): JsonSchema {
  const fields = Object.entries(schema.fields!).filter(([, field]) => field.internal === undefined && !field.onlyLabels);
  const required = fields.filter(([, field]) => field.required).map(([name]) => name);
  const properties = Object.fromEntries(fields.map(([name, field]) => [name, jsonSchema(field)]));
  const object = { type: 'object', properties, ...(required.length > 0 && { required }), additionalProperties: false };
  if (!schema.presence) return { ...common, ...object, minProperties: 1 };
  return { ...common, anyOf: [object, { enum: [true, false, 'true', 'false'] }] };
}
