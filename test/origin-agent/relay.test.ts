import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createBody } from '../../src/base/body.ts';
import { UpstreamError } from '../../src/base/errors.ts';
import { createRequest, type Handler, HeaderList, type ProxyRequest, type ProxyResponse } from '../../src/base/message.ts';
import { ENVELOPE, formatEnvelope, RELAY_ANSWER, RELAY_PATH } from '../../src/config/envelope.ts';
import { createRelay } from '../../src/origin-agent/relay.ts';
import { errorResponse, noServer } from '../../src/proxy/error-response.ts';
import { answer, createTestPlatform } from '../support/platform.ts';

type Signer = (claims: Record<string, unknown>, kid?: string) => Promise<string>;

let sign: Signer;
let signWithOther: Signer;
let pinned: JWK[];

beforeAll(async () => {
  async function createSigner(kid: string): Promise<{ signer: Signer; jwk: JWK }> {
    const { privateKey, publicKey } = await generateKeyPair('EdDSA');
    const signer: Signer = (claims, header = kid) => new SignJWT(claims).setProtectedHeader({ alg: 'EdDSA', kid: header }).sign(privateKey);
    return { signer, jwk: { ...(await exportJWK(publicKey)), kid } };
  }
  const [one, other] = await Promise.all([createSigner('key-1'), createSigner('key-2')]);
  sign = one.signer;
  signWithOther = other.signer;
  pinned = [one.jwk, other.jwk];
});

const NOW_S = 1000; // the test platform's clock starts at 1,000,000 ms
const good = { aud: 'agent-1', kind: 'service', name: 'app@docker', iat: NOW_S, exp: NOW_S + 60 };

interface Setup {
  keys?: readonly JWK[];
  handler?: Handler;
  draining?: boolean;
  healthy?: number;
}

function createSetup({ keys = pinned.slice(0, 1), handler, draining = false, healthy = 2 }: Setup = {}) {
  const platform = createTestPlatform();
  const seen: ProxyRequest[] = [];
  const serve: Handler = async (request) => {
    seen.push(request);
    return handler === undefined ? answer('ok', 200, [['edgeway-relay', 'forged']])() : handler(request);
  };
  const published = ['service app@docker', 'router app@docker'];
  const relay = createRelay({
    proxy: { router: () => serve, service: () => serve, healthy: () => healthy, observe: () => {} },
    agentId: () => 'agent-1',
    grantKeys: () => keys,
    clock: platform.clock,
    log: platform.log,
    isDraining: () => draining,
    isPublished: (kind, name) => published.includes(`${kind} ${name}`),
  });
  return { relay, seen, platform };
}

const original = createRequest({
  path: '/p%2Fq',
  query: 'x=1',
  host: 'App.Example.com',
  scheme: 'https',
  clientAddress: '203.0.113.7',
  clientPort: 4711,
  protocol: 'HTTP/2.0',
  tls: { serverName: 'App.Example.com', version: '1.3', cipher: 'TLS_AES_128_GCM_SHA256', clientCertificates: [], options: 'default' },
  headers: new HeaderList(['X-Forwarded-Proto', 'https', 'Accept-Encoding', 'zstd']),
});

function envelop(token: string | undefined, extra: string[] = [], method = 'GET'): ProxyRequest {
  const headers = new HeaderList(['X-Own', 'kept', 'accept-encoding', 'br, gzip', 'x-forwarded-for', '198.51.100.99', ...extra]);
  for (const [name, value] of formatEnvelope(original)) headers.append(name, value);
  if (token !== undefined) headers.append(ENVELOPE.grant, token);
  return createRequest({ method, path: RELAY_PATH, host: 'agent-1.test', scheme: 'https', clientAddress: '192.0.2.1', headers });
}

const retryOf = (response: ProxyResponse): string | undefined => response.headers.get(RELAY_ANSWER.retry);

describe('a grant', () => {
  const refused = { status: 403, retry: 'grant' };
  const served = { status: 200, retry: undefined };
  it.each<[string, () => Promise<string | undefined>, { status: number; retry: string | undefined }]>([
    ['holds', () => sign(good), served],
    ['is missing', async () => undefined, refused],
    ['is no token', async () => 'nonsense', refused],
    ['is for another agent', () => sign({ ...good, aud: 'agent-2' }), refused],
    ['lives too long', () => sign({ ...good, exp: NOW_S + 61 }), refused],
    ['has ended within the leeway', () => sign({ ...good, iat: NOW_S - 69, exp: NOW_S - 9 }), served],
    ['has ended', () => sign({ ...good, iat: NOW_S - 70, exp: NOW_S - 10 }), refused],
    ['begins within the leeway', () => sign({ ...good, iat: NOW_S + 10, exp: NOW_S + 70 }), served],
    ['begins later', () => sign({ ...good, iat: NOW_S + 11, exp: NOW_S + 71 }), refused],
    ['is signed with a key that is not pinned', () => signWithOther(good), refused],
    ['names a pinned key and is signed with another', () => signWithOther(good, 'key-1'), refused],
    ['has no name', () => sign({ ...good, name: undefined }), refused],
    ['names what was not published', () => sign({ ...good, name: 'api@internal' }), { status: 503, retry: 'unknown' }],
    ['is of an unknown kind', () => sign({ ...good, kind: 'middleware' }), refused],
  ])('%s', async (_, token, expected) => {
    const { relay, seen } = createSetup();
    const response = await relay(envelop(await token()));
    expect({ status: response.status, retry: retryOf(response) }).toEqual(expected);
    expect(seen).toHaveLength(expected.status === 200 ? 1 : 0);
    expect(response.headers.get(RELAY_ANSWER.relay)).toBe('agent-1');
  });

  it('of either key counts while they rotate, and no longer when its key is gone', async () => {
    let keys: readonly JWK[] = pinned;
    const { platform } = createSetup();
    const relay = createRelay({
      proxy: { router: () => undefined, service: () => async () => answer('ok')(), healthy: () => 1, observe: () => {} },
      agentId: () => 'agent-1',
      grantKeys: () => keys,
      clock: platform.clock,
      log: platform.log,
      isDraining: () => false,
      isPublished: () => true,
    });
    const [first, second] = [await sign(good), await signWithOther(good)];
    expect((await relay(envelop(first))).status).toBe(200);
    expect((await relay(envelop(second))).status).toBe(200);
    keys = pinned.slice(1);
    expect((await relay(envelop(first))).status).toBe(403);
    expect((await relay(envelop(second))).status).toBe(200);
  });

  it('that was seen before ends like any other', async () => {
    const { relay, platform } = createSetup();
    const token = await sign(good);
    expect((await relay(envelop(token))).status).toBe(200);
    platform.advance(69_000);
    expect((await relay(envelop(token))).status).toBe(200);
    platform.advance(2_000);
    expect((await relay(envelop(token))).status).toBe(403);
  });

  it.each([
    ['nothing is served without an envelope', (request: ProxyRequest) => request.headers.delete(ENVELOPE.target), 403],
    ['nothing but the relay is there', (request: ProxyRequest) => void (request.path = '/other'), 404],
  ])('%s', async (_, change, status) => {
    const { relay, seen } = createSetup();
    const request = envelop(await sign(good));
    change(request);
    expect((await relay(request)).status).toBe(status);
    expect(seen).toHaveLength(0);
  });
});

describe('the request', () => {
  it('is the one that the client sent, without envelope and grant', async () => {
    const { relay, seen } = createSetup();
    const response = await relay(envelop(await sign(good), ['edgeway-own', 'forged'], 'PROPFIND'));
    const { method, path, query, host, scheme, clientAddress, clientPort, protocol, tls, headers } = seen[0]!;
    expect({ method, path, query, host, scheme, clientAddress, clientPort, protocol, tls }).toEqual({
      method: 'PROPFIND',
      path: '/p%2Fq',
      query: 'x=1',
      host: 'App.Example.com',
      scheme: 'https',
      clientAddress: '203.0.113.7',
      clientPort: 4711,
      protocol: 'HTTP/2.0',
      tls: original.tls,
    });
    expect(headers.raw).toEqual(['X-Own', 'kept', 'X-Forwarded-Proto', 'https', 'Accept-Encoding', 'zstd']);
    expect(response.headers.getAll(RELAY_ANSWER.relay)).toEqual(['agent-1']);
    expect(response.headers.get(RELAY_ANSWER.healthy)).toBe('2');
  });

  it('has the method of the envelope, where fetch could not send it', async () => {
    const { relay, seen } = createSetup();
    await relay(envelop(await sign(good), [ENVELOPE.method, 'GET'], 'POST'));
    expect(seen[0]!.method).toBe('GET');
  });
});

describe('what may go to another site', () => {
  let body: { opened: boolean };
  beforeEach(() => void (body = { opened: false }));
  const upload = async (kind = 'service'): Promise<ProxyRequest> => {
    const request = envelop(await sign({ ...good, kind }), [], 'POST');
    const bytes = createBody('x');
    request.body = {
      ...bytes,
      chunks() {
        body.opened = true;
        return bytes.chunks();
      },
    };
    return request;
  };
  const refused = (sent: boolean) => errorResponse(new UpstreamError('upstream.refused', 'refused', { sent }), createTestPlatform().log);

  it.each<[string, Setup, string, { status: number; retry: string | undefined }]>([
    ['a draining agent takes nothing', { draining: true }, 'service', { status: 503, retry: 'draining' }],
    ['no server is well', { healthy: 0 }, 'service', { status: 503, retry: 'no-server' }],
    ['a router answers although no server is well', { healthy: 0 }, 'router', { status: 200, retry: undefined }],
    [
      'a router ends at a service without a server',
      { healthy: 0, handler: async () => noServer() },
      'router',
      { status: 503, retry: 'no-server' },
    ],
    ['an application says 503', { handler: async () => answer('busy', 503)() }, 'service', { status: 503, retry: undefined }],
    ['every server refused the connection', { handler: async () => refused(false) }, 'service', { status: 502, retry: 'no-server' }],
    ['a server broke off', { handler: async () => refused(true) }, 'service', { status: 502, retry: undefined }],
    [
      'the chain failed',
      {
        handler: async () => {
          throw new Error('bug');
        },
      },
      'service',
      { status: 500, retry: undefined },
    ],
  ])('%s', async (_, setup, kind, expected) => {
    const { relay } = createSetup(setup);
    const response = await relay(await upload(kind));
    expect({ status: response.status, retry: retryOf(response) }).toEqual(expected);
    expect(body.opened).toBe(false);
  });
});
