/** Wrong usage; the command prints it with its own usage and ends with 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export interface ReadArguments<Option extends string> {
  /** Values by option, in their order; a switch has `true`. */
  readonly options: Readonly<Partial<Record<Option, readonly string[]>>>;
  readonly words: readonly string[];
}

/**
 * `--name value`, `--name=value`, `-n value`, switches and words in any order; `--` ends the options. `known` tells for each
 * whether it wants a value. Throws UsageError.
 */
export function readArguments<Option extends string>(
  args: readonly string[],
  known: { readonly [Name in Option]: 'value' | 'switch' },
  short: Readonly<Record<string, NoInfer<Option>>> = {},
): ReadArguments<Option> {
  const options: Partial<Record<Option, string[]>> = {};
  const words: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === '--') {
      words.push(...args.slice(i + 1));
      break;
    }
    if (!arg.startsWith('-') || arg === '-') {
      words.push(arg);
      continue;
    }
    const [written, inline] = split(arg);
    const name = (arg.startsWith('--') ? written.slice(2) : short[written.slice(1)]) as Option | undefined;
    const kind = name === undefined ? undefined : known[name];
    if (name === undefined || kind === undefined)
      throw new UsageError(
        `there is no option ${written}; known are ${Object.keys(known)
          .map((option) => `--${option}`)
          .join(', ')}`,
      );
    const value = kind === 'switch' ? 'true' : (inline ?? args[++i]);
    if (value === undefined) throw new UsageError(`${written} wants a value`);
    (options[name] ??= []).push(value);
  }
  return { options, words };
}

function split(arg: string): [name: string, value: string | undefined] {
  const equals = arg.indexOf('=');
  return equals === -1 ? [arg, undefined] : [arg.slice(0, equals), arg.slice(equals + 1)];
}
