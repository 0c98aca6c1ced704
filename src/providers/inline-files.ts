import { readFile, stat } from 'node:fs/promises';
import { ConfigError } from '../base/errors.ts';
import type { Schema } from '../base/schema.ts';
import type { DynamicConfiguration } from '../config/dynamic.ts';
import { dynamicConfiguration } from '../config/dynamic.ts';

export interface Inlined {
  readonly configuration: DynamicConfiguration;
  /** Objects that name a file which cannot be read; they are left out. */
  readonly problems: readonly ConfigError[];
  /** Names of no file, taken for content. */
  readonly warnings: readonly ConfigError[];
  /** Every file that was read or looked for. */
  readonly paths: readonly string[];
}

interface Walk {
  readonly problems: ConfigError[];
  readonly warnings: ConfigError[];
  readonly paths: Set<string>;
  readonly source: string;
}

const LEFT_OUT = Symbol('left out');

/** Puts the content of a file in the place of its name, wherever an option takes either. `source` is the file that is read. */
export async function inlineFiles(configuration: DynamicConfiguration, source: string): Promise<Inlined> {
  const walk: Walk = { problems: [], warnings: [], paths: new Set(), source };
  const inlined = await inlineNode(dynamicConfiguration, configuration, [], walk);
  return { configuration: inlined as DynamicConfiguration, problems: walk.problems, warnings: walk.warnings, paths: [...walk.paths] };
}

const holdsFiles = new Map<Schema, boolean>();

/** Whether an option of this kind can name a file. */
function canHoldFiles(schema: Schema): boolean {
  let holds = holdsFiles.get(schema);
  if (holds === undefined) {
    holdsFiles.set(schema, false);
    const inner = [...Object.values(schema.fields ?? {}), ...(schema.items === undefined ? [] : [schema.items])];
    holds = schema.fileOrContent === true || inner.some(canHoldFiles);
    holdsFiles.set(schema, holds);
  }
  return holds;
}

async function inlineNode(schema: Schema, value: unknown, path: readonly string[], walk: Walk): Promise<unknown> {
  if (value === undefined || value === null || !canHoldFiles(schema)) return value;
  switch (schema.kind) {
    case 'list':
      return inlineList(schema, value as unknown[], path, walk);
    case 'map':
    case 'object':
      return inlineFields(schema, value as Record<string, unknown>, path, walk);
    default:
      return inlineText(value as string, path, walk);
  }
}

async function inlineList(schema: Schema, list: unknown[], path: readonly string[], walk: Walk): Promise<unknown> {
  const result: unknown[] = [];
  for (const [index, item] of list.entries()) {
    const inlined = await inlineNode(schema.items!, item, [...path.slice(0, -1), `${path.at(-1)}[${index}]`], walk);
    if (inlined !== LEFT_OUT) result.push(inlined);
    else if (!schema.isolate) return LEFT_OUT;
  }
  return result;
}

async function inlineFields(schema: Schema, tree: Record<string, unknown>, path: readonly string[], walk: Walk): Promise<unknown> {
  const result: Record<string, unknown> = { ...tree };
  for (const [name, value] of Object.entries(tree)) {
    const field = schema.kind === 'map' ? schema.items! : schema.fields![name];
    if (field === undefined) continue;
    const inlined = await inlineNode(field, value, [...path, name], walk);
    if (inlined !== LEFT_OUT) result[name] = inlined;
    else if (schema.isolate) delete result[name];
    else return LEFT_OUT;
  }
  return result;
}

async function inlineText(text: string, path: readonly string[], walk: Walk): Promise<string | typeof LEFT_OUT> {
  if (text === '' || text.includes('\n') || text.includes('\0')) return text;
  const place = { source: walk.source, object: path.slice(0, 3).join('.') };
  const option = path.slice(3).join('.');
  walk.paths.add(text);
  try {
    await stat(text);
  } catch {
    const message = `${option === '' ? 'the value' : option} names no file and is taken for content`;
    if (text.includes('/')) walk.warnings.push(new ConfigError('config.io', message, place));
    return text;
  }
  try {
    return await readFile(text, 'utf8');
  } catch (error) {
    walk.problems.push(new ConfigError('config.io', `${option} cannot be read: ${(error as Error).message}`, place));
    return LEFT_OUT;
  }
}
