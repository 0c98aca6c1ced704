/** A line of the stream: its JSON, or what is known of a line that is none. */
export type EngineLine = { readonly json: unknown } | { readonly unreadable: 'no-json' | 'too-long' };

/** An event repeats all labels of its container, which Docker does not limit. Longer ones are not kept, only counted. */
export const MAX_LINE_BYTES = 1024 * 1024;
/** What is longer than this is no event of anybody. */
export const MAX_SKIPPED_BYTES = 256 * 1024 * 1024;
/** So many unreadable lines in a row, and the other side is no engine. */
export const MAX_UNREADABLE = 100;

const NEWLINE = 0x0a;

/**
 * Splits newline-delimited JSON. Holds at most one line of MAX_LINE_BYTES. A line that is too long or no JSON is told as
 * such; half a line at the end is dropped. Throws when the stream fails, or holds nothing that could be read.
 */
export async function* readLines(stream: AsyncIterable<Buffer>): AsyncGenerator<EngineLine, void, void> {
  let parts: Buffer[] = [];
  let kept = 0;
  let skipped = 0;
  let unreadable = 0;
  for await (const chunk of stream) {
    let start = 0;
    while (start < chunk.length) {
      const end = chunk.indexOf(NEWLINE, start);
      const piece = chunk.subarray(start, end === -1 ? chunk.length : end);
      if (skipped > 0 || kept + piece.length > MAX_LINE_BYTES) {
        skipped += kept + piece.length;
        parts = [];
        kept = 0;
        if (skipped > MAX_SKIPPED_BYTES) throw new Error(`A line of the stream is longer than ${MAX_SKIPPED_BYTES} bytes`);
      } else if (piece.length > 0) {
        parts.push(piece);
        kept += piece.length;
      }
      if (end === -1) break;
      start = end + 1;
      const line = skipped > 0 ? ({ unreadable: 'too-long' } as const) : parseLine(parts);
      parts = [];
      kept = 0;
      skipped = 0;
      if (line === undefined) continue;
      unreadable = 'unreadable' in line ? unreadable + 1 : 0;
      if (unreadable > MAX_UNREADABLE) throw new Error(`${MAX_UNREADABLE} lines of the stream in a row were unreadable`);
      yield line;
    }
  }
}

function parseLine(parts: readonly Buffer[]): EngineLine | undefined {
  const text = Buffer.concat(parts).toString('utf8').trim();
  if (text === '') return undefined;
  try {
    return { json: JSON.parse(text) };
  } catch {
    return { unreadable: 'no-json' };
  }
}
