import { nearest } from './errors.ts';
import type { Problem } from './reading.ts';
import type { Schema } from './schema.ts';

/**
 * What keeps a decoded value from being used: texts outside of a closed set that reading let through because Traefik shows such
 * objects instead of refusing them (`strategy: fastest`). Whoever builds configuration in force disables the object.
 */
export function violations(schema: Schema, value: unknown): Problem[] {
  const problems: Problem[] = [];
  walk(schema, value, [], problems);
  return problems;
}

const concerned = new WeakMap<Schema, readonly (readonly [string, Schema])[]>();

/** Fields (or items, under an empty name) below which anything can be broken; most option sets have none, and are not walked. */
function concerns(schema: Schema): readonly (readonly [string, Schema])[] {
  let known = concerned.get(schema);
  if (known === undefined) {
    const below: [string, Schema][] = schema.items === undefined ? Object.entries(schema.fields ?? {}) : [['', schema.items]];
    known = below.filter(([, field]) => field.open === 'broken' || concerns(field).length > 0);
    concerned.set(schema, known);
  }
  return known;
}

function walk(schema: Schema, value: unknown, path: readonly (string | number)[], problems: Problem[]): void {
  if (value === undefined || value === null || (schema.open !== 'broken' && concerns(schema).length === 0)) return;
  if (schema.open === 'broken' && value !== '' && !schema.values!.includes(value as string)) {
    const near = nearest(value as string, schema.values!);
    const hint = near === undefined ? `write one of ${schema.values!.join(', ')}` : `did you mean '${near}'?`;
    problems.push({ code: 'bad-value', path, message: `'${value}' is unknown; ${hint}` });
  } else if (schema.kind === 'list') {
    for (const [index, item] of (value as unknown[]).entries()) walk(schema.items!, item, [...path, index], problems);
  } else if (schema.kind === 'map') {
    for (const [name, item] of Object.entries(value)) walk(schema.items!, item, [...path, name], problems);
  } else if (schema.kind === 'object') {
    for (const [name, field] of concerns(schema)) walk(field, (value as Record<string, unknown>)[name], [...path, name], problems);
  }
}
