import { formatDuration } from './duration.ts';
import type { Schema } from './schema.ts';

/**
 * The decoded value in the spelling of the file provider: durations as Go's text, 64-bit numbers as they are, nothing that is
 * undefined or a spelling of labels only. With `secrets` given, fields marked secret are replaced by what it returns (`***` for people, a JWE for KV).
 */
export function encode(schema: Schema, value: unknown, secrets?: (value: string) => unknown): unknown {
  if (value === undefined || value === null) return undefined;
  switch (schema.kind) {
    case 'duration':
      return formatDuration(value as number);
    case 'string':
      return schema.secret && secrets !== undefined && value !== '' ? secrets(value as string) : value;
    case 'integer':
      return typeof value === 'bigint' ? value.toString() : value;
    case 'list':
      return (value as unknown[]).map((item) => encode(schema.secret ? { ...schema.items!, secret: true } : schema.items!, item, secrets));
    case 'map':
      return Object.fromEntries(
        Object.entries(value as object).map(([name, item]) => [
          name,
          encode(schema.secret ? { ...schema.items!, secret: true } : schema.items!, item, secrets),
        ]),
      );
    case 'object':
      return encodeFields(schema, value as Record<string, unknown>, secrets);
    default:
      return value;
  }
}

function encodeFields(schema: Schema, value: Record<string, unknown>, secrets?: (value: string) => unknown): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  const fields = schema.fields!;
  for (const name in fields) {
    const field = fields[name]!;
    if (value[name] === undefined || field.onlyLabels) continue;
    const encoded = encode(field, value[name], secrets);
    if (encoded !== undefined) result[name] = encoded;
  }
  return result;
}
