import fc from 'fast-check';
import { expect, it } from 'vitest';
import { generate, judge } from '../../../scripts/fuzz/http1.ts';

it('takes nothing that llhttp refuses, and reads what both take as llhttp does', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0x7fffffff }), (seed) => {
      const { kind, input } = generate(seed);
      expect(judge(kind, input, seed), JSON.stringify(input)).toBeUndefined();
    }),
    { numRuns: 20_000 },
  );
});

it('reads arbitrary bytes as llhttp does', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      'GET / HTTP/1.1\r\n',
      'POST /x HTTP/1.1\r\n',
      'Host: a\r\n',
      'Content-Length: 2\r\n',
      'Transfer-Encoding: chunked\r\n',
      '\r\n',
      '0\r\n\r\n',
      '2\r\nab\r\n',
    ),
    fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)), maxLength: 4 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), fc.constantFrom('request' as const, 'response' as const), (pieces, kind) => {
      expect(judge(kind, pieces.join('')), JSON.stringify(pieces.join(''))).toBeUndefined();
    }),
    { numRuns: 10_000 },
  );
});
