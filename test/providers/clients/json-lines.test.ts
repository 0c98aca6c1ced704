import { describe, expect, it } from 'vitest';
import { MAX_LINE_BYTES, MAX_SKIPPED_BYTES, MAX_UNREADABLE, readLines } from '../../../src/providers/clients/json-lines.ts';

async function* chunks(...texts: (string | Buffer)[]): AsyncGenerator<Buffer> {
  for (const text of texts) yield Buffer.from(text as string);
}

async function collect(stream: AsyncIterable<Buffer>): Promise<unknown[]> {
  const lines: unknown[] = [];
  for await (const line of readLines(stream)) lines.push('json' in line ? line.json : line.unreadable);
  return lines;
}

describe('readLines', () => {
  it.each<[string, (string | Buffer)[], unknown[]]>([
    ['a line a chunk', ['{"a":1}\n', '{"b":2}\n'], [{ a: 1 }, { b: 2 }]],
    ['lines over chunks', ['{"a"', ':1}\n{"b', '":2}', '\n'], [{ a: 1 }, { b: 2 }]],
    ['a character over chunks', [Buffer.from('{"a":"ü"}\n').subarray(0, 7), Buffer.from('{"a":"ü"}\n').subarray(7)], [{ a: 'ü' }]],
    ['carriage returns and empty lines', ['{"a":1}\r\n\n\r\n{"b":2}\n'], [{ a: 1 }, { b: 2 }]],
    ['half a line at the end', ['{"a":1}\n{"b":'], [{ a: 1 }]],
    ['what is no JSON', ['{"a":1}\n<html>\n{"b":2}\n'], [{ a: 1 }, 'no-json', { b: 2 }]],
    ['nothing', [], []],
  ])('reads %s', async (_, texts, expected) => {
    expect(await collect(chunks(...texts))).toEqual(expected);
  });

  it('counts a line that is too long, and goes on behind it', async () => {
    const long = `{"a":"${'x'.repeat(MAX_LINE_BYTES)}"}`;
    expect(await collect(chunks(`{"a":1}\n${long.slice(0, 1000)}`, long.slice(1000), '\n{"b":2}\n'))).toEqual([
      { a: 1 },
      'too-long',
      { b: 2 },
    ]);
  });

  it('gives up a line without end, keeping nothing of it', async () => {
    const part = Buffer.alloc(8 << 20, 'x');
    let given = 0;
    async function* endless(): AsyncGenerator<Buffer> {
      for (;;) {
        given += part.length;
        yield part;
      }
    }
    await expect(collect(endless())).rejects.toThrow('is longer than');
    expect(given).toBeLessThanOrEqual(MAX_SKIPPED_BYTES + 2 * part.length);
  });

  it('gives up a stream of nothing readable', async () => {
    await expect(collect(chunks('nonsense\n'.repeat(MAX_UNREADABLE + 1)))).rejects.toThrow('in a row were unreadable');
  });
});
