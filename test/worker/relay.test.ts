import { describe, expect, it, vi } from 'vitest';
import { createBody, createStreamBody } from '../../src/base/body.ts';
import { createLocalCells } from '../../src/base/cells.ts';
import { type Body, createRequest, HeaderList } from '../../src/base/message.ts';
import { ENVELOPE, RELAY_ANSWER } from '../../src/config/envelope.ts';
import type { EdgeHealth } from '../../src/config/kv-layout.ts';
import type { Site } from '../../src/config/snapshot.ts';
import { createEdgeRelay, HELD_BODY_BYTES } from '../../src/worker/relay.ts';
import { bodyText, createTestPlatform } from '../support/platform.ts';

// Of workerd; here nobody counts its bytes.
vi.stubGlobal(
  'FixedLengthStream',
  class extends TransformStream {
    constructor(_length: number) {
      super();
    }
  },
);

/** What a site does with a request: an answer of Cloudflare (number), of its relay, or an exception. */
type Behaviour = number | 'ok' | 'draining' | 'no-server' | 'unknown' | 'grant' | 'throws';

interface Seen {
  readonly site: string;
  readonly method: string;
  readonly headers: Headers;
  readonly body: string;
}

/** Sites `a`, `b` … in the order of `behaviours`; each is asked only after those before it, as their weights are far apart. */
function createSetup(
  behaviours: readonly (Behaviour | readonly Behaviour[])[],
  { health = {} as EdgeHealth, stickyCookie = undefined as string | undefined } = {},
) {
  const platform = createTestPlatform();
  const sites = new Map<string, Site>();
  const seen: Seen[] = [];
  const turns = new Map<string, number>();
  const names = behaviours.map((_, i) => String.fromCharCode(97 + i));
  for (const name of names) sites.set(name, { agent: `agent-${name}`, link: { type: 'https', address: `https://${name}.test` } });
  const fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const name = new URL(url).hostname[0]!;
    seen.push({ site: name, method: init.method!, headers: new Headers(init.headers), body: await new Response(init.body).text() });
    const script = behaviours[names.indexOf(name)]!;
    const turn = turns.get(name) ?? 0;
    turns.set(name, turn + 1);
    const behaviour = Array.isArray(script) ? script[Math.min(turn, script.length - 1)]! : (script as Behaviour);
    if (behaviour === 'throws') throw new Error('Network connection lost.');
    if (typeof behaviour === 'number') return new Response('Cloudflare', { status: behaviour });
    const headers = new Headers({ [RELAY_ANSWER.relay]: `agent-${name}`, [RELAY_ANSWER.healthy]: '1' });
    if (behaviour !== 'ok') headers.set(RELAY_ANSWER.retry, behaviour);
    return new Response(`from ${name}`, { status: behaviour === 'ok' ? 200 : 503, headers });
  };
  const relay = createEdgeRelay({
    clock: platform.clock,
    cells: createLocalCells(),
    random: () => 0,
    log: platform.log,
    site: (id) => sites.get(id),
    health: () => health,
    grants: { grant: async (agent, kind, name) => `grant for ${kind} ${name} of ${agent}` },
    fetch: fetch as never,
  });
  const errand = relay({
    kind: 'service',
    sites: names.map((site, i) => ({ site, name: 'app@docker', weight: 10 ** (6 - 2 * i) })),
    stickyCookie,
  });
  async function send(method = 'GET', body?: Body, headers: string[] = []) {
    const response = await errand.handle(createRequest({ method, host: 'app.test', body, headers: new HeaderList(headers) }));
    return {
      response,
      status: response.status,
      text: await bodyText(response),
      asked: seen
        .splice(0)
        .map(({ site }) => site)
        .join(''),
    };
  }
  return { errand, platform, send, seen };
}

const small = (): Body => createBody('x'.repeat(HELD_BODY_BYTES));
const large = (): Body => createBody('x'.repeat(HELD_BODY_BYTES + 1));
const chunked = (): Body =>
  createStreamBody(
    (async function* () {
      yield new TextEncoder().encode('chunk');
    })(),
  );

describe('second try', () => {
  const next = { status: 200, text: 'from b', asked: 'ab' };
  it.each<[Behaviour, string, (() => Body) | undefined, { status: number; text?: string; asked: string }]>([
    ['draining', 'GET', undefined, next],
    ['draining', 'POST', small, next],
    ['draining', 'POST', large, { status: 503, text: 'no available server\n', asked: 'a' }],
    ['draining', 'POST', chunked, { status: 503, text: 'no available server\n', asked: 'a' }],
    ['no-server', 'POST', small, next],
    ['no-server', 'POST', large, { status: 503, text: 'from a', asked: 'a' }],
    ['unknown', 'POST', small, next],
    ['grant', 'PATCH', small, next],
    [521, 'POST', small, next],
    [523, 'POST', small, next],
    [530, 'POST', small, next],
    [521, 'POST', large, { status: 502, asked: 'a' }],
    [520, 'GET', undefined, next],
    [522, 'GET', undefined, next],
    [524, 'PUT', small, next],
    [524, 'DELETE', undefined, next],
    [520, 'POST', small, { status: 502, asked: 'a' }],
    [522, 'POST', small, { status: 504, asked: 'a' }],
    [524, 'PATCH', small, { status: 504, asked: 'a' }],
    [524, 'PUT', large, { status: 504, asked: 'a' }],
    [526, 'GET', undefined, next],
    [526, 'POST', small, { status: 500, asked: 'a' }],
    ['throws', 'GET', undefined, next],
    ['throws', 'OPTIONS', small, next],
    ['throws', 'POST', small, { status: 502, asked: 'a' }],
    // Somebody else answered in the place of the relay.
    [200, 'GET', undefined, next],
    [403, 'POST', small, { status: 502, asked: 'a' }],
  ])('%s, %s', async (behaviour, method, body, expected) => {
    const { send } = createSetup([behaviour, 'ok']);
    expect(await send(method, body?.())).toMatchObject(expected);
  });

  it('sends the same bytes again', async () => {
    const { errand, seen } = createSetup(['draining', 'ok']);
    await errand.handle(createRequest({ method: 'POST', body: createBody('the body') }));
    expect(seen.map(({ body, method }) => ({ body, method }))).toEqual([
      { body: 'the body', method: 'POST' },
      { body: 'the body', method: 'POST' },
    ]);
  });

  it.each([
    ['each site once', ['draining', 521, 'throws', 'no-server'] as const, { status: 503, asked: 'abcd' }],
    ['four of many', [521, 521, 521, 521, 'ok'] as const, { status: 502, asked: 'abcd' }],
  ])('asks %s', async (_, behaviours, expected) => {
    const { send } = createSetup(behaviours);
    expect(await send()).toMatchObject(expected);
  });

  it('asks the only site again after an exception, which may have been a restart, but only once', async () => {
    expect(await createSetup([['throws', 'ok']]).send()).toMatchObject({ status: 200, asked: 'aa' });
    expect(await createSetup(['throws']).send()).toMatchObject({ status: 502, asked: 'aa' });
    expect(await createSetup([['throws', 'ok']]).send('POST', small())).toMatchObject({ status: 502, asked: 'a' });
    expect(await createSetup([['draining', 'ok']]).send()).toMatchObject({ status: 503, asked: 'a' });
  });

  it('tells when to come back where nobody took the request', async () => {
    const { response } = await createSetup(['draining']).send();
    expect(response.headers.get('Retry-After')).toBe('1');
  });

  it('marks answers that stand for a failure, for retry and circuitBreaker', async () => {
    expect((await createSetup([524]).send('POST', small())).response.failure?.code).toBe('upstream.timeout');
    expect((await createSetup(['ok']).send()).response.failure).toBeUndefined();
  });
});

describe('avoided sites', () => {
  it.each<[Behaviour, number]>([
    ['draining', 60_000],
    [521, 10_000],
    ['throws', 10_000],
    ['no-server', 10_000],
    ['unknown', 10_000],
  ])('%s: for %i ms', async (behaviour, ms) => {
    const { send, platform } = createSetup([behaviour, 'ok']);
    expect((await send()).asked).toBe('ab');
    platform.advance(ms - 1);
    expect((await send()).asked).toBe('b');
    platform.advance(1);
    expect((await send()).asked).toBe('ab');
  });

  it.each<Behaviour>(['draining', 'unknown', 'no-server'])(
    'are asked all the same when there is no other, and are well again with the first answer (%s)',
    async (behaviour) => {
      const { send, errand } = createSetup([[behaviour, 'ok']]);
      expect((await send()).status).toBe(503);
      expect(errand.available()).toBe(false);
      expect((await send()).status).toBe(200);
      expect(errand.available()).toBe(true);
    },
  );
});

describe('stickiness', () => {
  it('sets a cookie for the site, follows it, and sets another one when the site does not answer', async () => {
    const { send } = createSetup(['ok', 'ok'], { stickyCookie: 'site' });
    const first = (await send()).response.headers.getAll('Set-Cookie');
    expect(first).toEqual([expect.stringMatching(/^site=[0-9a-f]{16}; Path=\/; HttpOnly$/)]);

    const gone = createSetup([521, 'ok'], { stickyCookie: 'site' });
    const other = (await gone.send('GET', undefined, ['Cookie', first[0]!.split(';')[0]!])).response.headers.getAll('Set-Cookie');
    expect(other).toHaveLength(1);
    expect(other).not.toEqual(first);

    const stuck = await createSetup(['ok', 'ok'], { stickyCookie: 'site' }).send('GET', undefined, [
      'Cookie',
      `x=1; ${other[0]!.split(';')[0]}`,
    ]);
    expect(stuck.asked).toBe('b');
    expect(stuck.response.headers.getAll('Set-Cookie')).toEqual([]);
  });
});

describe('the request to the relay', () => {
  it('carries the grant for its agent, and a GET with a body in disguise', async () => {
    const { errand, seen } = createSetup(['ok']);
    await errand.handle(createRequest({ method: 'GET', body: createBody('x') }));
    expect(seen[0]!.headers.get(ENVELOPE.grant)).toBe('grant for service app@docker of agent-a');
    expect(seen[0]!.method).toBe('POST');
    expect(seen[0]!.headers.get(ENVELOPE.method)).toBe('GET');
  });

  it('fails without a site in the configuration', async () => {
    const { platform } = createSetup([]);
    const relay = createEdgeRelay({
      clock: platform.clock,
      cells: createLocalCells(),
      random: () => 0,
      log: platform.log,
      site: () => undefined,
      health: () => ({}),
      grants: { grant: async () => '' },
      fetch: undefined as never,
    });
    const errand = relay({ kind: 'router', sites: [{ site: 'x', name: 'r@docker', weight: 1 }], stickyCookie: undefined });
    expect((await errand.handle(createRequest())).status).toBe(503);
  });
});
