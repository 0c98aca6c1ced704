import { readFlags } from '../static/flags.ts';
import { findRemoved, linesOf } from '../static/removed.ts';
import { staticConfiguration } from '../static.ts';
import type { Note } from './document.ts';
import { FLAT_REWRITINGS } from './options.ts';
import { migrateRule } from './rule.ts';

export interface MigratedEntry {
  /** Undefined: it goes. */
  readonly name: string | undefined;
  readonly value: string;
  readonly note?: Note;
}

/** A label (`.`) or a key (`/`) with its value. */
export function migrateEntry(name: string, value: string, separator: '.' | '/'): MigratedEntry {
  const parts = name.split(separator);
  const below = parts.slice(1);
  if (below[1]?.toLowerCase() === 'routers' && below.length === 4) {
    const option = below[3]!.toLowerCase();
    const protocol = below[0]!.toLowerCase();
    if (option === 'rulesyntax' && value !== 'v3')
      return { name: undefined, value, note: { object: name, message: 'removed: rules are written in v3', byHand: false } };
    if (option === 'rule' && (protocol === 'http' || protocol === 'tcp')) {
      const migrated = migrateRule(value, protocol);
      return {
        name,
        value: migrated.rule,
        ...(migrated.note !== undefined && { note: { object: name, message: `the rule ${migrated.note}`, byHand: true } }),
      };
    }
  }
  for (const { path, to, reason, byHand } of FLAT_REWRITINGS) {
    if (below.length < path.length || !path.every((part, i) => part === '*' || part.toLowerCase() === below[i]!.toLowerCase())) continue;
    const note = { object: name, message: `${to === undefined ? 'removed' : 'rewritten'}: ${reason}`, byHand };
    if (to === undefined) return { name: undefined, value, note };
    const star = path.indexOf('*');
    const renamed = to.map((part) => (part === '*' ? below[star]! : part));
    return { name: [parts[0]!, ...renamed, ...below.slice(path.length)].join(separator), value, note };
  }
  return { name, value };
}

/** Flags of a command line; undefined when nothing has to change. */
export function migrateFlags(words: readonly string[]): { readonly words: readonly string[]; readonly notes: readonly Note[] } | undefined {
  const { tree } = readFlags(words, staticConfiguration);
  const found = findRemoved(tree);
  if (found.length === 0) return undefined;
  const removed = found.flatMap(({ edits }) => edits.flatMap((edit) => ('remove' in edit ? [edit.remove.join('.').toLowerCase()] : [])));
  const isRemoved = (word: string): boolean => {
    const name = word.replace(/^--?/, '').split('=')[0]!.toLowerCase();
    return word.startsWith('-') && removed.some((path) => name === path || name.startsWith(`${path}.`));
  };
  const notes = found.map(({ rewriting, path, edits }) => ({
    object: `--${path.join('.')}`,
    message: `${edits.length > 1 ? 'rewritten' : 'removed'}: ${rewriting.reason}`,
    byHand: rewriting.byHand === true,
  }));
  return { words: [...words.filter((word) => !isRemoved(word)), ...found.flatMap(({ edits }) => linesOf(edits, 'flags'))], notes };
}
