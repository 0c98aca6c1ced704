import { describe, expect, it } from 'vitest';
import { textResponse } from '../../../src/base/body.ts';
import type { ProxyRequest } from '../../../src/base/message.ts';
import { type RimUnderTest, textOf } from './rim.ts';

/** What a handler gets of a client's requests. */
export function describeRequests(name: string, { talk }: RimUnderTest): void {
  describe(`${name}: requests`, () => {
    it('gives the record as the client sent it', async () => {
      let seen: ProxyRequest | undefined;
      const client = await talk(async (request) => {
        seen = request;
        return textResponse(200, 'ok');
      });
      client.write('GET /a%2fb/../c?x=1?&y HTTP/1.1\r\nhost: A.test:81\r\nx-B: 1\r\nX-b:  2 \r\nX-Empty:\r\nX-Latin: \xe9\r\n\r\n');
      await client.response();
      expect(seen).toMatchObject({
        method: 'GET',
        path: '/a%2fb/../c',
        query: 'x=1?&y',
        host: 'A.test:81',
        protocol: 'HTTP/1.1',
        scheme: 'http',
        body: undefined,
        clientAddress: '127.0.0.1',
        clientPort: client.socket.localPort,
        entryPoint: 'web',
        upgrade: undefined,
      });
      expect(seen!.headers.raw).toEqual(['x-B', '1', 'X-b', '2', 'X-Empty', '', 'X-Latin', '\xe9']);
    });

    it.each([
      ['GET http://other.test:8080/p?q HTTP/1.1', { path: '/p', query: 'q', host: 'other.test:8080' }],
      ['GET HTTP://other.test HTTP/1.1', { path: '/', query: undefined, host: 'other.test' }],
      ['GET http://other.test?q HTTP/1.1', { path: '/', query: 'q', host: 'other.test' }],
      ['OPTIONS * HTTP/1.1', { path: '*', query: undefined, host: 'a.test' }],
      ['CONNECT a.test:443 HTTP/1.1', { path: '', query: undefined, host: 'a.test:443' }],
      ['GET /? HTTP/1.1', { path: '/', query: '', host: 'a.test' }],
      ['GET // HTTP/1.1', { path: '//', query: undefined, host: 'a.test' }],
    ])('%s', async (line, expected) => {
      let seen: Partial<ProxyRequest> = {};
      const client = await talk(async ({ path, query, host }) => {
        seen = { path, query, host };
        return textResponse(200, 'ok');
      });
      client.write(`${line}\r\nHost: a.test\r\n\r\n`);
      await client.response();
      expect(seen).toEqual(expected);
    });

    it.each([
      ['Content-Length: 5\r\n\r\nhello', 'hello', 5],
      ['Content-Length: 0\r\n\r\n', '', undefined],
      ['Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n003;x=y\r\nllo\r\n0\r\n\r\n', 'hello', undefined],
    ])('body framed as %j', async (frame, content, length) => {
      let seenLength: number | undefined;
      const client = await talk(async (request) => {
        seenLength = request.body?.length;
        return textResponse(200, await textOf(request.body));
      });
      client.write(`POST / HTTP/1.1\r\nHost: a\r\n${frame}`);
      expect((await client.response()).body).toBe(content);
      expect(seenLength).toBe(length);
      client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc');
      expect((await client.response()).body).toBe('abc');
    });

    it('gives the trailers of a request after its last chunk', async () => {
      const client = await talk(async (request) => {
        const body = await textOf(request.body);
        return textResponse(200, `${body} ${JSON.stringify(request.body!.trailers()?.raw)}`);
      });
      client.write('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-Sum: 7\r\nx-two:8\r\n\r\n');
      expect((await client.response()).body).toBe('x ["X-Sum","7","x-two","8"]');
    });

    it('asks for an expected body when it is opened, and only then', async () => {
      const client = await talk(async (request) => textResponse(200, request.path === '/read' ? await textOf(request.body) : 'unread'));
      client.write('POST /read HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n');
      expect(await client.until('\r\n\r\n')).toBe('HTTP/1.1 100 Continue\r\n\r\n');
      client.write('body');
      expect((await client.response()).body).toBe('body');
      client.write('POST /not HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n');
      const { head, body } = await client.response();
      expect(head).toMatch(/^HTTP\/1.1 200 OK/);
      expect(body).toBe('unread');
    });

    it('refuses other expectations with 417', async () => {
      const client = await talk(async () => textResponse(200, 'never'));
      client.write('POST / HTTP/1.1\r\nHost: a\r\nExpect: magic\r\nContent-Length: 1\r\n\r\nx');
      expect((await client.response()).head).toMatch(/^HTTP\/1.1 417 [\s\S]*Connection: close/i);
    });

    it('answers pipelined requests in order', async () => {
      const client = await talk(async (request) => {
        for (let turn = 0; request.path === '/1' && turn < 5; turn++) await new Promise((resolve) => void setImmediate(resolve));
        return textResponse(200, request.path);
      });
      client.write('GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n');
      expect((await client.response()).body).toBe('/1');
      expect((await client.response()).body).toBe('/2');
    });

    it('cancels the request when its client goes away', async () => {
      let cancelled: Promise<void> | undefined;
      let started = (): void => {};
      const begun = new Promise<void>((resolve) => void (started = resolve));
      const client = await talk(async (request) => {
        cancelled = new Promise((resolve) => request.cancellation.onCancel(resolve));
        started();
        await cancelled;
        return textResponse(200, 'nobody hears');
      });
      client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await begun;
      client.socket.resetAndDestroy();
      await cancelled;
    });

    it('fails the body when its client goes away in the middle', async () => {
      let opened = (): void => {};
      const open = new Promise<void>((resolve) => void (opened = resolve));
      let failure: Promise<unknown> | undefined;
      const client = await talk(async (request) => {
        failure = textOf(request.body).catch((error: unknown) => error);
        opened();
        await failure;
        return textResponse(200, '');
      });
      client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nstart');
      await open;
      client.close();
      expect(await failure).toMatchObject({ code: 'upstream.aborted' });
    });
  });
}
