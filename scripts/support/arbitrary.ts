import fc from 'fast-check';
import type { Schema } from '../../src/base/schema.ts';

/** Names that objects and header fields may have. */
const name = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('a', 'b', 'Shop', 'x-y', 'm_1', 'a b', 'ü', 'x.y') },
  { weight: 1, arbitrary: fc.string({ minLength: 1, maxLength: 8 }) },
);

/** Texts that mean something to some option, and some that mean nothing. */
export const text = fc.oneof(
  fc.constantFrom(
    'x',
    'true',
    'false',
    '0',
    '5',
    '-3',
    '10s',
    '1m30s',
    'a,b',
    ' a ',
    'web, websecure',
    'v2',
    'http://a:80',
    'Host(`a`)',
    '',
  ),
  fc.string({ maxLength: 12 }),
);

/** What is made of a schema once: building arbitraries costs more than running them. */
function remember<T>(make: (schema: Schema) => T): (schema: Schema) => T {
  const made = new Map<Schema, T>();
  return (schema) => {
    let value = made.get(schema);
    if (value === undefined) made.set(schema, (value = make(schema)));
    return value;
  };
}

/** Values that a schema takes, without what users cannot write. */
export const valueFor = remember((schema: Schema): fc.Arbitrary<unknown> => {
  switch (schema.kind) {
    case 'boolean':
      return fc.boolean();
    case 'integer':
      return fc.integer({ min: -1_000_000, max: 1_000_000 });
    case 'number':
      return fc.double({ min: -1_000, max: 1_000, noNaN: true });
    case 'duration':
      return fc.integer({ min: -100_000, max: 100_000_000 });
    case 'list':
      return fc.array(valueFor(schema.items!), { maxLength: schema.items!.kind === 'object' ? 3 : 12 });
    case 'map':
      return fc.dictionary(name, valueFor(schema.items!), { minKeys: 1, maxKeys: 2 });
    case 'any':
      return fc.dictionary(name, fc.oneof(text, fc.dictionary(name, text, { minKeys: 1, maxKeys: 2 })), { minKeys: 1, maxKeys: 2 });
    case 'object':
      return objectOf(schema);
    default:
      return schema.values === undefined ? text : fc.constantFrom(...schema.values);
  }
});

/** A few fields of an object, as people write. */
function objectOf(schema: Schema): fc.Arbitrary<unknown> {
  const fields = Object.entries(schema.fields!).filter(([, field]) => field.internal === undefined && !field.onlyLabels && !field.own);
  if (fields.length === 0) return fc.constant({});
  return fc
    .subarray(fields, { minLength: schema.presence ? 0 : 1, maxLength: Math.min(2, fields.length) })
    .chain((chosen) => fc.record(Object.fromEntries(chosen.map(([key, field]) => [key, valueFor(field)] as const))));
}

const NOTHING = fc.constant<string[]>([]);

/** Paths through a schema, as flat keys have: mostly right, in any letter case, with or without indexes. */
export function pathsWith(index: (n: number) => string): (schema: Schema) => fc.Arbitrary<string[]> {
  const pathFor = remember((schema: Schema): fc.Arbitrary<string[]> => {
    const below = (words: fc.Arbitrary<string>, inner: Schema): fc.Arbitrary<string[]> =>
      fc.tuple(words, pathFor(inner)).map(([word, rest]) => [word, ...rest]);
    if (schema.kind === 'object') {
      const options = Object.entries(schema.fields!).map(([key, field]) => below(spelling(field.labelName ?? key), field));
      if (options.length === 0) return NOTHING;
      return fc.oneof(
        { weight: 30, arbitrary: fc.oneof(...options) },
        { weight: 1, arbitrary: NOTHING },
        { weight: 1, arbitrary: name.map((word) => [word]) },
      );
    }
    if (schema.kind === 'map') return below(name, schema.items!);
    if (schema.kind === 'list' && schema.items!.kind === 'object') return below(fc.nat({ max: 12 }).map(index), schema.items!);
    if (schema.kind === 'any') return fc.array(name, { minLength: 1, maxLength: 3 });
    return fc.oneof({ weight: 20, arbitrary: NOTHING }, { weight: 1, arbitrary: fc.nat({ max: 3 }).map((n) => [index(n)]) });
  });
  return pathFor;
}

const spelling = (word: string): fc.Arbitrary<string> => fc.constantFrom(word, word, word.toLowerCase(), word.toUpperCase());

/** The same for a property that has to wait. */
export async function checkAsync<T>(arbitrary: fc.Arbitrary<T>, count: number, property: (value: T) => Promise<void>): Promise<void> {
  await fc.assert(fc.asyncProperty(arbitrary, property), { numRuns: count });
}

/** Runs a property so often; throws the counter-example. */
export function check<T>(arbitrary: fc.Arbitrary<T>, count: number, property: (value: T) => void): void {
  fc.assert(
    fc.property(arbitrary, (value) => property(value)),
    { numRuns: count },
  );
}
