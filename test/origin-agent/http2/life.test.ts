import type { ClientHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { textResponse } from '../../../src/base/body.ts';
import type { Handler, ProxyResponse } from '../../../src/base/message.ts';
import { answerOf, ask, talkHttp2 } from '../../support/http2-server.ts';
import { createTestPlatform } from '../../support/platform.ts';
import { until } from '../../support/until.ts';

/** Answers when told to. */
function held(): { handler: Handler; waiting: ((response: ProxyResponse) => void)[] } {
  const waiting: ((response: ProxyResponse) => void)[] = [];
  return { handler: () => new Promise((resolve) => void waiting.push(resolve)), waiting };
}

const closed = (session: ClientHttp2Session): Promise<void> =>
  new Promise((resolve) => (session.destroyed ? resolve() : session.once('close', () => resolve())));

describe('the end of a connection', () => {
  it('finishes what is in work, and refuses what comes later', async () => {
    const { handler, waiting } = held();
    const { session, server } = await talkHttp2(handler);
    const first = ask(session, {});
    await until(() => waiting.length === 1);
    for (const connection of server.connections) connection.drain();
    // Sent before the client has heard of the end.
    const second = ask(session, {});
    const goaway = new Promise((resolve) => session.once('goaway', (code, last) => resolve([code, last])));
    expect(await goaway).toEqual([0, 1]);
    // Refused, not failed: the client may send it again on another connection.
    expect(await second).toMatchObject({ status: Number.NaN, rstCode: 7 });
    waiting[0]!(textResponse(200, 'late'));
    expect((await first).text).toBe('late');
    await closed(session);
    await until(() => server.connections.size === 0);
    expect(waiting.length).toBe(1);
  });

  it('closes an idle connection at once', async () => {
    const { session, server } = await talkHttp2(async () => textResponse(200, 'ok'));
    await ask(session, {});
    for (const connection of server.connections) connection.drain();
    await closed(session);
    await until(() => server.connections.size === 0);
  });

  it('ends after keepAliveMaxRequests', async () => {
    const { session } = await talkHttp2(async () => textResponse(200, 'ok'), { limits: { keepAliveMaxRequests: 2 } });
    expect((await ask(session, {})).status).toBe(200);
    expect(session.closed).toBe(false);
    expect((await ask(session, {})).status).toBe(200);
    await closed(session);
  });

  it.each<[string, (socket: Socket) => void]>([
    ['ends its side', (socket) => void socket.end()],
    ['resets it', (socket) => void socket.resetAndDestroy()],
  ])('is over when the client %s', async (_name, act) => {
    const { handler, waiting } = held();
    const { session, server, socket } = await talkHttp2(handler);
    void ask(session, {});
    await until(() => waiting.length === 1);
    act(socket);
    await until(() => server.connections.size === 0 && server.outcomes.length === 1);
    expect(server.outcomes[0]!.request.cancellation.cancelled).toBe(true);
  });

  it('cancels what is in work when it is destroyed', async () => {
    const { handler, waiting } = held();
    const { session, server } = await talkHttp2(handler);
    const answer = ask(session, {});
    await until(() => waiting.length === 1);
    for (const connection of server.connections) connection.destroy();
    await answer;
    await until(() => server.outcomes.length === 1);
    expect(server.outcomes[0]!.outcome.complete).toBe(false);
    expect(server.outcomes[0]!.request.cancellation.cancelled).toBe(true);
  });
});

describe('time limits', () => {
  it('closes a connection that is idle for idleTimeout, not one in use', async () => {
    const platform = createTestPlatform();
    const { handler, waiting } = held();
    const { session } = await talkHttp2(handler, { clock: platform.clock, limits: { idleTimeoutMs: 1000 } });
    const answer = ask(session, {});
    await until(() => waiting.length === 1);
    platform.advance(5000);
    waiting[0]!(textResponse(200, 'ok'));
    expect((await answer).text).toBe('ok');
    expect(session.closed).toBe(false);
    platform.advance(999);
    expect(session.closed).toBe(false);
    platform.advance(2);
    await closed(session);
  });

  it('answers 408 when a body does not come within readTimeout', async () => {
    const platform = createTestPlatform();
    let reading = false;
    const { session } = await talkHttp2(
      async (request) => {
        reading = true;
        await request.body!.bytes(100);
        return textResponse(200, 'ok');
      },
      { clock: platform.clock, limits: { readTimeoutMs: 1000 } },
    );
    const stream = session.request({ ':method': 'POST', ':authority': 'a.test' }, { endStream: false });
    stream.write('part');
    const answer = answerOf(stream);
    await until(() => reading);
    platform.advance(1001);
    await new Promise((resolve) => stream.once('response', resolve));
    platform.advance(1000);
    expect(await answer).toMatchObject({ status: 408, text: 'Request Timeout' });
  });

  it('resets a stream whose answer has not left within writeTimeout', async () => {
    const platform = createTestPlatform();
    const { handler, waiting } = held();
    const { session } = await talkHttp2(handler, { clock: platform.clock, limits: { writeTimeoutMs: 1000 } });
    const answer = ask(session, {});
    await until(() => waiting.length === 1);
    platform.advance(1001);
    expect(await answer).toMatchObject({ status: Number.NaN, rstCode: 2 });
  });
});
