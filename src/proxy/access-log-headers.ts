import { fromByteString } from '../base/byte-string.ts';

export interface HeaderFieldOptions {
  readonly defaultMode?: string;
  readonly names?: Readonly<Record<string, string>> | undefined;
}

/** Header fields of one message as a line shows them: `name` in Go's spelling (`X-Forwarded-For`), each once, sorted. A name has no sign that JSON escapes. */
export type ReadHeaders = (raw: readonly string[]) => (readonly [name: string, value: string])[];

type Mode = 'keep' | 'redact' | 'drop';
const isMode = (mode: string): mode is Mode => mode === 'keep' || mode === 'drop' || mode === 'redact';

/** Names come from clients: so many spellings are remembered, no more. */
const MAX_KNOWN = 1000;

/** Undefined when every header field is dropped. */
export function createHeaderReader({ defaultMode = 'drop', names = {} }: HeaderFieldOptions): ReadHeaders | undefined {
  const fallback = isMode(defaultMode) ? defaultMode : 'drop';
  const modes = new Map(Object.entries(names).map(([name, mode]) => [name.toLowerCase(), isMode(mode) ? mode : fallback]));
  if (fallback === 'drop' && [...modes.values()].every((mode) => mode === 'drop')) return undefined;

  const known = new Map<string, { readonly mode: Mode; readonly name: string }>();
  function look(spelling: string) {
    let field = known.get(spelling);
    if (field === undefined) {
      const lower = spelling.toLowerCase();
      field = {
        mode: modes.get(lower) ?? fallback,
        name: lower.replace(/["\\\p{Cc}]/gu, '_').replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase()),
      };
      if (known.size < MAX_KNOWN) known.set(spelling, field);
    }
    return field;
  }

  return (raw) => {
    const found: [string, string][] = [];
    for (let i = 0; i < raw.length; i += 2) {
      const { mode, name } = look(raw[i]!);
      if (mode === 'drop') continue;
      const value = mode === 'redact' ? 'REDACTED' : fromByteString(raw[i + 1]!);
      const before = found.find(([other]) => other === name);
      if (before === undefined) found.push([name, value]);
      else if (mode === 'keep') before[1] += `,${value}`;
    }
    return found.length > 1 ? found.sort(([a], [b]) => (a < b ? -1 : 1)) : found;
  };
}
