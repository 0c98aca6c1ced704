import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ENVELOPE } from '../../src/config/envelope.ts';
import { echoOf, get, post, sendRaw, stream } from '../support/edge/client.ts';
import { echo, type Origin, startOrigin, valuesOf } from '../support/edge/origin.ts';
import { folded, router, servers, startWorld, type World } from '../support/edge/world.ts';
import { until } from '../support/until.ts';

let world: World;
let origin: Origin;
let direct: Origin;
let port: number;

const TEXT = 'hello '.repeat(200);
const PACKED: Record<string, Buffer> = { gzip: gzipSync(TEXT), br: brotliCompressSync(TEXT), zstd: zstdCompressSync(TEXT) };
/** The first piece of a body that the origin got. */
let begun: string | undefined;
/** Set by the origin when a client of `/hang` or `/drip` has gone. */
let gone: Promise<unknown>;

function serve(request: IncomingMessage, response: ServerResponse): void {
  const path = request.url!;
  if (path.startsWith('/packed/')) {
    const coding = path.slice('/packed/'.length);
    const body = PACKED[coding]!;
    response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Encoding': coding, 'Content-Length': body.length });
    response.end(body);
  } else if (path === '/fields') {
    response.writeHead(203, [
      'Set-Cookie',
      'a=1',
      'Set-Cookie',
      'b=2',
      'X-Repeated',
      'one',
      'X-Repeated',
      'two',
      'edgeway-own',
      'x',
      'Content-Length',
      '0',
    ]);
    response.end();
  } else if (path === '/hang' || path === '/drip') {
    gone = once(response, 'close');
    if (path === '/drip') response.writeHead(200).write('first');
  } else if (path.startsWith('/status/')) {
    response
      .writeHead(Number(path.slice('/status/'.length)), { Location: 'http://elsewhere.test/', 'Cache-Control': 'public, max-age=600' })
      .end();
  } else {
    request.once('data', (piece: Buffer) => (begun = piece.toString()));
    echo('app')(request, response);
  }
}

beforeAll(async () => {
  [origin, direct] = await Promise.all([startOrigin('app', serve), startOrigin('direct')]);
  world = await startWorld({ names: { 'direct.test:8080': direct.port } });
  port = await world.port();
  const app = { 'app@docker': servers(origin.url) };
  world.site('agent-1').configure({
    routers: {
      'whole@docker': router('Host(`whole.example.com`)', 'app@docker', { middlewares: ['one@docker', 'strip@docker'] }),
    },
    services: app,
    middlewares: {
      'one@docker': { inFlightReq: { amount: 1, sourceCriterion: { requestHost: true } } },
      'strip@docker': { stripPrefix: { prefixes: ['/whole'] } },
    },
    serversTransports: {},
  });
  const service = folded({ 'agent-1': { name: 'app@docker', weight: 1 } });
  await world.publish({
    routers: {
      'app@docker': router('Host(`app.example.com`) || Host(`[::1]`)', 'app@docker'),
      'api@docker': router('Host(`app.example.com`) && PathPrefix(`/api`) && !Path(`/api/raw`)', 'app@docker', {
        middlewares: ['strip@docker', 'mark@docker'],
      }),
      'whole@docker': router('Host(`whole.example.com`)', 'app@docker', {
        middlewares: ['one@docker', 'strip@docker'],
        handOver: { 'agent-1': 'whole@docker' },
      }),
      'gone@docker': router('Host(`gone.example.com`)', 'gone@docker'),
      'direct@file': router('Host(`direct.example.com`)', 'direct@file'),
      'address@file': router('Host(`address.example.com`)', 'address@file'),
    },
    services: {
      'app@docker': service,
      'gone@docker': folded({ 'agent-1': { name: 'gone@docker', weight: 1 } }),
      'direct@file': { ...servers('http://direct.test:8080'), edge: { direct: true } } as never,
      'address@file': { ...servers(direct.url), edge: { direct: true } } as never,
    },
    middlewares: {
      'strip@docker': { stripPrefix: { prefixes: ['/api'] } },
      'mark@docker': { headers: { customRequestHeaders: { 'X-Marked': 'yes' }, customResponseHeaders: { 'X-Answered': 'at the edge' } } },
    },
  });
});
afterAll(async () => {
  await world?.stop();
  await Promise.all([origin?.stop(), direct?.stop()]);
});
beforeEach(() => void world.site('agent-1').received.splice(0));

describe('control host', () => {
  it('answers on its own name only: no path of a user is shadowed', async () => {
    expect((await get(port, 'control.test', '/nothing-here')).body.toString()).toContain('404 Not Found');
    const { target } = echoOf(await get(port, 'app.example.com', '/.edgeway/relay'));
    expect(target).toBe('/.edgeway/relay');
    expect((await get(port, 'unknown.example.com')).body.toString()).toBe('404 page not found\n');
  });
});

describe('the request', () => {
  it('arrives with target, Host and repeated fields as sent', async () => {
    const fields = ['X-Repeated: one', 'x-repeated: two', 'X-MiXed: Case', 'X-Empty:', 'Cookie: a=1; b=2'];
    const head = ['GET /a%2Fb/%7Ec/;p?x=1&&y=%zz+%20 HTTP/1.1', 'Host: App.Example.COM:8443', ...fields].join('\r\n');
    const { target, headers } = echoOf(await sendRaw(port, head));
    expect(target).toBe('/a%2Fb/~c/;p?x=1&&y=%zz+%20');
    expect(valuesOf(headers, 'Host')).toEqual(['App.Example.COM:8443']);
    expect(valuesOf(headers, 'X-Repeated')).toEqual(['one', 'two']);
    expect(valuesOf(headers, 'X-Empty')).toEqual(['']);
    expect(valuesOf(headers, 'Cookie')).toEqual(['a=1; b=2']);
    expect(headers).toContain('X-MiXed');
  });

  it.each([
    ['/?', '/?'],
    ['/', '/'],
    ['/?a=b?c', '/?a=b?c'],
    ['//x', '/x'],
  ])('keeps the query of %s', async (sent, arrived) => {
    expect(echoOf(await get(port, 'app.example.com', sent)).target).toBe(arrived);
  });

  it('tells the client’s address, and nothing that the client forged of it', async () => {
    const forged = [
      'X-Forwarded-For: 6.6.6.6',
      'X-Forwarded-Proto: gopher',
      'X-Real-Ip: 6.6.6.6',
      'edgeway-client: 6.6.6.6 1',
      'Edgeway-Grant: x',
    ];
    const { headers } = echoOf(await get(port, 'app.example.com', '/', forged));
    expect(valuesOf(headers, 'X-Forwarded-For')).toEqual(['127.0.0.1']);
    expect(valuesOf(headers, 'X-Real-Ip')).toEqual(['127.0.0.1']);
    expect(valuesOf(headers, 'X-Forwarded-Proto')).toEqual(['http']);
    expect(valuesOf(headers, 'X-Forwarded-Host')).toEqual(['app.example.com']);
    expect(valuesOf(headers, 'X-Forwarded-Server')).toEqual(['edgeway']);
    expect(headers.filter((text) => /^edgeway-/i.test(text))).toEqual([]);
  });

  it('has the fields that the way to the agent changes as the client sent them', async () => {
    const sent = ['Accept-Encoding: zstd;q=0.5, x-own', 'Cache-Control: max-age=5', 'Pragma: x', 'Forwarded: for=1'];
    const { headers } = echoOf(await get(port, 'app.example.com', '/', sent));
    for (const field of sent) {
      const [name, value] = field.split(': ') as [string, string];
      expect(valuesOf(headers, name), name).toEqual([value]);
    }
    expect(valuesOf(headers, 'CF-Connecting-IP')).toEqual(['127.0.0.1']);
    expect(valuesOf(headers, 'CF-EW-Via')).toEqual([]);
  });

  it.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'PURGE'])('%s takes its body along', async (method) => {
    const { method: arrived, body, headers } = echoOf(await post(port, 'app.example.com', '/', 'some bytes', method));
    expect({ arrived, body }).toEqual({ arrived: method, body: 'some bytes' });
    expect(valuesOf(headers, 'Content-Length')).toEqual(['10']);
    expect(valuesOf(headers, 'Transfer-Encoding')).toEqual([]);
  });

  it('keeps the length of a body that is too large to be held', async () => {
    const { headers, body } = echoOf(await post(port, 'app.example.com', '/', 'x'.repeat(70_000)));
    expect(body).toHaveLength(70_000);
    expect(valuesOf(headers, 'Content-Length')).toEqual(['70000']);
  });

  it('HEAD has the length and no body', async () => {
    const answer = await sendRaw(port, 'HEAD / HTTP/1.1\r\nHost: app.example.com');
    expect(answer.status).toBe(200);
    expect(Number(valuesOf(answer.headers, 'Content-Length')[0])).toBeGreaterThan(100);
  });
});

describe('the answer', () => {
  it('keeps status, cookies and repeated fields', async () => {
    const { status, headers } = await get(port, 'app.example.com', '/fields');
    expect(status).toBe(203);
    expect(valuesOf(headers, 'Set-Cookie')).toEqual(['a=1', 'b=2']);
    expect(valuesOf(headers, 'X-Repeated')).toEqual(['one', 'two']);
    expect(headers.filter((text) => /^edgeway-/i.test(text))).toEqual([]);
  });

  it.each(Object.keys(PACKED))('packed in %s passes byte by byte', async (coding) => {
    const { headers, body } = await get(port, 'app.example.com', `/packed/${coding}`, [`Accept-Encoding: ${coding}`]);
    expect(valuesOf(headers, 'Content-Encoding')).toEqual([coding]);
    expect(valuesOf(headers, 'Content-Length')).toEqual([String(PACKED[coding]!.length)]);
    expect(body.equals(PACKED[coding]!)).toBe(true);
  });

  it.each([301, 304, 404, 500, 503, 521, 530])('of status %i is the server’s own', async (status) => {
    const answer = await get(port, 'app.example.com', `/status/${status}`);
    expect(answer.status).toBe(status);
    expect(valuesOf(answer.headers, 'Location')).toEqual(['http://elsewhere.test/']);
  });
});

describe('streams', () => {
  it('passes each chunk of a request and of an answer as it comes', async () => {
    const { outgoing, answer } = stream(port, 'POST', 'app.example.com', '/');
    begun = undefined;
    outgoing.write('one ');
    await until(() => begun !== undefined);
    outgoing.end('two');
    const incoming = await answer;
    const text = (await incoming.toArray()).join('');
    expect([begun, (JSON.parse(text) as { body: string }).body]).toEqual(['one ', 'one two']);

    const drip = stream(port, 'GET', 'app.example.com', '/drip');
    drip.outgoing.end();
    const first = await drip.answer;
    expect(String((await once(first, 'data'))[0])).toBe('first');
    drip.reset();
    await gone;
  });

  it('tells the server that a client went away before the head', async () => {
    const { outgoing, reset } = stream(port, 'GET', 'app.example.com', '/hang');
    const [request] = (await Promise.all([once(origin.server, 'request'), outgoing.end()]))[0] as [IncomingMessage];
    expect(request.url).toBe('/hang');
    reset();
    await gone;
  });
});

describe('local or handed over', () => {
  it('runs a chain at the edge when every word can: the grant names the service', async () => {
    const answer = await get(port, 'app.example.com', '/api/x?y');
    const { target, headers } = echoOf(answer);
    expect(target).toBe('/x?y');
    expect(valuesOf(headers, 'X-Marked')).toEqual(['yes']);
    expect(valuesOf(headers, 'X-Forwarded-Prefix')).toEqual(['/api']);
    expect(valuesOf(answer.headers, 'X-Answered')).toEqual(['at the edge']);
    expect(grants()).toEqual([{ kind: 'service', name: 'app@docker' }]);
    expect(echoOf(await get(port, 'app.example.com', '/api/raw')).target).toBe('/api/raw');
  });

  it('only matches when a word cannot: the grant names the router, and the agent runs the whole chain', async () => {
    const { target, headers } = echoOf(await get(port, 'whole.example.com', '/whole/x', ['X-Forwarded-For: 6.6.6.6']));
    expect(target).toBe('/x');
    expect(valuesOf(headers, 'X-Forwarded-For')).toEqual(['127.0.0.1']);
    expect(grants()).toEqual([{ kind: 'router', name: 'whole@docker' }]);

    const hanging = stream(port, 'GET', 'whole.example.com', '/whole/drip');
    hanging.outgoing.end();
    await hanging.answer;
    expect((await get(port, 'whole.example.com', '/whole/x')).status).toBe(429);
    hanging.reset();
    await gone;
    await expect.poll(async () => (await get(port, 'whole.example.com', '/whole/x')).status).toBe(200);
  });

  it('uses a grant again until it nears its end', async () => {
    for (let i = 0; i < 3; i++) await get(port, 'app.example.com');
    const tokens = world.site('agent-1').received.map(({ headers }) => headers.get(ENVELOPE.grant));
    expect(tokens).toHaveLength(3);
    expect(new Set(tokens).size).toBe(1);
  });

  const grants = (): unknown[] =>
    world.site('agent-1').received.map(({ headers }) => {
      const { kind, name } = JSON.parse(atob(headers.get(ENVELOPE.grant)!.split('.')[1]!)) as Record<string, unknown>;
      return { kind, name };
    });
});

describe('the relay', () => {
  it('is one URL with the original method; nothing of it comes from a cache', async () => {
    await world.tell({ egress: { reset: true } });
    await post(port, 'app.example.com', '/secret?x', 'y', 'PUT');
    const { egress } = await world.tell({});
    expect(egress.seen).toEqual([{ url: 'https://agent-1.edge.test/.edgeway/relay', method: 'PUT' }]);
  });

  it('is not there for what the agent does not serve', async () => {
    const { status, headers, body } = await get(port, 'gone.example.com');
    expect(status).toBe(503);
    expect(valuesOf(headers, 'Retry-After')).toEqual(['1']);
    expect(body.toString()).toBe('no available server\n');
  });
});

describe('direct servers', () => {
  it('are asked by the Worker itself, under their own name', async () => {
    const { name, target, headers } = echoOf(await get(port, 'direct.example.com', '/x?y'));
    expect({ name, target }).toEqual({ name: 'direct', target: '/x?y' });
    expect(valuesOf(headers, 'Host')).toEqual(['direct.test:8080']);
    expect(valuesOf(headers, 'X-Forwarded-Host')).toEqual(['direct.example.com']);
    expect(world.site('agent-1').received).toHaveLength(0);
  });

  it('need a name: an address is refused, as Cloudflare does', async () => {
    expect((await get(port, 'address.example.com')).status).toBe(403);
  });
});
