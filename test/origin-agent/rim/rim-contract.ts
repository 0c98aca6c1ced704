import net from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createBody, createStreamBody, textResponse } from '../../../src/base/body.ts';
import { encodeText } from '../../../src/base/bytes.ts';
import { UpstreamError } from '../../../src/base/errors.ts';
import { createRequest, type Handler, HeaderList, type ProxyRequest, type ProxyResponse } from '../../../src/base/message.ts';
import type { Platform, ServerTarget } from '../../../src/proxy/platform.ts';
import { connectRaw, listenRaw, type RawConnection } from '../../support/raw-connection.ts';

/** A rim under test: a server that feeds the handler, and a sender. */
export interface Rim {
  listen(handler: Handler): Promise<{ port: number; close: () => void }>;
  sender(): { send: Platform['send']; close: () => void };
}

export const serverTarget = (port: number, transport: object = {}): ServerTarget => ({
  url: `http://127.0.0.1:${port}`,
  scheme: 'http',
  host: '127.0.0.1',
  port,
  transportName: 'default@internal',
  transport: transport as ServerTarget['transport'],
});

const textOf = async (body: ProxyRequest['body']): Promise<string> =>
  body === undefined ? '' : new TextDecoder('latin1').decode(await body.bytes(1e6));

async function* chunksOf(...chunks: string[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield encodeText(chunk);
}

const withoutDate = (head: string): string => head.replace(/^Date: .*\r\n/im, '');

/** What every rim of the agent does, whatever it is built on. */
export function describeRim(name: string, rim: Rim): void {
  const closers: (() => void)[] = [];
  afterEach(() => {
    for (const close of closers.splice(0)) close();
  });
  const keep = <T extends { close: () => void }>(thing: T): T => {
    closers.push(() => thing.close());
    return thing;
  };
  const talk = async (handler: Handler): Promise<RawConnection> => keep(await connectRaw(keep(await rim.listen(handler)).port));
  const sender = (): Platform['send'] => keep(rim.sender()).send;
  const upstream = async () => keep(await listenRaw());

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

  describe(`${name}: answers`, () => {
    const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
    const stream = (...chunks: string[]) => createStreamBody(chunksOf(...chunks));
    const rows: [string, string, () => ProxyResponse, RegExp, string][] = [
      ['a body of known length', GET, () => textResponse(200, 'hello'), /^HTTP\/1.1 200 OK\r\n[\s\S]*Content-Length: 5\r\n/, 'hello'],
      ['no body', GET, () => ({ status: 200, headers: new HeaderList(), body: undefined }), /Content-Length: 0\r\n/, ''],
      [
        'a body of unknown length',
        GET,
        () => ({ status: 201, headers: new HeaderList(), body: stream('one', 'two') }),
        /^HTTP\/1.1 201 Created\r\n[\s\S]*Transfer-Encoding: chunked\r\n/,
        'onetwo',
      ],
      [
        'framing fields of the record are not believed',
        GET,
        () => ({
          status: 200,
          headers: new HeaderList(['content-length', '9', 'Transfer-Encoding', 'gzip', 'connection', 'x']),
          body: createBody('abc'),
        }),
        /^HTTP\/1.1 200 OK\r\n(?!.*gzip)[\s\S]*Content-Length: 3\r\n/i,
        'abc',
      ],
      ['a status without a phrase', GET, () => textResponse(299, 'x'), /^HTTP\/1.1 299 status code 299\r\n/, 'x'],
      [
        '204',
        GET,
        () => ({ status: 204, headers: new HeaderList(['X-A', '1', 'Content-Length', '3']), body: createBody('abc') }),
        /^HTTP\/1.1 204 No Content\r\nX-A: 1\r\n\r\n$/,
        '',
      ],
      [
        '304',
        GET,
        () => ({ status: 304, headers: new HeaderList(['ETag', '"e"']), body: undefined }),
        /^HTTP\/1.1 304 Not Modified\r\nETag: "e"\r\n\r\n$/,
        '',
      ],
      [
        'HEAD keeps the length of its headers',
        'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n',
        () => ({ status: 200, headers: new HeaderList(['Content-Length', '12']), body: undefined }),
        /Content-Length: 12\r\n/,
        '',
      ],
      ['HEAD of a body', 'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n', () => textResponse(200, 'hello'), /Content-Length: 5\r\n/, ''],
      [
        'trailers',
        GET,
        () => ({
          status: 200,
          headers: new HeaderList(['Trailer', 'X-Sum']),
          body: createStreamBody(chunksOf('x'), { trailers: () => new HeaderList(['X-Sum', '7', 'X-Two', '8']) }),
        }),
        /Trailer: X-Sum\r\n/,
        'x|X-Sum: 7\r\nX-Two: 8\r\n',
      ],
      [
        'repeated fields in order and case',
        GET,
        () => ({ status: 200, headers: new HeaderList(['x-A', '1', 'Set-Cookie', 'a', 'X-a', '2', 'Set-Cookie', 'b']), body: undefined }),
        /x-A: 1\r\nSet-Cookie: a\r\nX-a: 2\r\nSet-Cookie: b\r\n/,
        '',
      ],
    ];
    it.each(rows)('%s', async (_name, text, answer, head, body) => {
      const client = await talk(async () => answer());
      for (let round = 0; round < 2; round++) {
        client.write(text);
        const response = await client.response({ bodyless: body === '' });
        expect(withoutDate(response.head)).toMatch(head);
        expect(response.body).toBe(body);
      }
      expect(client.received()).toBe('');
    });

    it('adds Date when it is absent, keeps it when there is one', async () => {
      const client = await talk(async (request) =>
        textResponse(200, '', request.path === '/own' ? { headers: ['date', 'Mon, 01 Jan 2024 00:00:00 GMT'] } : {}),
      );
      client.write('GET /own HTTP/1.1\r\nHost: a\r\n\r\n');
      expect((await client.response()).head.match(/^date: .*$/gim)).toEqual(['date: Mon, 01 Jan 2024 00:00:00 GMT']);
      client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      expect((await client.response()).head.match(/^date: .*$/gim)).toEqual([
        expect.stringMatching(/^Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/),
      ]);
    });

    it('flushes each chunk as it comes', async () => {
      const releases: (() => void)[] = [];
      async function* slow(): AsyncGenerator<Uint8Array> {
        for (const text of ['one', 'two']) {
          yield encodeText(text);
          await new Promise<void>((resolve) => releases.push(resolve));
        }
      }
      const client = await talk(async () => ({ status: 200, headers: new HeaderList(), body: createStreamBody(slow()) }));
      client.write(GET);
      await client.until('3\r\none\r\n');
      releases.shift()!();
      await client.until('3\r\ntwo\r\n');
      releases.shift()!();
      await client.until('0\r\n\r\n');
    });

    it('sends interim answers before the final one', async () => {
      const client = await talk(async (request) => {
        request.interim!(103, new HeaderList(['Link', '</a.css>']));
        request.interim!(102, new HeaderList());
        return textResponse(200, 'x');
      });
      client.write(GET);
      expect(await client.until('\r\n\r\n')).toBe('HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n');
      expect(await client.until('\r\n\r\n')).toBe('HTTP/1.1 102 Processing\r\n\r\n');
      expect((await client.response()).body).toBe('x');
    });

    it.each([
      ['GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', 'Connection: close'],
      ['GET / HTTP/1.0\r\n\r\n', ''],
    ])('closes after %j', async (text, field) => {
      const client = await talk(async () => textResponse(200, 'bye'));
      client.write(text);
      const { head, body } = await client.response();
      expect(body).toBe('bye');
      if (field !== '') expect(head).toContain(field);
      expect(await client.end()).toBe('');
    });

    it('closes in the middle when the body fails, without an end', async () => {
      async function* failing(): AsyncGenerator<Uint8Array> {
        yield encodeText('part');
        throw new UpstreamError('upstream.closed', 'gone');
      }
      const client = await talk(async () => ({ status: 200, headers: new HeaderList(), body: createStreamBody(failing()) }));
      client.write(GET);
      await client.until('4\r\npart\r\n');
      expect(await client.end()).toBe('');
    });

    it('answers 500 and closes when the handler throws', async () => {
      const client = await talk(async () => {
        throw new Error('our bug');
      });
      client.write(GET);
      expect((await client.response()).head).toMatch(/^HTTP\/1.1 500 [\s\S]*Connection: close/i);
      expect(await client.end()).toBe('');
    });
  });

  describe(`${name}: towards a server`, () => {
    it('sends what the record says', async () => {
      const server = await upstream();
      const answer = sender()(
        serverTarget(server.port),
        createRequest({
          path: '/a%2Fb',
          query: 'q',
          host: 'A.test',
          headers: new HeaderList(['x-B', '1', 'X-b', '2', 'Connection', 'x', 'Content-Length', '7']),
        }),
      );
      const connection = await server.next();
      const head = await connection.until('\r\n\r\n');
      expect(head.replace(/^Connection: keep-alive\r\n/m, '')).toBe('GET /a%2Fb?q HTTP/1.1\r\nHost: A.test\r\nx-B: 1\r\nX-b: 2\r\n\r\n');
      connection.write('HTTP/1.1 200 Fine\r\nX-One: 1\r\nx-one: 2\r\nContent-Length: 2\r\n\r\nok');
      const { status, headers, body } = await answer;
      expect([status, headers.raw, body!.length]).toEqual([200, ['X-One', '1', 'x-one', '2', 'Content-Length', '2'], 2]);
      expect(await textOf(body)).toBe('ok');
    });

    const bodies: [string, string, () => ProxyRequest['body'], string][] = [
      ['no body of a GET', 'GET', () => undefined, '\r\n\r\n'],
      ['no body of a POST', 'POST', () => undefined, 'Content-Length: 0\r\n\r\n'],
      ['a known length', 'POST', () => createBody('hello'), 'Content-Length: 5\r\n\r\nhello'],
      [
        'an unknown length',
        'PUT',
        () => createStreamBody(chunksOf('ab', 'cde')),
        'Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n',
      ],
      [
        'trailers',
        'PUT',
        () => createStreamBody(chunksOf('ab'), { trailers: () => new HeaderList(['X-S', '1']) }),
        'Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nX-S: 1\r\n\r\n',
      ],
    ];
    it.each(bodies)('frames %s', async (_name, method, body, tail) => {
      const server = await upstream();
      const answer = sender()(serverTarget(server.port), createRequest({ method, body: body() }));
      const connection = await server.next();
      const text = (await connection.until('\r\n\r\n')).replace(/Connection: keep-alive\r\n/, '');
      const rest = tail.slice(tail.indexOf('\r\n\r\n') + 4);
      expect(text + (await connection.bytes(rest.length))).toContain(tail);
      connection.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
      expect((await answer).body).toBeUndefined();
    });

    const answers: [string, string, string, object][] = [
      ['by length', 'GET', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello', { status: 200, text: 'hello', trailers: undefined }],
      [
        'chunked',
        'GET',
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n',
        { status: 200, text: 'hello', trailers: undefined },
      ],
      [
        'trailers',
        'GET',
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-Sum: 7\r\n\r\n',
        { status: 200, text: 'x', trailers: ['X-Sum', '7'] },
      ],
      ['until close', 'GET', 'HTTP/1.1 200 OK\r\n\r\ntill close', { status: 200, text: 'till close', trailers: undefined }],
      ['HTTP/1.0', 'GET', 'HTTP/1.0 200 OK\r\n\r\nold', { status: 200, text: 'old', trailers: undefined }],
      ['HEAD', 'HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n', { status: 200, text: '', trailers: undefined }],
      ['304', 'GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n', { status: 304, text: '', trailers: undefined }],
      [
        '100 first',
        'GET',
        'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
        { status: 200, text: 'ok', trailers: undefined },
      ],
    ];
    it.each(answers)('understands an answer: %s', async (name, method, text, expected) => {
      const server = await upstream();
      const answer = sender()(serverTarget(server.port), createRequest({ method }));
      const connection = await server.next();
      await connection.until('\r\n\r\n');
      connection.write(text);
      if (name === 'until close' || name === 'HTTP/1.0') connection.socket.end();
      const response = await answer;
      const content = await textOf(response.body);
      expect({ status: response.status, text: content, trailers: response.body?.trailers()?.raw }).toEqual(expected);
    });

    it('keeps the connection for the next request', async () => {
      const server = await upstream();
      const send = sender();
      let connection: RawConnection | undefined;
      for (let round = 0; round < 3; round++) {
        const answer = send(serverTarget(server.port), createRequest({ path: `/${round}` }));
        connection ??= await server.next();
        expect(await connection.until('\r\n\r\n')).toContain(`GET /${round} `);
        connection.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
        expect(await textOf((await answer).body)).toBe('ok');
      }
    });

    it('sends again when a kept connection was closed before any byte', async () => {
      const server = await upstream();
      const send = sender();
      const first = send(serverTarget(server.port), createRequest());
      const one = await server.next();
      await one.until('\r\n\r\n');
      one.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      await textOf((await first).body);
      const second = send(serverTarget(server.port), createRequest());
      await one.until('\r\n\r\n');
      one.socket.resetAndDestroy();
      const two = await server.next();
      await two.until('\r\n\r\n');
      two.write('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nnew');
      expect(await textOf((await second).body)).toBe('new');
    });

    it('hands on interim answers', async () => {
      const server = await upstream();
      const seen: [number, string[]][] = [];
      const answer = sender()(
        serverTarget(server.port),
        createRequest({ interim: (status, headers) => void seen.push([status, headers.raw]) }),
      );
      const connection = await server.next();
      await connection.until('\r\n\r\n');
      connection.write(
        'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
      );
      expect(await textOf((await answer).body)).toBe('ok');
      expect(seen).toEqual([
        [103, ['Link', '</a>']],
        [102, []],
      ]);
    });

    it.each([
      ['closes before the answer', (c: RawConnection) => c.socket.end(), 'upstream.closed'],
      ['resets before the answer', (c: RawConnection) => c.socket.resetAndDestroy(), 'upstream.closed'],
      ['sends garbage', (c: RawConnection) => c.write('this is not http\r\n\r\n'), 'upstream.malformed'],
      ['sends a bad status', (c: RawConnection) => c.write('HTTP/1.1 abc OK\r\n\r\n'), 'upstream.malformed'],
      [
        'sends two lengths',
        (c: RawConnection) => c.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc'),
        'upstream.malformed',
      ],
      ['sends bare line feeds', (c: RawConnection) => c.write('HTTP/1.1 200 OK\nContent-Length: 2\n\nok'), 'upstream.malformed'],
    ])('a server that %s', async (_name, act, code) => {
      const server = await upstream();
      const answer = sender()(serverTarget(server.port), createRequest());
      const connection = await server.next();
      await connection.until('\r\n\r\n');
      act(connection);
      await expect(answer).rejects.toMatchObject({ name: 'UpstreamError', code, sent: true });
    });

    it('says that a refused connection sent nothing', async () => {
      const server = net.createServer().listen(0, '127.0.0.1');
      await new Promise((resolve) => server.once('listening', resolve));
      const { port } = server.address() as net.AddressInfo;
      await new Promise((resolve) => server.close(resolve));
      await expect(sender()(serverTarget(port), createRequest())).rejects.toMatchObject({ code: 'upstream.refused', sent: false });
    });

    it('waits for the head of the answer no longer than responseHeaderTimeout', async () => {
      const server = await upstream();
      const answer = sender()(serverTarget(server.port, { forwardingTimeouts: { responseHeaderTimeout: 50 } }), createRequest());
      const connection = await server.next();
      await expect(answer).rejects.toMatchObject({ code: 'upstream.timeout', sent: true });
      await connection.end();
    });

    it('closes the connection when the client goes away', async () => {
      const server = await upstream();
      const request = createRequest();
      const answer = sender()(serverTarget(server.port), request);
      const connection = await server.next();
      await connection.until('\r\n\r\n');
      request.cancellation.cancel();
      await expect(answer).rejects.toMatchObject({ code: 'upstream.aborted' });
      await connection.end();
    });

    it.each([
      ['by length', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\npart'],
      ['chunked', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n'],
    ])('fails the body of an answer cut short: %s', async (_name, text) => {
      const server = await upstream();
      const answer = sender()(serverTarget(server.port), createRequest());
      const connection = await server.next();
      await connection.until('\r\n\r\n');
      connection.write(text);
      const { body } = await answer;
      connection.socket.end();
      await expect(textOf(body)).rejects.toMatchObject({ code: 'upstream.closed' });
    });
  });

  describe(`${name}: through and through`, () => {
    const proxy = async (transport: object = {}) => {
      const server = await upstream();
      const send = sender();
      const client = await talk((request) => send(serverTarget(server.port, transport), request));
      return { server, client };
    };

    it('passes large bodies both ways', async () => {
      const { server, client } = await proxy();
      const up = 'u'.repeat(3_000_000);
      const down = 'd'.repeat(3_000_000);
      client.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${up.length}\r\n\r\n${up}`);
      const connection = await server.next();
      await connection.until('\r\n\r\n');
      expect((await connection.bytes(up.length)) === up).toBe(true);
      connection.write(`HTTP/1.1 200 OK\r\nContent-Length: ${down.length}\r\n\r\n${down}`);
      expect((await client.response()).body === down).toBe(true);
    });

    it('passes chunks and trailers both ways', async () => {
      const { server, client } = await proxy();
      client.write('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n');
      const connection = await server.next();
      await connection.until('\r\n\r\n');
      expect(await connection.until('X-T: 1\r\n\r\n')).toBe('3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n');
      connection.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nxyz\r\n0\r\nX-U: 2\r\n\r\n');
      expect((await client.response()).body).toBe('xyz|X-U: 2\r\n');
    });

    it('joins an upgraded connection', async () => {
      const { server, client } = await proxy();
      client.write('GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
      const connection = await server.next();
      expect(await connection.until('\r\n\r\n')).toMatch(
        /Upgrade: websocket\r\n[\s\S]*Connection: Upgrade\r\n|Connection: Upgrade\r\n[\s\S]*Upgrade: websocket\r\n/,
      );
      connection.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nfirst!');
      expect(await client.until('\r\n\r\n')).toBe('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
      expect(await client.bytes(6)).toBe('first!');
      client.write('ping');
      expect(await connection.bytes(4)).toBe('ping');
      connection.write('pong');
      expect(await client.bytes(4)).toBe('pong');
      client.socket.end();
      expect(await connection.end()).toBe('');
      connection.write('late');
      expect(await client.bytes(4)).toBe('late');
      connection.socket.end();
      await client.end();
    });

    it('does not follow a client that wants h2c', async () => {
      const { server, client } = await proxy();
      client.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: \r\n\r\n');
      const connection = await server.next();
      expect(await connection.until('\r\n\r\n')).not.toMatch(/^Connection: .*Upgrade/im);
      connection.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      expect((await client.response()).body).toBe('ok');
    });

    it('passes the refusal of an upgrade', async () => {
      const { server, client } = await proxy();
      client.write('GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
      const connection = await server.next();
      await connection.until('\r\n\r\n');
      connection.write('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno');
      const { head, body } = await client.response();
      expect(head).toMatch(/^HTTP\/1.1 403 Forbidden/);
      expect(body).toBe('no');
    });

    it('cuts the answer for the client when the server cuts it', async () => {
      const { server, client } = await proxy();
      client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      const connection = await server.next();
      await connection.until('\r\n\r\n');
      connection.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n');
      await client.until('4\r\npart\r\n');
      connection.socket.end();
      expect(await client.end()).toBe('');
    });

    it('closes the connection to the server when the client goes away in the middle of the answer', async () => {
      const { server, client } = await proxy();
      client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      const connection = await server.next();
      await connection.until('\r\n\r\n');
      connection.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart');
      await client.until('part');
      client.socket.resetAndDestroy();
      await connection.end();
    });
  });
}
