import { ConfigError } from '../base/errors.ts';
import type { TreePath } from './load.ts';
import { parseToml } from './toml.ts';
import { parseYaml } from './yaml.ts';

export type Format = 'yaml' | 'toml' | 'json';

/** A text that was read: a tree of null-prototype objects, arrays and scalars. */
export interface Document {
  readonly tree: Record<string, unknown>;
  /** File name or address, for places. */
  readonly source: string;
  /** 1-based line where the node, or the nearest node above it, begins; undefined for the root. */
  lineOf(path: TreePath): number | undefined;
}

/** Reads a text as Traefik reads files. An empty text is an empty tree. Throws ConfigError (config.syntax, config.limit) with the line. */
export function parseDocument(text: string, format: Format, source: string): Document {
  if (format === 'toml') return parseToml(text, source);
  if (format === 'json') checkJson(text, source);
  return parseYaml(text, source);
}

/** The format that a file's extension stands for; undefined for others than .yml, .yaml, .toml, .json (in any case). */
export function formatOf(name: string): Format | undefined {
  const extension = /\.([^./\\]+)$/.exec(name)?.[1]?.toLowerCase();
  if (extension === 'yml' || extension === 'yaml') return 'yaml';
  return extension === 'toml' || extension === 'json' ? extension : undefined;
}

function checkJson(text: string, source: string): void {
  if (text.trim() === '') return;
  try {
    JSON.parse(text);
  } catch (error) {
    const position = /position (\d+)/.exec((error as Error).message)?.[1];
    const line = position === undefined ? undefined : text.slice(0, Number(position)).split('\n').length;
    // The engine quotes the text around it, which may be a password.
    const what = (error as Error).message.replace(/, (?:\.\.\.)?"[\s\S]*$/, '');
    throw new ConfigError('config.syntax', `The text is not valid JSON: ${what}`, { source, line });
  }
}
