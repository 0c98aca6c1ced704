import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decode } from '../../src/base/decode.ts';
import type { ProxyConfiguration } from '../../src/config/snapshot.ts';
import { HTTP_MIDDLEWARES } from '../../src/middlewares/index.ts';
import { type MiddlewareDefinition, runsAtEdge } from '../../src/middlewares/middleware.ts';
import { echo, type Origin, startOrigin } from '../support/edge/origin.ts';
import { folded, router, servers, startWorld, type World } from '../support/edge/world.ts';

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}
type Ask = (path?: string, options?: { method?: string; headers?: Record<string, string>; body?: string }) => Promise<Answer>;

interface Case {
  readonly word: keyof typeof HTTP_MIDDLEWARES;
  readonly options: object;
  readonly proof: (ask: Ask) => Promise<unknown>;
  readonly expected: unknown;
}

const BIG = 'compressible text '.repeat(200);
const SHA = 'bob:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=';
const basic = (credentials: string) => ({ headers: { Authorization: `Basic ${btoa(credentials)}` } });
const hashes = readFileSync('test/fixtures/htpasswd/users', 'utf8').split('\n');
const userOf = (name: string): string => hashes.find((line) => line.startsWith(`${name}:`))!;

const target =
  (path: string) =>
  async (ask: Ask): Promise<string> =>
    JSON.parse((await ask(path)).body.toString()).target;
const statuses =
  (...paths: string[]) =>
  async (ask: Ask): Promise<number[]> => {
    const all: number[] = [];
    for (const path of paths) all.push((await ask(path)).status);
    return all;
  };
const location = (path: string) => async (ask: Ask) => {
  const { status, headers } = await ask(path);
  return `${status} ${headers.location}`;
};
const sentFields =
  (path: string, ...names: string[]) =>
  async (ask: Ask) => {
    const { headers } = JSON.parse((await ask(path)).body.toString()) as { headers: string[] };
    return names.map((name) => headers[headers.findIndex((field) => field.toLowerCase() === name.toLowerCase()) + 1]);
  };

/** Words whose options here let them run in the Worker. */
const HERE: Case[] = [
  { word: 'addPrefix', options: { prefix: '/pre' }, proof: target('/x'), expected: '/pre/x' },
  {
    word: 'basicAuth',
    options: { users: [SHA, userOf('apr1'), userOf('bcrypt5')] },
    async proof(ask) {
      const all = ['bob:secret', 'bob:wrong', 'apr1:apr1!', 'bcrypt5:bcrypt5!', 'bcrypt5:no'];
      return Promise.all(all.map(async (credentials) => (await ask('/', basic(credentials))).status));
    },
    expected: [200, 401, 200, 200, 401],
  },
  { word: 'chain', options: { middlewares: ['addPrefix', 'stripPrefix'] }, proof: target('/x'), expected: '/x' },
  ...(['gzip', 'br', 'zstd'] as const).map(
    (coding): Case => ({
      word: 'compress',
      options: { encodings: [coding] },
      async proof(ask) {
        const { headers, body } = await ask('/big', { headers: { 'Accept-Encoding': coding } });
        const unpack = { gzip: gunzipSync, br: brotliDecompressSync, zstd: zstdDecompressSync }[coding];
        return [headers['content-encoding'], headers.vary, unpack(body).toString() === BIG];
      },
      expected: [coding, 'Accept-Encoding', true],
    }),
  ),
  {
    word: 'contentType',
    options: {},
    proof: async (ask) => (await ask('/page')).headers['content-type'],
    expected: 'text/html; charset=utf-8',
  },
  { word: 'encodedCharacters', options: { allowEncodedSlash: true }, proof: statuses('/a%2Fb', '/a%3Bb'), expected: [200, 400] },
  {
    word: 'errors',
    options: { status: ['503'], service: 'app', query: '/page?{status}' },
    async proof(ask) {
      const { status, body } = await ask('/status/503');
      return [status, body.toString()];
    },
    expected: [503, '<html>page</html>'],
  },
  {
    word: 'headers',
    options: {
      customRequestHeaders: { 'X-A': '1' },
      customResponseHeaders: { 'X-B': '2' },
      stsSeconds: 5,
      accessControlAllowOriginList: ['*'],
    },
    async proof(ask) {
      const { headers, body } = await ask('/');
      const preflight = await ask('/', { method: 'OPTIONS', headers: { Origin: 'http://o', 'Access-Control-Request-Method': 'PUT' } });
      const sent = JSON.parse(body.toString()).headers as string[];
      return [
        sent.includes('X-A'),
        headers['x-b'],
        headers['strict-transport-security'],
        preflight.status,
        preflight.headers['access-control-allow-origin'],
      ];
    },
    expected: [true, '2', 'max-age=5', 200, '*'],
  },
  { word: 'ipAllowList', options: { sourceRange: ['10.0.0.0/8'] }, proof: statuses('/'), expected: [403] },
  { word: 'ipWhiteList', options: { sourceRange: ['0.0.0.0/0', '::/0'] }, proof: statuses('/'), expected: [200] },
  {
    word: 'passTLSClientCert',
    options: { pem: true, info: { subject: { commonName: true } } },
    proof: async (ask) => {
      const [pem, info] = await sentFields('/', 'X-Forwarded-Tls-Client-Cert', 'X-Forwarded-Tls-Client-Cert-Info')(ask);
      return [
        pem === readFileSync('test/fixtures/certificates/full.der').toString('base64'),
        decodeURIComponent(info!.replaceAll('+', ' ')),
      ];
    },
    expected: [true, 'Subject="CN=client one"'],
  },
  {
    word: 'redirectRegex',
    options: { regex: '^(.*)/old$', replacement: '$1/new' },
    proof: location('/old'),
    expected: '302 https://redirect-regex.test/new',
  },
  {
    word: 'redirectScheme',
    options: { scheme: 'http', permanent: true },
    proof: location('/x'),
    expected: '301 http://redirect-scheme.test/x',
  },
  { word: 'replacePath', options: { path: '/new' }, proof: target('/x?y'), expected: '/new?y' },
  { word: 'replacePathRegex', options: { regex: '^/a/(.*)', replacement: '/b/$1' }, proof: target('/a/c'), expected: '/b/c' },
  { word: 'requestHeaderModifier', options: { set: { 'X-A': '1' } }, proof: sentFields('/', 'X-A'), expected: ['1'] },
  { word: 'requestRedirect', options: { hostname: 'y.test', statusCode: 308 }, proof: location('/x'), expected: '308 https://y.test/x' },
  {
    word: 'responseHeaderModifier',
    options: { set: { 'X-A': '1' } },
    proof: async (ask) => (await ask('/')).headers['x-a'],
    expected: '1',
  },
  { word: 'retry', options: { attempts: 3, status: ['503'] }, proof: statuses('/flaky'), expected: [200] },
  { word: 'stripPrefix', options: { prefixes: ['/pre'] }, proof: target('/pre/x'), expected: '/x' },
  { word: 'stripPrefixRegex', options: { regex: ['/v[0-9]'] }, proof: target('/v1/x'), expected: '/x' },
  { word: 'URLRewrite', options: { path: '/b', pathPrefix: '/a' }, proof: target('/a/c'), expected: '/b/c' },
];

/** Words that are left to the agent, with their whole chain. */
const HANDED_OVER: Case[] = [
  {
    word: 'basicAuth',
    options: { users: [userOf('bcrypt10')] },
    proof: async (ask) => [(await ask('/', basic('bcrypt10:bcrypt10!'))).status, (await ask('/', basic('bcrypt10:no'))).status],
    expected: [200, 401],
  },
  {
    word: 'basicAuth',
    options: { usersFile: 'test/fixtures/htpasswd/users' },
    proof: async (ask) => [(await ask('/', basic('sha:sha!'))).status, (await ask('/', basic('nobody:x'))).status],
    expected: [200, 401],
  },
  {
    word: 'buffering',
    options: { maxRequestBodyBytes: 3 },
    proof: async (ask) => [
      (await ask('/', { method: 'POST', body: 'abc' })).status,
      (await ask('/', { method: 'POST', body: 'abcd' })).status,
    ],
    expected: [200, 413],
  },
  {
    word: 'circuitBreaker',
    options: { expression: 'ResponseCodeRatio(500, 600, 0, 600) > 0.1' },
    async proof(ask) {
      await ask('/status/500');
      // The agent judges when its answer has left.
      let status = 200;
      while (status === 200) ({ status } = await ask('/page'));
      return status;
    },
    expected: 503,
  },
  { word: 'digestAuth', options: { users: ['bob:traefik:185b1d3a142373ac8826db9cccec494c'] }, proof: statuses('/'), expected: [401] },
  { word: 'forwardAuth', options: { address: 'ORIGIN/status/403' }, proof: statuses('/'), expected: [403] },
  {
    word: 'grpcWeb',
    options: { allowOrigins: ['*'] },
    async proof(ask) {
      const headers = { Origin: 'http://o', 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'x-grpc-web' };
      return (await ask('/', { method: 'OPTIONS', headers })).headers['access-control-allow-headers'];
    },
    expected: 'X-Grpc-Web',
  },
  {
    word: 'inFlightReq',
    options: { amount: 0 },
    proof: async (ask) => (await ask('/')).body.toString(),
    expected: 'max connections reached: 0',
  },
  { word: 'rateLimit', options: { average: 1, period: '1h' }, proof: statuses('/', '/'), expected: [200, 429] },
];

let world: World;
let origin: Origin;
let port: number;
let flaky = 0;

function serve(request: IncomingMessage, response: ServerResponse): void {
  const path = request.url!.split('?')[0]!;
  if (path === '/big') response.setHeader('Content-Type', 'text/plain').end(BIG);
  else if (path === '/page') response.end('<html>page</html>');
  else if (path === '/flaky') response.writeHead(flaky++ < 2 ? 503 : 200).end();
  else if (path.startsWith('/status/')) response.writeHead(Number(path.slice('/status/'.length))).end();
  else echo('app')(request, response);
}

const kebab = (name: string): string =>
  name
    .replace(/([a-z])([A-Z])/g, '$1-$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1-$2')
    .toLowerCase();
const hostOf = ({ word }: Case, index: number, cases: Case[]): string =>
  `${kebab(word)}${cases.findIndex((other) => other.word === word) === index ? '' : index}${cases === HERE ? '' : '-agent'}.test`;

/** Options as a snapshot has them. */
function written({ word, options }: Case): object {
  const definition = HTTP_MIDDLEWARES[word] as MiddlewareDefinition;
  const text = JSON.stringify(options).replace('ORIGIN', origin.url);
  return { [definition.kind]: decode(definition.options, JSON.parse(text)).value };
}

beforeAll(async () => {
  origin = await startOrigin('app', serve);
  const certificate = readFileSync('test/fixtures/certificates/full.der').toString('base64');
  world = await startWorld({ tls: true, cf: { tlsClientAuth: { certVerified: 'SUCCESS', certRFC9440: `:${certificate}:` } } });
  port = await world.port();
  const agent = {
    routers: {},
    services: { 'app@docker': servers(origin.url) },
    middlewares: {},
    serversTransports: {},
  } as ProxyConfiguration;
  const edge = structuredClone(agent) as { -readonly [K in keyof ProxyConfiguration]: Record<string, ProxyConfiguration[K][string]> };
  edge.services['app@docker'] = folded({ 'agent-1': { name: 'app@docker', weight: 1 } });
  const add = (cases: Case[], there: typeof edge, handedOver: boolean): void =>
    cases.forEach((one, index) => {
      const name = `${hostOf(one, index, cases).replace('.test', '')}@docker`;
      const own = `${index === cases.findIndex(({ word }) => word === one.word) ? one.word : `${one.word}${index}`}@docker`;
      there.middlewares[own] = written(one) as never;
      const chain = { entryPoints: ['https'], tls: {}, middlewares: [own] };
      const rule = `Host(\`${hostOf(one, index, cases)}\`)`;
      there.routers[name] = router(rule, 'app@docker', chain);
      if (handedOver) edge.routers[name] = router(rule, 'app@docker', { ...chain, handOver: { 'agent-1': name } });
    });
  add(HERE, edge, false);
  add(HANDED_OVER, agent as typeof edge, true);
  world.site('agent-1').configure(agent);
  await world.publish(edge as ProxyConfiguration);
});
afterAll(async () => {
  await world?.stop();
  await origin?.stop();
});

const askFor =
  (host: string): Ask =>
  async (path = '/', { method = 'GET', headers = {}, body } = {}) => {
    const length = body === undefined ? {} : { 'Content-Length': body.length };
    const outgoing = httpsRequest({
      host: '127.0.0.1',
      port,
      method,
      path,
      headers: { Host: host, ...headers, ...length },
      servername: host,
      rejectUnauthorized: false,
      agent: false,
    });
    outgoing.end(body);
    const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
    return { status: incoming.statusCode!, headers: incoming.headers, body: await read(incoming) };
  };

async function read(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  return Buffer.concat(chunks);
}

it('has every word that runs', () => {
  const words = new Set([...HERE, ...HANDED_OVER].map(({ word }) => word));
  expect(Object.keys(HTTP_MIDDLEWARES).filter((word) => !words.has(word as keyof typeof HTTP_MIDDLEWARES))).toEqual(['plugin']);
});

const isHere = ({ word, options }: Case): boolean => {
  const definition = HTTP_MIDDLEWARES[word] as MiddlewareDefinition;
  return runsAtEdge(definition, decode(definition.options, options).value) === true;
};

describe('in the Worker', () => {
  it.each(HERE.map((one, index) => [one.word, hostOf(one, index, HERE), one] as const))('%s runs (%s)', async (_, host, one) => {
    expect(isHere(one)).toBe(true);
    expect(await one.proof(askFor(host))).toEqual(one.expected);
  });
});

describe('left to the agent', () => {
  it.each(HANDED_OVER.map((one, index) => [one.word, hostOf(one, index, HANDED_OVER), one] as const))(
    '%s runs there (%s)',
    async (_, host, one) => {
      expect(isHere(one)).toBe(false);
      expect(await one.proof(askFor(host))).toEqual(one.expected);
    },
  );
});
