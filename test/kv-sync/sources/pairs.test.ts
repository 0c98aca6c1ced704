import { describe, expect, it } from 'vitest';
import { formatPairs, parsePairs } from '../../../src/kv-sync/sources/pairs.ts';

const KEY = 'traefik/http/routers/x/rule';

describe('parsePairs', () => {
  it.each([
    ['a pair', `${KEY},Host(\`a.test\`)`, 'Host(`a.test`)'],
    ['a value with commas', `${KEY},Host(\`a\`, \`b\`),c`, 'Host(`a`, `b`),c'],
    ['an equals sign as divider, which leaves commas alone', `${KEY}=a,b`, 'a,b'],
    ['a blank as divider', `${KEY} a=b`, 'a=b'],
    ['blanks around', `  ${KEY} , a  `, 'a'],
    ['no value', `${KEY},`, ''],
    ['quotes', `${KEY},"a, b"`, 'a, b'],
    ['a quoted key', `"${KEY}",a`, 'a'],
    ['doubled quotes', `${KEY},"say ""a"""`, 'say "a"'],
    ['single quotes', `${KEY},'a '`, 'a '],
    ['a quote inside', `${KEY},a"b`, 'a"b'],
    ['what looks like a comment', `${KEY},a #b`, 'a #b'],
    ['a quoted text over lines', `${KEY},"a\nb\n"`, 'a\nb\n'],
    ['Windows line ends', `${KEY},a\r`, 'a'],
    ['a byte order mark', `\uFEFF${KEY},a`, 'a'],
  ])('reads %s', (_, line, value) => {
    const { pairs, problems } = parsePairs(`${line}\n`, 'keys');
    expect([pairs, problems]).toEqual([[[KEY, value]], []]);
  });

  it('passes over comments and empty lines', () => {
    expect(parsePairs('# a,b\n\n   \n  # c\n', 'keys')).toMatchObject({ pairs: [], problems: [] });
  });

  it.each([
    ['no value', 'a,b\nkey\nc,d\n', 2, "'key' has no value"],
    ['no key', 'a,b\nc,d\n,e\n', 3, "',e' begins with no key"],
    ['more behind a quote', 'a,b\nx,"y" z\nc,d\n', 2, 'Behind the closing quote of x'],
    ['a quote that never ends', 'a,b\nx,"y\nc,d\n', 2, 'The quote of x is never closed'],
  ])('tells the line of %s, and reads the others', (_, text, line, message) => {
    const { pairs, problems } = parsePairs(text, 'keys');
    expect(problems).toMatchObject([{ place: { source: 'keys', line }, message: expect.stringContaining(message) }]);
    expect(pairs).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
  });

  it('takes the last of two, and says so', () => {
    const { pairs, warnings, lineOf } = parsePairs('a,1\na,2\n', 'keys');
    expect(pairs).toEqual([['a', '2']]);
    expect(warnings).toMatchObject([{ place: { line: 2 }, message: 'The key a stands in line 1 too; the last one counts' }]);
    expect(lineOf('a')).toBe(2);
  });
});

describe('formatPairs', () => {
  it.each(['plain', '', ' blank ', 'a,b', '"quoted"', "'single'", 'two\nlines', '#x', 'a=b'])(
    'writes %j so that it is read again',
    (value) => {
      const text = formatPairs([
        ['k', value],
        ['#odd key', 'x'],
      ]);
      expect(parsePairs(text, '')).toMatchObject({
        pairs: [
          ['k', value],
          ['#odd key', 'x'],
        ],
        problems: [],
      });
    },
  );
});
