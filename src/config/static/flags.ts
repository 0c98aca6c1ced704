import { ConfigError } from '../../base/errors.ts';
import type { Schema } from '../../base/schema.ts';
import { schemaAt, type Tree, treeOf } from './tree.ts';

export interface ReadFlags {
  /** What the flags say, without `--configFile`. */
  readonly tree: Tree;
  /** True when any flag was given, also an empty one. */
  readonly any: boolean;
  readonly configFile: string | undefined;
  readonly problems: readonly ConfigError[];
}

/**
 * `--a.b.c=value`, `--a.b.c value`, `--switch`, `-a.b`: names in any letter case; a list that is given twice is joined; `--` ends
 * the flags.
 */
export function readFlags(words: readonly string[], schema: Schema): ReadFlags {
  const problems: ConfigError[] = [];
  const refuse = (code: ConstructorParameters<typeof ConfigError>[0], message: string): void => {
    problems.push(new ConfigError(code, message, { source: 'command line' }));
  };
  const given = new Map<string, { name: string; text: string }>();
  let index = 0;
  while (index < words.length) {
    const word = words[index++]!;
    if (word === '--') break;
    if (word.length < 2 || !word.startsWith('-')) {
      refuse('config.syntax', `'${word}' is no flag; write options as --name=value`);
      continue;
    }
    const body = word.slice(word.startsWith('--') ? 2 : 1);
    if (body === '' || body.startsWith('-') || body.startsWith('=')) {
      refuse('config.syntax', `'${word}' is no flag; write --name or --name=value`);
      continue;
    }
    const equals = body.indexOf('=');
    const name = equals === -1 ? body : body.slice(0, equals);
    const option = kindOf(name, schema);
    let text = equals === -1 ? undefined : body.slice(equals + 1);
    if (text === undefined && (option?.kind === 'boolean' || option?.kind === 'object')) {
      text = 'true';
      const word = words[index];
      if (word === 'true') index++;
      else if (word !== undefined && !word.startsWith('-')) {
        index++;
        refuse('config.syntax', `'${word}' after --${name} is no flag; write --${name}=${word}`);
      }
    }
    const next = words[index];
    // An unknown option may be a removed switch: it takes no other flag as its value.
    if (text === undefined && option === undefined && (next === undefined || next.startsWith('-'))) {
      text = 'true';
      if (next === undefined) refuse('config.syntax', `--${name} wants a value; write --${name}=value`);
    }
    text ??= words[index++];
    if (text === undefined) {
      refuse('config.syntax', `--${name} wants a value; write --${name}=value`);
      continue;
    }
    const key = name.toLowerCase();
    const before = given.get(key);
    if (before === undefined) given.set(key, { name, text });
    else before.text = option?.kind === 'list' ? `${before.text},${text}` : text;
  }
  const configFile = given.get('configfile')?.text;
  given.delete('configfile');
  const pairs = [...given.values()].sort((a, b) => (a.name < b.name ? -1 : 1)).map(({ name, text }) => [name.split('.'), text] as const);
  for (const [path] of pairs) if (path.some((part) => part === '')) refuse('config.syntax', `--${path.join('.')} has an empty part`);
  const sound = pairs.filter(([path]) => path.every((part) => part !== ''));
  return { tree: treeOf(sound, schema), any: words.length > 0, configFile, problems };
}

const kindOf = (name: string, schema: Schema): Schema | undefined => schemaAt(schema, name.split('.'));
