import { formatDuration } from './duration.ts';
import type { Schema } from './schema.ts';

/** One row per option for a reference page: dotted name, type, default, summary. */
export interface ReferenceRow {
  readonly name: string;
  readonly type: string;
  readonly default: string;
  readonly summary: string;
}

/** Every option below a schema that a user can write. */
export function referenceRows(schema: Schema, prefix = ''): ReferenceRow[] {
  if (schema.kind === 'map' || schema.kind === 'list') return referenceRows(schema.items!, prefix === '' ? '<name>' : prefix);
  const rows: ReferenceRow[] = [];
  for (const [key, field] of Object.entries(schema.fields ?? {})) {
    if (field.internal !== undefined) continue;
    const name = prefix === '' ? key : `${prefix}.${key}`;
    rows.push({ name, type: typeName(field), default: defaultText(field), summary: notes(field) });
    if (holdsObjects(field)) rows.push(...referenceRows(field, `${name}${below(field)}`));
  }
  return rows;
}

const holdsObjects = (schema: Schema): boolean =>
  schema.kind === 'object' || ((schema.kind === 'list' || schema.kind === 'map') && holdsObjects(schema.items!));

/** What stands between the name of a field and those of the options below it. */
function below(schema: Schema): string {
  if (schema.kind === 'list') return `[n]${below(schema.items!)}`;
  return schema.kind === 'map' ? `.<name>${below(schema.items!)}` : '';
}

function typeName(schema: Schema): string {
  if (schema.values !== undefined) return schema.values.map((value) => `\`${value}\``).join(', ');
  if (schema.kind === 'list') return `list of ${typeName(schema.items!)}`;
  if (schema.kind === 'map') return `map of ${typeName(schema.items!)}`;
  if (schema.kind === 'any') return 'anything';
  return schema.fileOrContent ? 'file or content' : schema.kind;
}

function defaultText(schema: Schema): string {
  if (schema.required) return 'required';
  if (schema.default === undefined || schema.kind === 'object') return '';
  if (Array.isArray(schema.default)) return schema.default.map((item) => `\`${item}\``).join(', ');
  return `\`${schema.kind === 'duration' ? formatDuration(schema.default as number) : String(schema.default)}\``;
}

function notes(schema: Schema): string {
  const parts = [schema.summary];
  if (schema.own) parts.push('Edgeway only.');
  if (schema.secret) parts.push('Secret.');
  if (schema.labels === false) parts.push('Not in labels.');
  if (schema.onlyLabels) parts.push('In labels only.');
  if (schema.labelName !== undefined) parts.push(`\`${schema.labelName}\` in labels, one only.`);
  if (schema.presence) parts.push('`{}` or `true` switches it on.');
  if (schema.deprecated !== undefined) parts.push(`Deprecated: ${schema.deprecated}`);
  if (schema.ignored !== undefined) parts.push(`Not acted on: ${schema.ignored}`);
  return parts.join(' ');
}
