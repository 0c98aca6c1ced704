import { formatDuration } from './duration.ts';
import type { Schema } from './schema.ts';

/** JSON Schema (2020-12) of a schema: what editors complete and check. Scalars may also be written as text, as the decoder accepts. */
export function jsonSchema(schema: Schema): Record<string, unknown> {
  const common: Record<string, unknown> = { description: schema.summary };
  if (schema.deprecated !== undefined) common.deprecated = true;
  if (schema.default !== undefined && schema.kind !== 'object') common.default = defaultValue(schema);
  switch (schema.kind) {
    case 'string':
      return { ...common, type: ['string', 'number', 'boolean'], ...(schema.values === undefined ? {} : { enum: schema.values }) };
    case 'boolean':
      return { ...common, type: ['boolean', 'string'] };
    case 'integer':
    case 'number':
      return { ...common, type: [schema.kind, 'string'] };
    case 'duration':
      return { ...common, type: ['string', 'integer'], pattern: '^[+-]?(\\d+|(\\d+\\.?\\d*(ns|us|µs|ms|s|m|h))+)$' };
    case 'list':
      return schema.items!.kind === 'object'
        ? { ...common, type: 'array', items: jsonSchema(schema.items!) }
        : { ...common, anyOf: [{ type: 'array', items: jsonSchema(schema.items!) }, { type: 'string' }] };
    case 'map':
      return { ...common, type: 'object', additionalProperties: jsonSchema(schema.items!) };
    case 'object':
      return {
        ...common,
        type: schema.presence ? ['object', 'null'] : 'object',
        properties: Object.fromEntries(Object.entries(schema.fields!).map(([name, field]) => [name, jsonSchema(field)])),
        required: Object.entries(schema.fields!)
          .filter(([, field]) => field.required)
          .map(([name]) => name),
        additionalProperties: false,
      };
    case 'any':
      return common;
  }
}

function defaultValue({ kind, default: value }: Schema): unknown {
  if (kind === 'duration') return formatDuration(value as number);
  return typeof value === 'bigint' ? value.toString() : value;
}
