import { formatDuration } from './duration.ts';
import type { Schema } from './schema.ts';

/** One row per option for a reference page: dotted name, type, default, summary. */
export interface ReferenceRow {
  readonly name: string;
  readonly type: string;
  readonly default: string;
  readonly summary: string;
}

export function referenceRows(schema: Schema, prefix = ''): ReferenceRow[] {
  if (schema.kind === 'map') return referenceRows(schema.items!, `${prefix === '' ? '' : `${prefix}.`}<name>`);
  const rows: ReferenceRow[] = [];
  for (const [key, field] of Object.entries(schema.fields ?? {})) {
    const name = prefix === '' ? key : `${prefix}.${key}`;
    rows.push({ name, type: typeName(field), default: defaultText(field), summary: notes(field) });
    if (field.kind === 'object') rows.push(...referenceRows(field, name));
    else if (field.kind === 'list' && field.items!.kind === 'object') rows.push(...referenceRows(field.items!, `${name}[n]`));
    else if (field.kind === 'map' && field.items!.kind === 'object') rows.push(...referenceRows(field.items!, `${name}.<name>`));
  }
  return rows;
}

function typeName(schema: Schema): string {
  if (schema.values !== undefined) return schema.values.map((value) => `\`${value}\``).join(', ');
  if (schema.kind === 'list') return `list of ${typeName(schema.items!)}`;
  if (schema.kind === 'map') return `map of ${typeName(schema.items!)}`;
  return schema.fileOrContent ? 'file or content' : schema.kind;
}

function defaultText(schema: Schema): string {
  if (schema.required) return 'required';
  if (schema.default === undefined || schema.kind === 'object') return '';
  const { default: value, kind } = schema;
  return `\`${kind === 'duration' ? formatDuration(value as number) : typeof value === 'bigint' ? value : JSON.stringify(value)}\``;
}

function notes(schema: Schema): string {
  const parts = [schema.summary];
  if (schema.secret) parts.push('Secret.');
  if (schema.labels === false) parts.push('Not in labels.');
  if (schema.presence) parts.push('`{}` or `true` switches it on.');
  if (schema.deprecated !== undefined) parts.push(`Deprecated: ${schema.deprecated}`);
  if (schema.ignored !== undefined) parts.push(`Not acted on yet: ${schema.ignored}`);
  return parts.join(' ');
}
