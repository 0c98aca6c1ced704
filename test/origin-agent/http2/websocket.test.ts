import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { textResponse } from '../../../src/base/body.ts';
import { systemClock } from '../../../src/origin-agent/clock.ts';
import { createUpstream } from '../../../src/origin-agent/http1/upstream.ts';
import { prepareOutgoing } from '../../../src/proxy/outgoing.ts';
import { answerOf, talkHttp2 } from '../../support/http2-server.ts';
import { listenRaw, type RawConnection } from '../../support/raw-connection.ts';
import { serverTarget } from '../../support/server-target.ts';
import { until } from '../../support/until.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A client's stream of WebSocket, and the connection on which its handshake reached a server of HTTP/1.1. */
async function shake(fields: object = {}) {
  const backend = await listenRaw();
  const upstream = createUpstream({ clock: systemClock });
  const target = serverTarget(backend.port);
  const { server, session } = await talkHttp2((request) => upstream.send(target, prepareOutgoing(request, true, '').outgoing));
  closers.push(backend.close, upstream.close);
  await new Promise((resolve) => session.once('remoteSettings', resolve));
  const stream = session.request(
    { ':method': 'CONNECT', ':protocol': 'websocket', ':scheme': 'http', ':path': '/chat', ':authority': 'a.test', ...fields },
    { endStream: false },
  );
  stream.on('error', () => {});
  const connection = await backend.next();
  const head = await connection.until('\r\n\r\n');
  return { session, server, stream, connection, head };
}

const keyOf = (head: string): string => /^sec-websocket-key: (.+)\r$/im.exec(head)![1]!;
const acceptOf = (key: string): string => createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
const accept = (connection: RawConnection, value: string, more = ''): void =>
  connection.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${value}\r\n\r\n${more}`,
  );

describe('WebSocket over HTTP/2', () => {
  it('reaches a server of HTTP/1.1, both ways, to the end', async () => {
    const { stream, connection, head, server } = await shake({ 'sec-websocket-protocol': 'chat' });
    expect(head).toMatch(/^GET \/chat HTTP\/1.1\r\nHost: a.test\r\n/);
    expect(head).toMatch(/^sec-websocket-version: 13\r$/im);
    expect(head).toMatch(/^sec-websocket-protocol: chat\r$/im);
    expect(head).toMatch(/^Upgrade: websocket\r\n[\s\S]*^Connection: Upgrade\r$/im);
    const response = new Promise<Record<string, unknown>>((resolve) => stream.once('response', resolve));
    accept(connection, acceptOf(keyOf(head)), 'first');
    const fields = await response;
    expect([fields[':status'], fields['sec-websocket-accept'], fields.upgrade]).toEqual([200, undefined, undefined]);
    const answer = answerOf(stream);
    stream.write('ping');
    expect(await connection.bytes(4)).toBe('ping');
    connection.write('pong');
    await new Promise((resolve) => stream.once('data', resolve));
    stream.end();
    expect(await connection.end()).toBe('');
    connection.write(' late');
    connection.socket.end();
    expect((await answer).text).toMatch(/pong late$/);
    await until(() => server.outcomes.length === 1);
    expect(server.outcomes[0]!.outcome).toMatchObject({ status: 200, complete: true, sentBytes: 14 });
  });

  it('passes a refusal on', async () => {
    const { stream, connection } = await shake();
    const answer = answerOf(stream);
    connection.write('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno');
    expect(await answer).toMatchObject({ status: 403, text: 'no' });
  });

  it.each([
    ['an answer to another handshake', (connection: RawConnection) => accept(connection, 'wrong')],
    ['no handshake at all', (connection: RawConnection) => connection.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')],
  ])('takes %s for no success', async (_name, act) => {
    const { stream, connection } = await shake();
    const answer = answerOf(stream);
    act(connection);
    expect((await answer).status).toBe(502);
  });

  it('closes the way to the server when the client resets its stream', async () => {
    const { stream, connection, head } = await shake();
    accept(connection, acceptOf(keyOf(head)));
    await new Promise((resolve) => stream.once('response', resolve));
    stream.destroy();
    await connection.end();
  });

  it('is for WebSocket alone', async () => {
    const { session } = await talkHttp2(async () => textResponse(200, 'ok'));
    await new Promise((resolve) => session.once('remoteSettings', resolve));
    const fields = { ':method': 'CONNECT', ':protocol': 'connect-ip', ':scheme': 'http', ':path': '/', ':authority': 'a.test' };
    expect(await answerOf(session.request(fields, { endStream: true }))).toMatchObject({ status: 501 });
  });
});
