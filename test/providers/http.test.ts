import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decode } from '../../src/base/decode.ts';
import { describe as print } from '../../src/base/errors.ts';
import { http } from '../../src/config/static/http.ts';
import { httpProvider } from '../../src/providers/http.ts';
import type { ProviderMessage } from '../../src/providers/provider.ts';
import { until } from '../support/agent-process.ts';
import { createAuthority } from '../support/edge/certificates.ts';
import { type Watched, watch } from '../support/provider.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

let server: Server;
let answer: Answer;
let asked: IncomingMessage[];
let watched: Watched | undefined;

const listen = async (one: Server): Promise<number> => {
  await new Promise<void>((resolve) => one.listen(0, '127.0.0.1', resolve));
  return (one.address() as { port: number }).port;
};
const says =
  (text: string, status = 200): Answer =>
  (_, response) =>
    response.writeHead(status).end(text);
const router = (rule: string): string => `http: {routers: {a: {rule: "${rule}", service: s}}}`;
const ruleOf = ({ configuration }: ProviderMessage): string | undefined => configuration.http?.routers?.a?.rule;
const isRule = (rule: string) => (message: ProviderMessage) => ruleOf(message) === rule;

let port: number;
beforeEach(async () => {
  asked = [];
  answer = says(router('Host(`one`)'));
  server = createServer((request, response) => {
    asked.push(request);
    answer(request, response);
  });
  port = await listen(server);
});
afterEach(async () => {
  await watched?.stop().catch(() => {});
  watched = undefined;
  server.closeAllConnections();
  server.close();
});

function start(more: object = {}): Watched {
  const options = decode(http, { endpoint: `http://127.0.0.1:${port}/config`, pollInterval: '20ms', ...more }).value!;
  watched = watch((context) => httpProvider.watch(options, context));
  return watched;
}

describe('httpProvider', () => {
  it('asks with GET and the fields of the options, and follows what changes', async () => {
    const { waitFor, messages } = start({ headers: { Host: 'config.test', 'X-Key': 'planted-secret' } });
    await waitFor(isRule('Host(`one`)'));
    await until(() => asked.length > 2);
    expect(messages).toHaveLength(1);
    expect(asked[0]).toMatchObject({ method: 'GET', url: '/config', headers: { host: 'config.test', 'x-key': 'planted-secret' } });
    answer = says(JSON.stringify({ http: { routers: { a: { rule: 'Host(`two`)', service: 's' } } } }));
    await waitFor(isRule('Host(`two`)'));
  });

  it.each<[string, Answer, object?]>([
    ['a status that is not 200', says('planted-secret', 503)],
    [
      'an answer that is cut',
      (_, response) => response.writeHead(200, { 'Content-Length': '999' }).write('http: {', () => response.destroy()),
    ],
    ['no answer in time', () => {}, { pollTimeout: '30ms' }],
    ['too large an answer', says(`${router('Host(`big`)')} # ${'x'.repeat(200)}`), { maxResponseBodySize: 100 }],
    ['a redirection without end', (_, response) => response.writeHead(302, { Location: '/config' }).end()],
  ])('keeps what was good at %s, says so, and goes on', async (_, bad, more) => {
    const { waitFor, messages, lines } = start(more);
    await waitFor(isRule('Host(`one`)'));
    answer = bad;
    const failure = await until(() => lines.find(({ level }) => level === 'ERROR'));
    expect(JSON.stringify(failure)).not.toContain('planted-secret');
    expect(messages).toHaveLength(1);
    answer = says(router('Host(`two`)'));
    await waitFor(isRule('Host(`two`)'));
  });

  it.each([
    ['no YAML', 'http: {routers: [planted-secret', undefined],
    ['a TOML text', '[http.routers.a]\nrule = "x"', undefined],
    ['a router with an unknown option', 'http: {routers: {a: {rule: x, service: s, entrypoint: web}}}', 'http.routers.a'],
  ])('keeps what was good when the answer has %s, and tells it once', async (_, text, object) => {
    const { waitFor, messages } = start({ endpoint: `http://bob:planted-secret@127.0.0.1:${port}/config?key=planted-secret` });
    await waitFor(isRule('Host(`one`)'));
    answer = says(text);
    const message = await waitFor(({ problems }) => problems.length > 0);
    expect(ruleOf(message)).toBe('Host(`one`)');
    expect(message.problems[0]!.place.object).toBe(object);
    expect(message.problems[0]!.place.source).toBe(`http://127.0.0.1:${port}/config`);
    expect(asked[0]!.headers.authorization).toBe(`Basic ${btoa('bob:planted-secret')}`);
    expect(message.problems.map(print).join()).not.toContain('planted-secret');
    const before = asked.length;
    await until(() => asked.length > before + 2);
    expect(messages).toHaveLength(2);
  });

  it('follows a redirection, and takes our fields along within one origin only', async () => {
    const seen: IncomingMessage[] = [];
    const other = createServer((request, response) => {
      seen.push(request);
      response.end(router('Host(`moved`)'));
    });
    const otherPort = await listen(other);
    answer = (request, response) =>
      response.writeHead(307, { Location: request.url === '/config' ? '/here' : `http://127.0.0.1:${otherPort}/there` }).end();
    await start({ headers: { Authorization: 'Bearer planted-secret' } }).waitFor(isRule('Host(`moved`)'));
    expect(asked.slice(0, 2).map(({ url, headers }) => [url, headers.authorization])).toEqual([
      ['/config', 'Bearer planted-secret'],
      ['/here', 'Bearer planted-secret'],
    ]);
    expect(seen[0]!.headers.authorization).toBeUndefined();
    other.closeAllConnections();
    other.close();
  });

  it('believes a certificate of the authority in tls.ca, and no other', async () => {
    const authority = createAuthority();
    const { key, certificate } = authority.issue(['localhost']);
    const secure = createTlsServer({ key, cert: certificate }, (_, response) => void response.end(router('Host(`tls`)')));
    const endpoint = `https://localhost:${await listen(secure)}/`;
    const { lines, stop } = start({ endpoint });
    expect((await until(() => lines.find(({ level }) => level === 'ERROR'))).fields.error).toMatch(/certificate/);
    await stop();
    await start({ endpoint, tls: { ca: authority.certificate } }).waitFor(isRule('Host(`tls`)'));
    secure.closeAllConnections();
    secure.close();
  });

  it.each([
    [{ endpoint: '' }, 'providers.http.endpoint'],
    [{ pollInterval: 0 }, 'providers.http.pollInterval'],
  ])('%j is refused with its place', async (more, object) => {
    await expect(start(more).waitFor(() => true)).rejects.toMatchObject({ place: { object } });
  });
});
