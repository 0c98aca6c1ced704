import { ConfigError } from '../base/errors.ts';
import { TemplateError } from './template/error.ts';
import { evaluate } from './template/evaluate.ts';
import type { TemplateFunction } from './template/function.ts';
import { DICTS } from './template/functions/dicts.ts';
import { ENCODINGS } from './template/functions/encodings.ts';
import { LANGUAGE } from './template/functions/language.ts';
import { LISTS } from './template/functions/lists.ts';
import { NUMBERS } from './template/functions/numbers.ts';
import { REFUSED } from './template/functions/refused.ts';
import { TEXT } from './template/functions/text.ts';
import { parseTemplate } from './template/parser.ts';
import { toValue } from './template/value.ts';

/** By name: every function that templates may call. */
export const TEMPLATE_FUNCTIONS: ReadonlyMap<string, TemplateFunction> = new Map(
  Object.entries({ ...LANGUAGE, ...TEXT, ...LISTS, ...DICTS, ...NUMBERS, ...ENCODINGS }),
);

/** Functions that Traefik has and this refuses, with the reason. */
export const REFUSED_TEMPLATE_FUNCTIONS: Readonly<Record<string, string>> = REFUSED;

/**
 * Fills in data: a plain object is a Go struct (an unknown field is an error), those below it and Maps are maps, whole numbers
 * are ints. `env` reads the environment. Throws ConfigError.
 */
export type Template = (data: unknown, environment?: Readonly<Record<string, string | undefined>>) => string;

/** Reads a template in Go's language with sprig's functions (docs/templates.md). Throws ConfigError with the line. */
export function compileTemplate(text: string, source?: string): Template {
  const inPlace = <T>(run: () => T): T => {
    try {
      return run();
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      const line = error.offset === undefined ? undefined : lineAt(text, error.offset);
      throw new ConfigError(error.limit ? 'config.limit' : 'config.syntax', `The template is wrong: ${error.message}`, { source, line });
    }
  };
  const parsed = inPlace(() => parseTemplate(text, lookup, () => TEMPLATE_FUNCTIONS.keys()));
  return (data, environment = {}) => inPlace(() => evaluate(parsed, toValue(data), TEMPLATE_FUNCTIONS, environment));
}

const lookup = (name: string): true | string | undefined =>
  TEMPLATE_FUNCTIONS.has(name) ? true : Object.hasOwn(REFUSED, name) ? REFUSED[name] : undefined;

function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) line++;
  return line;
}
