import { describe, expect, it } from 'vitest';
import { type Dialect, decode, defaultsOf, OWN_TEXT } from '../../src/base/decode.ts';
import { any, boolean, duration, integer, list, map, number, object, oneOf, string } from '../../src/base/schema.ts';

const item = object({ name: string(''), size: integer('', { default: 1 }) }, '');
const schema = object(
  {
    text: string(''),
    hidden: string('', { secret: true }),
    flag: boolean(''),
    count: integer(''),
    ratio: number(''),
    wait: duration('', { default: 5_000 }),
    words: list(string(''), ''),
    numbers: list(integer(''), ''),
    items: list(item, '', { labelName: 'item' }),
    rows: list(item, ''),
    fields: map(string(''), ''),
    codes: map(integer(''), ''),
    inner: object({ a: string(''), b: string('') }, ''),
    lamp: object({ color: string('', { default: 'red' }) }, '', { presence: true }),
    mode: oneOf(['fast', 'slow'], ''),
    style: oneOf(['wide', 'narrow'], '', { open: 'harmless' }),
    objects: map(item, '', { isolate: true }),
    raw: map(any(''), ''),
    made: string('', { internal: 'note' }),
    old: string('', { deprecated: 'write text.' }),
    fileOnly: string('', { labels: false }),
    labelOnly: string('', { onlyLabels: true }),
    edge: integer('', { check: (value) => (value > 3 ? undefined : `${value} is too small; write 4`) }),
  },
  '',
);

const read = (input: unknown, dialect: Dialect = 'document') => {
  const { value, problems, warnings } = decode(schema, input, dialect);
  const { wait: _, ...rest } = value ?? { wait: 0 };
  return {
    value: value === undefined ? undefined : rest,
    problems: problems.map(({ code, path }) => `${code} ${path.join('.')}`),
    warnings: warnings.map(({ code, path }) => `${code} ${path.join('.')}`),
  };
};

describe('decode', () => {
  it.each<[string, unknown, unknown]>([
    ['a number for a text', { text: 1.5 }, { text: '1.500000' }],
    ['a whole float for a text', { text: 12.0 }, { text: '12' }],
    ['a large number for a text', { text: 1e21 }, { text: '1000000000000000000000' }],
    ['a boolean for a text', { text: true }, { text: 'true' }],
    ['texts for the rest', { flag: 'T', count: '+7', ratio: '1e3', wait: '10s' }, { flag: true, count: 7, ratio: 1000 }],
    ['numbers for booleans', { flag: 0 }, { flag: false }],
    ['names in any letter case', { TEXT: 'a', Flag: true }, { text: 'a', flag: true }],
    ['64 bits', { count: '9223372036854775807' }, { count: 9_223_372_036_854_775_807n }],
    ['leading zeros', { count: '000000000000000000000000007' }, { count: 7 }],
    ['nothing', { text: null, lamp: null }, {}],
    ['one text for a list', { words: 'a, b ,c' }, { words: ['a', 'b', 'c'] }],
    ['an item with a comma', { words: ['a,b', ' c '] }, { words: ['a,b', 'c'] }],
    ['an empty text for a list', { words: '' }, {}],
    ['numbers in a list of texts', { words: [404, true] }, { words: ['404', 'true'] }],
    ['numbers as texts', { numbers: '1,2' }, { numbers: [1, 2] }],
    ['objects with defaults', { items: [{ name: 'a' }, {}] }, { items: [{ name: 'a', size: 1 }, { size: 1 }] }],
    ['a switch as {}', { lamp: {} }, { lamp: { color: 'red' } }],
    ['a switch as true', { lamp: true }, { lamp: { color: 'red' } }],
    ['a switch as empty text', { lamp: '' }, { lamp: { color: 'red' } }],
    ['a switch that is off', { lamp: false }, {}],
    ['names of a map keep their case', { fields: { 'X-A': 1, 'x-a': 'b' } }, { fields: { 'X-A': '1', 'x-a': 'b' } }],
    ['nested names of a text map', { fields: { a: { b: { c: 'x' }, d: 'y' } } }, { fields: { 'a.b.c': 'x', 'a.d': 'y' } }],
    [
      'a name that objects have',
      { fields: { ['__proto__']: 'x', constructor: 'y' } },
      { fields: { ['__proto__']: 'x', constructor: 'y' } },
    ],
    ['an empty text for one of a set', { mode: '' }, { mode: '' }],
    [
      'options without a schema',
      { raw: { p: { n: 3, list: [1, 2], mixed: [1, 'a'], deep: { x: 1.5 }, sub: { sub: 'v' }, none: null } } },
      { raw: { p: { n: '3', list: [1, 2], mixed: ['1', 'a'], deep: { x: '1.500000' }, sub: { sub: 'v' } } } },
    ],
    ['two spellings of one object', { inner: { a: 'x' }, Inner: { b: 'y' } }, { inner: { a: 'x', b: 'y' } }],
  ])('takes %s', (_, input, expected) => expect(read(input)).toEqual({ value: expected, problems: [], warnings: [] }));

  it.each<[string, unknown, string]>([
    ['an unknown option', { txt: 'a' }, 'unknown-option txt'],
    ['a boolean that is none', { flag: 'yes' }, 'bad-value flag'],
    ['an empty boolean', { flag: '' }, 'bad-value flag'],
    ['a number that is none', { count: '0x10' }, 'bad-value count'],
    ['a float', { count: 1.5 }, 'bad-value count'],
    ['more than 64 bits', { count: '99999999999999999999' }, 'bad-value count'],
    ['a duration that is none', { wait: '1d' }, 'bad-value wait'],
    ['a list for a text', { text: ['a'] }, 'bad-value text'],
    ['options below a text', { text: { a: 1 } }, 'bad-value text'],
    ['a date', { text: new Date(0) }, 'bad-value text'],
    ['an empty item', { words: ['a', null] }, 'bad-value words.1'],
    ['a list in a list', { words: ['a', ['b']] }, 'bad-value words.1'],
    ['an empty object', { inner: {} }, 'empty-object inner'],
    ['an object of nothing', { inner: { a: null } }, 'empty-object inner'],
    ['a text for an object', { inner: 'true' }, 'empty-object inner'],
    ['a list for an object', { inner: ['a'] }, 'bad-value inner'],
    ['an empty map', { fields: {} }, 'empty-object fields'],
    ['one that is not in the set', { mode: 'fsat' }, 'bad-value mode'],
    ['what a check complains about', { edge: 3 }, 'bad-value edge'],
    ['unknown options of a switch that is off', { lamp: { colour: 'x', [OWN_TEXT]: 'false' } }, 'unknown-option lamp.colour'],
  ])('refuses %s', (_, input, problem) => expect(read(input)).toMatchObject({ value: undefined, problems: [problem] }));

  it.each<[string, unknown, string, unknown]>([
    ['a text that switches off', { lamp: 'yes' }, 'odd-value lamp', {}],
    ['a text among objects', { items: ['http://a'] }, 'passed-over items.0', { items: [] }],
    ['one object for a list', { items: { name: 'a' } }, 'passed-over items', { items: [{ size: 1 }] }],
    ['one that is not in an open set', { style: 'wdie' }, 'odd-value style', { style: 'wdie' }],
    ['what providers make', { made: 'x' }, 'passed-over made', {}],
    ['what is for labels', { labelOnly: 'x' }, 'passed-over labelOnly', {}],
    ['what is deprecated', { old: 'x' }, 'deprecated old', { old: 'x' }],
  ])('warns of %s', (_, input, warning, expected) => expect(read(input)).toEqual({ value: expected, problems: [], warnings: [warning] }));

  it.each<[string, Dialect, unknown, unknown]>([
    ['a list as one object', 'labels', { item: { name: 'a' } }, { items: [{ name: 'a', size: 1 }] }],
    [
      'indexes in the order of their text',
      'labels',
      { rows: { '[0]': { name: 'a' }, '[10]': { name: 'b' } } },
      {
        rows: [
          { name: 'a', size: 1 },
          { name: 'b', size: 1 },
        ],
      },
    ],
    ['text beside options', 'labels', { lamp: { color: 'blue', [OWN_TEXT]: 'true' } }, { lamp: { color: 'blue' } }],
    ['a switch that is off beside options', 'keys', { lamp: { color: 'blue', [OWN_TEXT]: 'no' } }, {}],
    [
      'lists of options without a schema',
      'labels',
      { raw: { p: { l: { '[0]': 'a', '[1]': { x: 'b' } } } } },
      { raw: { p: { l: ['a', { x: 'b' }] } } },
    ],
    ['the plain name of a list in keys', 'keys', { items: { '[0]': { name: 'a' } } }, { items: [{ name: 'a', size: 1 }] }],
    ['what is for files, passed over in labels', 'labels', { fileOnly: 'x', labelOnly: 'y' }, { labelOnly: 'y' }],
    [
      'empty objects and made options of machines',
      'machine',
      { inner: {}, fields: {}, made: 'x', raw: { p: { n: 3 } } },
      { inner: {}, fields: {}, made: 'x', raw: { p: { n: 3 } } },
    ],
  ])('%s (%s)', (_, dialect, input, expected) => {
    const { value, problems } = read(input, dialect);
    expect(problems).toEqual([]);
    expect(value).toEqual(expected);
  });

  it('keeps the sound entries of an isolating map', () =>
    expect(read({ objects: { a: { name: 'x' }, b: { size: 'y' }, c: {} } })).toMatchObject({
      value: { objects: { a: { name: 'x', size: 1 }, c: { size: 1 } } },
      problems: ['bad-value objects.b.size'],
    }));

  it('finds every problem', () => expect(read({ txt: 1, count: 'x', items: [{ size: 'y' }] }).problems).toHaveLength(3));

  it('never shows secrets', () => {
    const secret = object({ hidden: oneOf(['a'], '', { secret: true }), list: list(integer(''), '', { secret: true }) }, '');
    const { problems } = decode(secret, { hidden: 'geheim', list: 'geheim' });
    expect(problems).toHaveLength(2);
    expect(JSON.stringify(problems)).not.toContain('geheim');
  });

  it('says what was meant', () => expect(decode(schema, { txet: 'a' }).problems[0]?.message).toContain("did you mean 'text'?"));
});

describe('defaultsOf', () => {
  it('gives each caller its own', () => {
    const lists = object({ words: list(string(''), '', { default: ['a'] }) }, '');
    defaultsOf(lists).words.push('b');
    expect(defaultsOf(lists)).toEqual({ words: ['a'] });
  });
});
