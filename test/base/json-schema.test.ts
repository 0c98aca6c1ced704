import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { encode } from '../../src/base/encode.ts';
import { jsonSchema } from '../../src/base/json-schema.ts';
import { duration, integer, list, map, object, oneOf, string } from '../../src/base/schema.ts';
import { dynamicConfiguration } from '../../src/config/dynamic.ts';
import { decodeLabels } from '../../src/config/labels.ts';

type JsonSchema = Record<string, unknown> & {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly properties?: Record<string, JsonSchema>;
  readonly additionalProperties?: boolean | JsonSchema;
  readonly items?: JsonSchema;
  readonly pattern?: string;
  readonly minProperties?: number;
  readonly required?: readonly string[];
};

const typeOf = (value: unknown): string =>
  value === null ? 'null' : Array.isArray(value) ? 'array' : Number.isInteger(value) ? 'integer' : typeof value;

/** The words of JSON Schema that are written here. */
function accepts(schema: JsonSchema, value: unknown): boolean {
  const type = typeOf(value);
  const types = schema.type === undefined ? undefined : [schema.type].flat();
  if (types !== undefined && !types.includes(type) && !(type === 'integer' && types.includes('number'))) return false;
  if (schema.enum !== undefined && !schema.enum.includes(value)) return false;
  if (schema.anyOf !== undefined && !schema.anyOf.some((one) => accepts(one, value))) return false;
  if (schema.pattern !== undefined && typeof value === 'string' && !new RegExp(schema.pattern).test(value)) return false;
  if (Array.isArray(value)) return schema.items === undefined || value.every((item) => accepts(schema.items!, item));
  if (type !== 'object') return true;
  const entries = Object.entries(value as object);
  if (entries.length < (schema.minProperties ?? 0)) return false;
  if (schema.required?.some((name) => !entries.some(([key]) => key === name))) return false;
  return entries.every(([name, item]) => {
    const rest = schema.additionalProperties;
    const inner = schema.properties?.[name] ?? (typeof rest === 'object' ? rest : undefined);
    return inner === undefined ? rest !== false : accepts(inner, item);
  });
}

const schema = jsonSchema(
  object(
    {
      text: string('Text.', { default: 'x' }),
      mode: oneOf(['a', 'b'], 'Mode.'),
      count: integer('Count.', { required: true }),
      wait: duration('Wait.', { default: 90_000 }),
      words: list(string(''), 'Words.'),
      rows: list(object({ name: string('') }, ''), 'Rows.'),
      names: map(object({ name: string('') }, ''), 'Names.'),
      lamp: object({ color: string('') }, 'Lamp.', { presence: true }),
      made: string('', { internal: 'note' }),
    },
    'Whole.',
  ),
);

describe('jsonSchema', () => {
  it.each([
    [{ count: 1 }, true],
    [{ count: '1', text: 5, mode: 'a', wait: '1m30s', words: 'a,b' }, true],
    [{ count: 1, wait: 5, words: ['a'], rows: [{ name: 'a' }, {}], names: { a: {} }, lamp: {} }, true],
    [{ count: 1, lamp: true }, true],
    [{}, false],
    [{ count: 1, txet: 1 }, false],
    [{ count: 'x' }, false],
    [{ count: 1, mode: 'c' }, false],
    [{ count: 1, wait: '1d' }, false],
    [{ count: 1, names: {} }, false],
    [{ count: 1, rows: {} }, false],
    [{ count: 1, made: 'x' }, false],
  ])('%j', (value, good) => expect(accepts(schema, value)).toBe(good));

  it('tells what things are and their defaults', () => {
    expect(schema.properties).toMatchObject({ text: { description: 'Text.', default: 'x' }, wait: { default: '1m30s' } });
  });

  it('accepts every configuration of the vectors of labels', () => {
    const cases = ['middlewares', 'routers-services', 'values'].flatMap(
      (file) =>
        JSON.parse(readFileSync(new URL(`../vectors/labels/${file}.json`, import.meta.url), 'utf8')) as {
          name: string;
          input: { labels: Record<string, string> };
        }[],
    );
    const refused = cases.filter(({ input }) => {
      const { configuration, problems, warnings } = decodeLabels(input.labels);
      if (problems.length > 0 || warnings.length > 0) return false;
      const written = JSON.parse(JSON.stringify(encode(dynamicConfiguration, configuration)));
      return Object.keys(written).length > 0 && !accepts(jsonSchema(dynamicConfiguration), written);
    });
    expect(refused.map(({ name }) => name)).toEqual([]);
  });
});
