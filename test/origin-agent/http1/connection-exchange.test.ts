import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { createBody, createStreamBody, textResponse } from '../../../src/base/body.ts';
import { ClientError } from '../../../src/base/errors.ts';
import { type Handler, HeaderList, type ProxyResponse } from '../../../src/base/message.ts';
import { Channel, nobody } from '../../../src/origin-agent/sockets/channel.ts';
import { duplexPair } from '../../support/duplex-pair.ts';
import { talkHttp1 } from '../../support/http1-server.ts';
import { turns, until } from '../../support/until.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const ok: Handler = async () => textResponse(200, 'ok');

describe('bodies that nobody reads', () => {
  it.each([
    ['complete', 'Content-Length: 3\r\n\r\nabc', true],
    ['small, to come', 'Content-Length: 100000\r\n\r\nabc', true],
    ['chunked, to come', 'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n', true],
    ['large', 'Content-Length: 1000000\r\n\r\nabc', false],
    ['expected', 'Expect: 100-continue\r\nContent-Length: 3\r\n\r\n', false],
  ])('%s', async (_name, frame, kept) => {
    const { client } = await talkHttp1(ok);
    client.write(`POST / HTTP/1.1\r\nHost: a\r\n${frame}`);
    const { head } = await client.response();
    expect(head.includes('Connection: close')).toBe(!kept);
    if (!kept) {
      expect(await client.end()).toBe('');
      return;
    }
    if (frame.includes('100000')) client.write('x'.repeat(99_997));
    if (frame.includes('chunked')) client.write('0\r\n\r\n');
    client.write(GET);
    expect((await client.response()).body).toBe('ok');
  });

  it('gives up on a body that does not end', async () => {
    const { client } = await talkHttp1(ok);
    client.write('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
    expect((await client.response()).head).not.toContain('Connection');
    const chunk = `8000\r\n${'x'.repeat(32_768)}\r\n`;
    for (let i = 0; i < 20; i++) client.write(chunk);
    expect(await client.end()).toBe('');
  });

  it('closes when the body that it throws away is broken', async () => {
    const { client } = await talkHttp1(ok);
    client.write('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
    await client.response();
    client.write('zz\r\n');
    expect(await client.end()).toBe('');
  });
});

describe('clients that go', () => {
  it('cancels a request whose client ends its side', async () => {
    let cancelled: Promise<void> | undefined;
    const { client } = await talkHttp1((request) => {
      cancelled = new Promise((resolve) => request.cancellation.onCancel(resolve));
      return new Promise(() => {});
    });
    client.write(GET);
    await until(() => cancelled !== undefined);
    client.socket.end();
    await cancelled;
    expect(await client.end()).toBe('');
  });

  it('still serves a client that ends its side behind the answer', async () => {
    const large = 'x'.repeat(5_000_000);
    const { client } = await talkHttp1(async () => ({ status: 200, headers: new HeaderList(), body: createBody(large) }));
    client.socket.pause();
    client.write(GET);
    await turns(20);
    client.socket.resume();
    expect((await client.response()).body.length).toBe(large.length);
    client.socket.end();
    expect(await client.end()).toBe('');
  });

  it('tells how each exchange went', async () => {
    const { client, outcomes } = await talkHttp1(async ({ path }) => textResponse(path === '/404' ? 404 : 200, 'hello'));
    client.write(`${GET}GET /404 HTTP/1.1\r\nHost: a\r\n\r\n`);
    await client.response();
    await client.response();
    expect(outcomes).toEqual([
      { status: 200, sentBytes: 5, complete: true },
      { status: 404, sentBytes: 5, complete: true },
    ]);
  });

  it('takes no more from a source than a slow client takes', async () => {
    let made = 0;
    async function* endless() {
      for (;;) {
        made += 65_536;
        yield Buffer.alloc(65_536);
      }
    }
    const { client } = await talkHttp1(async () => ({ status: 200, headers: new HeaderList(), body: createStreamBody(endless()) }));
    client.socket.pause();
    client.write(GET);
    let before = -1;
    while (before !== made || made === 0) {
      before = made;
      await turns(100);
    }
    // The kernel's buffers on both sides of the loopback.
    expect(made).toBeLessThan(20_000_000);
  });
});

describe('tunnels', () => {
  const UPGRADE = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n';

  async function tunnel(extra: string) {
    const [near, far] = duplexPair();
    const asked = await talkHttp1(async () => ({
      status: 101,
      headers: new HeaderList(['Connection', 'Upgrade', 'Upgrade', 'x']),
      body: undefined,
      tunnel: { channel: Channel.over(near, nobody), early: Buffer.from('hi ') },
    }));
    asked.client.write(`${UPGRADE}${extra}`);
    return { ...asked, far };
  }

  it('tell how they went when they are over', async () => {
    const { client, far, outcomes } = await tunnel('\r\nearly');
    await client.until('\r\n\r\n');
    far.write('there');
    expect(await client.bytes(8)).toBe('hi there');
    expect(String((await once(far, 'data'))[0])).toBe('early');
    expect(outcomes).toEqual([]);
    client.socket.end();
    await once(far, 'end');
    far.end();
    await until(() => outcomes.length > 0);
    expect(outcomes).toEqual([{ status: 101, sentBytes: 8, complete: true }]);
  });

  it('do not begin while the body of their request is coming', async () => {
    const { client } = await tunnel('Content-Length: 5\r\n\r\nab');
    expect(await client.end()).toBe('');
  });
});

describe('what handlers make', () => {
  const headers = (raw: string[]) => async (): Promise<ProxyResponse> => ({ status: 200, headers: new HeaderList(raw), body: undefined });
  it.each([
    ['a line break in a value', ['X', 'a\r\nSet-Cookie: b'], 'X: a  Set-Cookie: b\r\n'],
    ['NUL in a value', ['X', 'a\0b'], 'X: a b\r\n'],
    ['a wide character whose low byte is LF', ['X', 'a\u010ab'], 'X: a\xc4\x8ab\r\n'],
    ['a wide character', ['X', '\u4e2d'], 'X: \xe4\xb8\xad\r\n'],
    ['a name that is none and a value that is none', ['X Y\r\nZ', 'a\nb'], ''],
  ])('makes %s safe', async (_name, raw, line) => {
    const { client } = await talkHttp1(headers(raw));
    client.write(GET);
    const { head } = await client.response();
    expect(head.replace(/^Date: .*\r\n/m, '')).toBe(`HTTP/1.1 200 OK\r\n${line}Content-Length: 0\r\n\r\n`);
  });

  it.each([
    ['too short', 'abc', 5],
    ['too long', 'abcdef', 5],
  ])('cuts a body that is %s for its length', async (_name, text, length) => {
    const { client, outcomes } = await talkHttp1(async () => ({
      status: 200,
      headers: new HeaderList(),
      body: { ...createBody(text), length },
    }));
    client.write(GET);
    expect(await client.end()).not.toContain('\r\n\r\nabcdef');
    expect(outcomes[0]?.complete).toBe(false);
  });

  it.each([
    ['ClientError', new ClientError('client.too-large', 413, 'too large'), 413],
    ['an error of ours', new Error('bug'), 500],
  ])('answers %s', async (_name, error, status) => {
    const { client } = await talkHttp1(async () => {
      throw error;
    });
    client.write(GET);
    expect((await client.response()).head).toMatch(new RegExp(`^HTTP/1.1 ${status} [\\s\\S]*Connection: close\r\n`));
    expect(await client.end()).toBe('');
  });

  it('answers 500 when a handler throws at once', async () => {
    const { client } = await talkHttp1((() => {
      throw new Error('bug');
    }) as Handler);
    client.write(GET);
    expect((await client.response()).head).toMatch(/^HTTP\/1.1 500 /);
  });
});
