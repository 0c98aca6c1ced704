import fc from 'fast-check';
import { ConfigError } from '../../src/base/errors.ts';
import { compileTemplate, TEMPLATE_FUNCTIONS } from '../../src/config/template.ts';
import { check } from '../support/arbitrary.ts';

const word = fc.oneof(
  fc.constantFrom(...TEMPLATE_FUNCTIONS.keys()),
  fc.constantFrom(
    '.',
    '$',
    '$x',
    '.a',
    '$x.b',
    'nil',
    'true',
    '1',
    '-3',
    '2.5',
    '0x1f',
    "'a'",
    '"t"',
    '`r`',
    '"a,b"',
    '(',
    ')',
    '|',
    ':=',
    '=',
    ',',
  ),
);
const command = fc.array(word, { maxLength: 6 }).map((words) => words.join(' '));
const action = fc.oneof(
  { weight: 6, arbitrary: command },
  { weight: 2, arbitrary: command.map((words) => `$x := ${words}`) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom('if', 'range', 'with', 'else if', 'template "t"', 'block "t"'), command)
      .map((parts) => parts.join(' ')),
  },
  { weight: 3, arbitrary: fc.constantFrom('end', 'else', 'break', 'continue', 'define "t"', '/* c */', 'list 1 2 | len') },
);
const template = fc
  .array(
    fc.oneof(
      action.map((text) => `{{${text}}}`),
      action.map((text) => `{{- ${text} -}}`),
      fc.string({ maxLength: 8 }),
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.join(''));

/** Longest time that one small template may take. */
const LIMIT_MS = 2_000;

/** Renders arbitrary templates: each gives a text or a ConfigError, in bounded time. */
export async function fuzz(count: number): Promise<void> {
  check(template, count, (text) => {
    const started = performance.now();
    try {
      compileTemplate(text, 'fuzz')({ a: 'x', b: { c: '1' } }, { HOME: '/' });
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
    }
    const took = performance.now() - started;
    if (took > LIMIT_MS) throw new Error(`It took ${Math.round(took)} ms`);
  });
}
