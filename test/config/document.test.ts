import { describe, expect, it } from 'vitest';
import { describe as print } from '../../src/base/errors.ts';
import { formatOf, parseDocument } from '../../src/config/document.ts';
import { loadDynamic } from '../../src/config/load.ts';

const tree = (text: string, format: 'yaml' | 'toml' | 'json' = 'yaml') => parseDocument(text, format, 'x').tree;
const failure = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    return `${(error as { code?: string }).code} ${print(error)}`;
  }
  return 'nothing';
};

describe('parseDocument: YAML', () => {
  it.each<[string, unknown]>([
    ['', {}],
    ['# nothing', {}],
    ['---\na: 1\n---\nb: 2', { a: 1 }],
    ['\uFEFFa: 1\r\nb: 2\r\n', { a: 1, b: 2 }],
    ['a: [1, "2", {b: c}]', { a: [1, '2', { b: 'c' }] }],
    ['a: {\n  b: 1,\n}\n', { a: { b: 1 } }],
    ['a: [\n1, # one\n2\n]', { a: [1, 2] }],
    ['a: &x {b: 1}\nc: *x\nd: {<<: *x, e: 2}', { a: { b: 1 }, c: { b: 1 }, d: { b: 1, e: 2 } }],
    ['a: &x {b: 1, c: 1}\nd: {b: 2, <<: [*x, {f: 3}]}', { a: { b: 1, c: 1 }, d: { b: 2, c: 1, f: 3 } }],
    ['a: |\n  x\n   y\nb: >-\n  x\n  y', { a: 'x\n y\n', b: 'x y' }],
    ['a: |-\n  x\n\n  y\n', { a: 'x\n\ny' }],
    ['a:\n- b: 1\n  c: 2\n-\n  - d', { a: [{ b: 1, c: 2 }, ['d']] }],
    ['a: yes\nb: no\nc: on\nd: True', { a: 'yes', b: 'no', c: 'on', d: true }],
    ['a: ~\nb: null\nc:\nd: ""', { a: null, b: null, c: null, d: '' }],
    ['a: 017\nb: 0o17\nc: 0x1F\nd: 0b11\ne: 1_000', { a: 15, b: 15, c: 31, d: 3, e: 1000 }],
    ['a: 08\nb: 1.50\nc: +.5\nd: 1e3\ne: .inf', { a: 8, b: 1.5, c: 0.5, d: 1000, e: Number.POSITIVE_INFINITY }],
    ['a: 9007199254740993\nb: 18446744073709551616', { a: 9_007_199_254_740_993n, b: 2 ** 64 }],
    ['a: 2001-01-01\nb: 10.0.0.1\nc: 1:30', { a: '2001-01-01', b: '10.0.0.1', c: '1:30' }],
    ['a: !!str 5\nb: !!binary aGk=\nc: "5"', { a: '5', b: 'hi', c: '5' }],
    ['1: a\ntrue: b\n1.50: c', { '1': 'a', true: 'b', '1.50': 'c' }],
    ["a: \"x\\u00e9\\n\"\nb: 'it''s'", { a: 'xé\n', b: "it's" }],
    ['a: Host(`a`) && Path(`/b`) # c\nb: http://a:80', { a: 'Host(`a`) && Path(`/b`)', b: 'http://a:80' }],
  ])('%j', (text, expected) => expect(JSON.parse(JSON.stringify(tree(text), big))).toEqual(JSON.parse(JSON.stringify(expected, big))));

  it.each([
    ['a: 1\na: 2', "config.syntax x:2: The name 'a' is written twice"],
    ['a:\n  b: 1\n c: 2', 'config.syntax x:3: The file is not valid YAML'],
    ['a: [1, 2', 'config.syntax x:1: The file is not valid YAML'],
    ['- a', 'config.syntax x:1: The file has no names at its top'],
    ['text', 'config.syntax x:1: The file has no names at its top'],
    ['a: *nope', "config.syntax x:1: No anchor '&nope' stands before this alias"],
    ['a: &x [*x]', "config.syntax x:1: The anchor '&x' holds an alias to itself"],
    ['a: {<<: 5}', 'config.syntax x:1: What stands behind << must be an object'],
    ['? [a]\n: b', 'config.syntax x:1: A name must be a text'],
  ])('refuses %j', (text, message) => expect(failure(() => tree(text))).toContain(message));

  it.each([
    ['deep flow', `a: ${'['.repeat(100_000)}`],
    ['deep lists', `a:\n${Array.from({ length: 300 }, (_, i) => `${' '.repeat(i)}-`).join('\n')}`],
    ['deep objects', Array.from({ length: 300 }, (_, i) => `${' '.repeat(i)}a:`).join('\n')],
    [
      'a bomb',
      `a: &a [1,1,1,1,1,1,1,1,1,1]\n${'bcdefgh'
        .split('')
        .map((name, i) => `${name}: &${name} [${Array(10).fill(`*${'abcdefgh'[i]}`).join(',')}]`)
        .join('\n')}`,
    ],
  ])('is bounded: %s', (_, text) => {
    const started = performance.now();
    expect(failure(() => tree(text))).toMatch(/^config\.(limit|syntax)/);
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});

describe('parseDocument: TOML', () => {
  it.each<[string, unknown]>([
    ['', {}],
    ['[a.b]\nc = 1\nd = "x"', { a: { b: { c: 1, d: 'x' } } }],
    ['a = 9007199254740993', { a: 9_007_199_254_740_993n }],
    ['[[a]]\nb = 1\n[[a]]\nb = 2', { a: [{ b: 1 }, { b: 2 }] }],
  ])('%j', (text, expected) => expect(JSON.stringify(tree(text, 'toml'), big)).toEqual(JSON.stringify(expected, big)));

  it.each([
    ['[a]\n[a]', 'config.syntax x:2: The file is not valid TOML'],
    ['a = ', 'config.syntax x:1: The file is not valid TOML'],
    [`a = ${'['.repeat(10_000)}`, 'config.syntax x'],
  ])('refuses %j', (text, message) => expect(failure(() => tree(text, 'toml'))).toContain(message));

  it('refuses dates, which no option takes', () => {
    const { problems } = loadDynamic(parseDocument('[http.routers.a]\nrule = 1979-05-27', 'toml', 'x.toml'));
    expect(problems.map(print)).toEqual(['http.routers.a (x.toml:2): rule is a date; put it into quotes']);
  });
});

describe('parseDocument: JSON', () => {
  it('reads what YAML reads', () => expect(tree('{"a": [1, {"b": "\\u00e9"}]}', 'json')).toEqual({ a: [1, { b: 'é' }] }));
  it('refuses the rest of YAML, with the line', () =>
    expect(failure(() => tree('{"a": 1,\n b: 2}', 'json'))).toContain('x:2: The text is not valid JSON'));
});

describe('lineOf', () => {
  const yaml =
    'http:\n  routers:\n    a:\n      rule: x\n      entryPoints:\n        - web\n        - ruel: 1\n  services: {s: {loadBalancer: {servers: [\n    {url: a},\n    {url: b}]}}}\n';
  const anchors = 'x: &r\n  ruel: 1\nhttp:\n  routers:\n    a: *r\n';
  const toml =
    '# c\n[http.routers."a.b"]\nrule = """\n[not.a.table]\n"""\nservice = "s"\n[[tls.certificates]]\ncertFile = "c"\n[[tls.certificates]]\nkeyFile = "k"\n';
  it.each<[string, 'yaml' | 'toml', string, (string | number)[], number | undefined]>([
    ['an option', 'yaml', yaml, ['http', 'routers', 'a', 'rule'], 4],
    ['an item', 'yaml', yaml, ['http', 'routers', 'a', 'entryPoints', 0], 6],
    ['below an item', 'yaml', yaml, ['http', 'routers', 'a', 'entryPoints', 1, 'ruel'], 7],
    ['in a flow list', 'yaml', yaml, ['http', 'services', 's', 'loadBalancer', 'servers', 1], 10],
    ['what is not there', 'yaml', yaml, ['http', 'routers', 'a', 'nope', 'x'], 3],
    ['behind an alias', 'yaml', anchors, ['http', 'routers', 'a', 'ruel'], 2],
    ['the top', 'yaml', yaml, [], undefined],
    ['a table', 'toml', toml, ['http', 'routers', 'a.b'], 2],
    ['a key behind a text of several lines', 'toml', toml, ['http', 'routers', 'a.b', 'service'], 6],
    ['a key of the second table of an array', 'toml', toml, ['tls', 'certificates', 1, 'keyFile'], 10],
  ])('%s (%s)', (_, format, text, path, line) => expect(parseDocument(text, format, 'x').lineOf(path)).toBe(line));
});

describe('formatOf', () => {
  it.each([
    ['a.yml', 'yaml'],
    ['/b/a.YAML', 'yaml'],
    ['a.Toml', 'toml'],
    ['a.json', 'json'],
    ['a.yml.bak', undefined],
    ['yml', undefined],
  ])('%s', (name, format) => expect(formatOf(name)).toBe(format));
});

const big = (_: string, value: unknown): unknown => (typeof value === 'bigint' || value === Number.POSITIVE_INFINITY ? `${value}` : value);
