import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { decode } from '../../src/base/decode.ts';
import type { Schema } from '../../src/base/schema.ts';
import { HTTP_MIDDLEWARES, TCP_MIDDLEWARES } from '../../src/middlewares/index.ts';

/** By word; those of TCP are called `tcp.<word>`. */
const words = new Map<string, Schema>([
  ...Object.entries(HTTP_MIDDLEWARES).map(([word, { options }]) => [word, options] as const),
  ...Object.entries(TCP_MIDDLEWARES).map(([word, { options }]) => [`tcp.${word}`, options] as const),
]);

/** What somebody wrote → what they are told. What only `create` refuses stands in the test of its word. */
const rows = readFileSync(new URL('refused-values.txt', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => {
    const [, word, written, told] = /^(\S+) (.*) → (.*)$/.exec(line)!;
    return [word!, written!, told!] as const;
  });

it.each(rows)('%s %s is refused: %s', (word, written, told) => {
  const { problems } = decode(words.get(word)!, parse(written));
  expect(problems.map(({ path, message }) => `${path.join('.')} ${message}`)).toEqual([told]);
});

/** Every option, and every place where options stand: `sourceCriterion.ipStrategy.depth`. */
function* optionsOf({ kind, fields = {} }: Schema, path = ''): Generator<string> {
  if (kind === 'object') yield `${path}unknown`;
  for (const [name, field] of Object.entries(fields)) {
    yield path + name;
    yield* optionsOf(field, `${path}${name}.`);
  }
}

it.each([...words])('%s has a row for every option, and for one that it does not know', (word, schema) => {
  const told = rows.filter(([of]) => of === word).map(([, , text]) => text.split(' ')[0]);
  expect(told.sort()).toEqual([...optionsOf(schema)].sort());
});
