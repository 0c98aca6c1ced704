import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Pair } from '../../../src/config/keys.ts';
import { parsePairs } from '../../../src/kv-sync/sources/pairs.ts';
import { createPairsReader } from '../../../src/kv-sync/sources/pairs-reader.ts';

const lines = (count: number, changed = 'x'): string[] =>
  Array.from({ length: count }, (_, i) => `traefik/http/routers/r${i}/rule,${i === 7 ? changed : i}`);

describe('createPairsReader', () => {
  it('reads changed lines only', () => {
    const read = createPairsReader();
    const before = read(lines(20).join('\n'), 'keys').pairs;
    const { pairs, lineOf } = read(lines(20, 'y').toSpliced(7, 0, '# new').join('\n'), 'keys');
    expect(pairs.filter((pair) => !before.includes(pair))).toEqual<Pair[]>([['traefik/http/routers/r7/rule', 'y']]);
    expect(lineOf('traefik/http/routers/r9/rule')).toBe(11);
  });

  const line = fc.constantFrom(
    'a,1',
    'a,2',
    'b,1',
    'b,12',
    'c 3',
    'aa=1',
    'd,"x',
    'y"',
    'e,"1"',
    '# c',
    '',
    ' a,1 ',
    'no',
    'f,\r',
    "g,'h'",
  );
  it('says what a whole read says, whatever was read before', () => {
    const text = fc.array(line, { maxLength: 8 }).map((rows) => rows.join('\n'));
    fc.assert(
      fc.property(fc.array(text, { minLength: 2, maxLength: 5 }), (texts) => {
        const read = createPairsReader();
        for (const one of texts) {
          const { lineOf, ...whole } = parsePairs(one, 'keys');
          const { lineOf: found, ...said } = read(one, 'keys');
          expect(said).toEqual(whole);
          for (const [key] of whole.pairs) expect(found(key)).toBe(lineOf(key));
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
