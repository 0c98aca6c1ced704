import { describe, expect, it } from 'vitest';
import { createStreamBody } from '../../../src/base/body.ts';
import { encodeText } from '../../../src/base/bytes.ts';
import { Feed } from '../../../src/origin-agent/http2/feed.ts';

/** Bytes that are lent: each piece is overwritten when the next is asked for. */
async function* lent(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) {
    const piece = encodeText(text);
    yield piece;
    piece.fill(0);
  }
}

const take = async (chunks: AsyncIterator<Uint8Array>): Promise<string> => new TextDecoder().decode((await chunks.next()).value);
const rest = async (feed: Feed): Promise<string> => new TextDecoder().decode(await feed.bytes(1e6));

describe('a feed', () => {
  it('begins anew while little was read of it', async () => {
    const feed = new Feed(createStreamBody(lent('one', 'two', 'three')));
    const first = feed.chunks();
    expect([await take(first), await take(first)]).toEqual(['one', 'two']);
    await first.return(undefined);
    expect(feed.repeatable).toBe(true);
    expect(await rest(feed)).toBe('onetwothree');
    expect(await rest(feed)).toBe('onetwothree');
  });

  it('loses nothing of what an earlier try still waits for', async () => {
    let give = (_text: string): void => {};
    const feed = new Feed(
      createStreamBody(
        (async function* () {
          yield encodeText(await new Promise<string>((resolve) => void (give = resolve)));
        })(),
      ),
    );
    const first = feed.chunks().next();
    const second = rest(feed);
    give('late');
    expect(new TextDecoder().decode((await first).value)).toBe('late');
    expect(await second).toBe('late');
  });

  it.each<[string, (feed: Feed) => void | Promise<void>]>([
    ['it is settled', (feed) => feed.settle()],
    [
      'more was read than is kept',
      async (feed) => {
        const chunks = feed.chunks();
        for (let i = 0; i < 3; i++) await chunks.next();
      },
    ],
  ])('cannot begin anew when %s', async (_name, act) => {
    const feed = new Feed(createStreamBody(lent('a'.repeat(40_000), 'b'.repeat(40_000), 'c', 'd')));
    await act(feed);
    expect(feed.repeatable).toBe(false);
  });

  it('tells each try when the source fails', async () => {
    const feed = new Feed(
      createStreamBody(
        (async function* () {
          yield encodeText('part');
          throw new Error('cut');
        })(),
      ),
    );
    await expect(rest(feed)).rejects.toThrow('cut');
    await expect(rest(feed)).rejects.toThrow('cut');
  });

  it.each([
    ['that nobody has read', 0],
    ['that was read in part', 1],
  ])('lets its source go when nobody wants the rest of one %s', async (_name, read) => {
    let over = false;
    const feed = new Feed(createStreamBody(lent('a', 'b'), { onDiscard: () => (over = true) }));
    const chunks = feed.chunks();
    for (let i = 0; i < read; i++) await chunks.next();
    feed.discard();
    expect([over, (await chunks.next()).done]).toEqual([read === 0, true]);
  });
});
