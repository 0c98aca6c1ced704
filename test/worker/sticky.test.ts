import { afterAll, beforeAll, expect, it } from 'vitest';
import { createRequest, HeaderList } from '../../src/base/message.ts';
import { compileSnapshot } from '../../src/config/compile.ts';
import { toProxyConfiguration } from '../../src/config/snapshot.ts';
import { echoOf, get } from '../support/edge/client.ts';
import { type Echo, type Origin, startOrigin, valuesOf } from '../support/edge/origin.ts';
import { startWorld, type World } from '../support/edge/world.ts';
import { inputOf } from '../support/publications.ts';
import { runtimeOf } from '../support/runtime.ts';

const SITES = ['agent-1', 'agent-2'];
const NAMES = ['a', 'b', 'c', 'd'];
let world: World;
let origins: Origin[];
let port: number;

/** Both agents have the same servers, so a cookie must find its server whichever site is chosen. */
beforeAll(async () => {
  origins = await Promise.all(NAMES.map((name) => startOrigin(name)));
  const list = (...indices: number[]): string => indices.map((i) => `{ url: "${origins[i]!.url}" }`).join(', ');
  const yaml = `
http:
  routers:
    plain: { rule: "Host(\`plain.test\`)", service: plain }
    guarded: { rule: "Host(\`guarded.test\`)", service: plain, middlewares: [few] }
    nested: { rule: "Host(\`nested.test\`)", service: nested }
  services:
    plain: { loadBalancer: { sticky: { cookie: {} }, servers: [${list(0, 1, 2, 3)}] } }
    nested: { weighted: { sticky: { cookie: { name: level } }, services: [{ name: one, weight: 1 }, { name: two, weight: 1 }] } }
    one: { loadBalancer: { sticky: { cookie: { name: server } }, servers: [${list(0, 1)}] } }
    two: { loadBalancer: { sticky: { cookie: { name: server } }, servers: [${list(2, 3)}] } }
  middlewares:
    few: { inFlightReq: { amount: 100 } }
`;
  world = await startWorld({ sites: SITES });
  port = await world.port();
  const onHost = runtimeOf(yaml, 'entryPoints: { http: { address: ":80" } }');
  for (const id of SITES) world.site(id).configure(toProxyConfiguration(onHost));
  await world.publish(compileSnapshot(await Promise.all(SITES.map((id) => inputOf(id, yaml)))).snapshot.http);
});
afterAll(async () => {
  await world?.stop();
  await Promise.all(origins.map((origin) => origin.stop()));
});

interface Found {
  readonly server: string;
  /** Set by the answer: `name=value`. */
  readonly cookies: readonly string[];
}
type Ask = (host: string, cookies?: readonly string[]) => Promise<Found>;

const found = (echo: Echo, headers: readonly string[]): Found => ({
  server: echo.name,
  cookies: valuesOf(headers, 'Set-Cookie').map((cookie) => cookie.split(';')[0]!),
});
const throughEdge: Ask = async (host, cookies = []) => {
  const answer = await get(port, host, '/', cookies.length === 0 ? [] : [`Cookie: ${cookies.join('; ')}`]);
  return found(echoOf(answer), answer.headers);
};
const onHost: Ask = async (host, cookies = []) => {
  const headers = new HeaderList(cookies.length === 0 ? [] : ['Cookie', cookies.join('; ')]);
  const { headers: answered, body } = await world.site('agent-1').proxy.handle(createRequest({ host, headers, entryPoint: 'http' }));
  return found(JSON.parse(new TextDecoder().decode(await body!.bytes(1e6))) as Echo, answered.raw);
};

/** The cookies with which clients are sent to each server, asked for until each was met. */
async function cookiesOf(ask: Ask, host: string): Promise<Map<string, readonly string[]>> {
  const met = new Map<string, readonly string[]>();
  for (let asked = 0; met.size < NAMES.length; asked++) {
    if (asked === 100) throw new Error(`Of ${host} only ${[...met.keys()]} were met`);
    const { server, cookies } = await ask(host);
    met.set(server, cookies);
  }
  return met;
}

it.each([
  ['a service', 'plain.test', 1],
  ['a service of a router that is handed over', 'guarded.test', 1],
  ['services in a service', 'nested.test', 2],
])('%s: a cookie of the host finds the same server through the edge, and the other way round', async (_name, host, levels) => {
  const [ofHost, ofEdge] = [await cookiesOf(onHost, host), await cookiesOf(throughEdge, host)];
  for (const server of NAMES) {
    expect(ofHost.get(server)).toHaveLength(levels);
    // The edge adds one cookie for the site.
    expect(ofEdge.get(server)).toEqual(expect.arrayContaining([...ofHost.get(server)!]));
    for (let round = 0; round < 4; round++) {
      expect((await throughEdge(host, ofHost.get(server))).server).toBe(server);
      expect((await onHost(host, ofEdge.get(server))).server).toBe(server);
      expect((await throughEdge(host, ofEdge.get(server))).server).toBe(server);
    }
  }
});
