import net from 'node:net';
import { describe, expect, it } from 'vitest';
import { createBody, createStreamBody } from '../../../src/base/body.ts';
import { createRequest, HeaderList, type ProxyRequest } from '../../../src/base/message.ts';
import type { RawConnection } from '../../support/raw-connection.ts';
import { serverTarget } from '../../support/server-target.ts';
import { chunksOf, type RimUnderTest, textOf } from './rim.ts';

/** How requests reach a server, and its answers come back. */
export function describeTowardsServer(name: string, { sender, upstream }: RimUnderTest): void {
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
}
