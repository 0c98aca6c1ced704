import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineBuffer } from '../../src/proxy/line-buffer.ts';

const decode = (bytes: Uint8Array): string => new TextDecoder('utf-8', { fatal: true }).decode(bytes);

describe('LineBuffer', () => {
  it('holds what was put in, of any letters and length', () => {
    const piece = fc.record({ kind: fc.constantFrom('text', 'json', 'bytes', 'end'), text: fc.string({ unit: 'binary', maxLength: 40 }) });
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 50 }), fc.nat(3), (pieces, large) => {
        const buffer = new LineBuffer();
        let expected = '';
        for (const { kind, text: raw } of [...pieces, { kind: 'text', text: 'x'.repeat(large * 50_000) }, { kind: 'end', text: '' }]) {
          const text = raw.toWellFormed();
          if (kind === 'text') buffer.text(text);
          else if (kind === 'json') buffer.json(text);
          else if (kind === 'bytes') buffer.bytes(new TextEncoder().encode(text));
          else buffer.endLine();
          expected += kind === 'json' ? JSON.stringify(text) : kind === 'end' ? '\n' : text;
        }
        expect(buffer.length).toBe(new TextEncoder().encode(expected).length);
        expect(decode(buffer.take())).toBe(expected);
        expect(buffer.length).toBe(0);
      }),
    );
  });

  it.each([10, 40_000, 100_000])('gives %i bytes away for good', (size) => {
    const buffer = new LineBuffer();
    buffer.text('a'.repeat(size));
    const taken = buffer.take();
    buffer.text('b'.repeat(size));
    expect(decode(taken)).toBe('a'.repeat(size));
    structuredClone(taken, { transfer: [taken.buffer] });
    buffer.text('c');
    expect(decode(buffer.take())).toBe(`${'b'.repeat(size)}c`);
  });

  it('has JSON for what is no text at all', () => {
    const buffer = new LineBuffer();
    buffer.json('\ud800"\\\n');
    expect(JSON.parse(decode(buffer.take()))).toBe('\ud800"\\\n');
  });
});
