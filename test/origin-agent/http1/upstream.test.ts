import { describe, expect, it } from 'vitest';
import { createStreamBody } from '../../../src/base/body.ts';
import { createRequest, HeaderList, type ProxyRequest } from '../../../src/base/message.ts';
import { ANSWER, exchange, reach, talkThrough, textOf } from '../../support/http1-upstream.ts';
import type { RawConnection } from '../../support/raw-connection.ts';
import { serverTarget } from '../../support/server-target.ts';
import { until } from '../../support/until.ts';

describe('the pool of a server', () => {
  it('takes the connection that was used last', async () => {
    const set = await reach();
    const [first, second] = await exchange(set, 2);
    expect(set.upstream.idle).toBe(2);
    // Both became idle in the order of their answers: the second one lies on top.
    for (let round = 0; round < 3; round++) {
      const answer = set.send();
      await second!.until('\r\n\r\n');
      second!.write(ANSWER);
      await answer;
    }
    expect(first!.received()).toBe('');
  });

  it.each([
    [1, 1],
    [2, 2],
    [-1, 0],
    [0, 3],
    [undefined, 3],
  ])('keeps no more than maxIdleConnsPerHost %s', async (maxIdleConnsPerHost, idle) => {
    const set = await reach({ maxIdleConnsPerHost });
    await exchange(set, 3);
    expect(set.upstream.idle).toBe(idle);
  });

  it('closes what was idle for idleConnTimeout', async () => {
    const set = await reach({ forwardingTimeouts: { idleConnTimeout: 1000 } });
    const [first, second] = await exchange(set, 2);
    await set.clock.advance(600);
    const answer = set.send();
    await second!.until('\r\n\r\n');
    second!.write(ANSWER);
    await answer;
    await set.clock.advance(500);
    expect(await first!.end()).toBe('');
    expect(set.upstream.idle).toBe(1);
    await set.clock.advance(600);
    expect(await second!.end()).toBe('');
    expect(set.upstream.idle).toBe(0);
  });

  it.each([
    ['ends', (connection: RawConnection) => connection.socket.end()],
    ['resets', (connection: RawConnection) => connection.socket.resetAndDestroy()],
    [
      'speaks without being asked',
      (connection: RawConnection) => connection.write('HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n'),
    ],
  ])('forgets an idle connection that the server %s', async (_name, act) => {
    const set = await reach();
    const [connection] = await exchange(set, 1);
    act(connection!);
    await until(() => set.upstream.idle === 0);
    const [other] = await exchange(set, 1);
    expect(other).not.toBe(connection);
  });

  it.each([
    ['Connection: close', 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok'],
    ['HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok'],
    ['bytes behind the answer', `${ANSWER}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`],
    ['bytes behind a chunked answer', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n'],
    ['a body for HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'],
    ['a body of 204', 'HTTP/1.1 204 No Content\r\n\r\nok'],
  ])('keeps no connection after %s', async (name, text) => {
    const { server, upstream, send } = await reach();
    const answer = send({ method: name.endsWith('HEAD') ? 'HEAD' : 'GET' });
    const connection = await server.next();
    await connection.until('\r\n\r\n');
    connection.write(text);
    await textOf(await answer);
    await connection.end();
    expect(upstream.idle).toBe(0);
  });

  it('keeps an HTTP/1.0 connection when the server wants to', async () => {
    const { server, upstream, send } = await reach();
    const answer = send();
    const connection = await server.next();
    await connection.until('\r\n\r\n');
    connection.write('HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok');
    await textOf(await answer);
    expect(upstream.idle).toBe(1);
  });

  it('starts anew when a transport changes under its name', async () => {
    const set = await reach();
    const [connection] = await exchange(set, 1);
    set.upstream.send(serverTarget(set.server.port, { maxIdleConnsPerHost: 5 }), createRequest()).catch(() => {});
    await (await set.server.next()).until('\r\n\r\n');
    expect(await connection!.end()).toBe('');
  });

  it('shares connections between configurations', async () => {
    const set = await reach({ maxIdleConnsPerHost: 5 });
    const [connection] = await exchange(set, 1);
    const answer = set.upstream.send(serverTarget(set.server.port, { maxIdleConnsPerHost: 5 }), createRequest());
    await connection!.until('\r\n\r\n');
    connection!.write(ANSWER);
    expect(await textOf(await answer)).toBe('ok');
  });
});

describe('a kept connection that closes before any byte of the answer', () => {
  const rows: [string, Partial<ProxyRequest>, boolean][] = [
    ['GET', { method: 'GET' }, true],
    ['HEAD', { method: 'HEAD' }, true],
    ['OPTIONS', { method: 'OPTIONS' }, true],
    ['POST', { method: 'POST' }, false],
    ['PUT', { method: 'PUT' }, false],
    ['DELETE', { method: 'DELETE' }, false],
    ['POST with a key', { method: 'POST', headers: new HeaderList(['Idempotency-Key', '1']) }, true],
    ['GET with a body that flows', { method: 'GET', body: createStreamBody((async function* () {})()) }, false],
  ];
  it.each(rows)('%s', async (_name, init, again) => {
    const set = await reach();
    const [stale] = await exchange(set, 1);
    const answer = set.send(init);
    answer.catch(() => {});
    await stale!.until('\r\n\r\n');
    stale!.socket.end();
    if (again) {
      const fresh = await set.server.next();
      await fresh.until('\r\n\r\n');
      fresh.write('HTTP/1.1 204 No Content\r\n\r\n');
      expect((await answer).status).toBe(204);
    } else {
      await expect(answer).rejects.toMatchObject({ code: 'upstream.closed', sent: true });
    }
  });

  it('is not tried again when a byte has come', async () => {
    const set = await reach();
    const [connection] = await exchange(set, 1);
    const answer = set.send();
    answer.catch(() => {});
    await connection!.until('\r\n\r\n');
    connection!.write('H');
    connection!.socket.end();
    await expect(answer).rejects.toMatchObject({ code: 'upstream.malformed' });
  });

  it('sends a small body of a client again', async () => {
    const { server, client } = await talkThrough();
    const text = 'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody';
    client.write(text);
    const stale = await server.next();
    await stale.until('body');
    stale.write(ANSWER);
    await client.response();
    client.write(text);
    await stale.until('body');
    stale.socket.resetAndDestroy();
    const fresh = await server.next();
    expect(await fresh.until('body')).toContain('Content-Length: 4\r\n\r\nbody');
    fresh.write(ANSWER);
    expect((await client.response()).body).toBe('ok');
  });
});
