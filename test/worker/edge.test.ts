import { createHash, randomBytes } from 'node:crypto';
import { request as httpsRequest } from 'node:https';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseSealKeys } from '../../src/config/seal.ts';
import type { ProxyConfiguration } from '../../src/config/snapshot.ts';
import { createSealer } from '../../src/kv-sync/seal.ts';
import { echoOf, get, post } from '../support/edge/client.ts';
import { type Echo, type Origin, startOrigin, valuesOf } from '../support/edge/origin.ts';
import { folded, router, servers, startWorld, type World } from '../support/edge/world.ts';

let origin: Origin;
beforeAll(async () => {
  origin = await startOrigin('app');
});
afterAll(() => origin.stop());

const app = () =>
  ({ routers: {}, services: { 'app@docker': servers(origin.url) }, middlewares: {}, serversTransports: {} }) satisfies ProxyConfiguration;
const services = { 'app@docker': folded({ 'agent-1': { name: 'app@docker', weight: 1 } }) };

describe('TLS at the edge', () => {
  const certificate = Buffer.from('not really DER');
  const secured = { entryPoints: ['https'], tls: {} } as const;

  async function start(tlsClientAuth: Record<string, string>): Promise<World> {
    const cf = { tlsVersion: 'TLSv1.3', tlsCipher: 'AEAD-AES128-GCM-SHA256', httpProtocol: 'HTTP/2', tlsClientAuth };
    const world = await startWorld({ tls: true, cf });
    world.site('agent-1').configure(app());
    await world.publish({
      routers: {
        'app@docker': router('Host(`app.edge.test`)', 'app@docker', { ...secured, entryPoints: ['https'] }),
        'plain@docker': router('Host(`plain.edge.test`)', 'app@docker'),
        'guarded@docker': router('Host(`guarded.edge.test`)', 'app@docker', {
          ...secured,
          entryPoints: ['https'],
          clientCertificate: true,
        }),
      },
      services,
    });
    return world;
  }

  async function fetchFrom(world: World, host: string): Promise<{ status: number; text: string }> {
    const port = await world.port();
    return new Promise((resolve, reject) => {
      const outgoing = httpsRequest({
        host: '127.0.0.1',
        port,
        servername: host,
        headers: { Host: host },
        rejectUnauthorized: false,
        agent: false,
      });
      outgoing.on('error', reject);
      outgoing.on('response', async (incoming) => resolve({ status: incoming.statusCode!, text: (await incoming.toArray()).join('') }));
      outgoing.end();
    });
  }

  it('is an entry point of its own, and the agent learns of the connection', async () => {
    const world = await start({ certVerified: 'NONE' });
    try {
      const { headers } = JSON.parse((await fetchFrom(world, 'app.edge.test')).text) as Echo;
      expect(valuesOf(headers, 'X-Forwarded-Proto')).toEqual(['https']);
      expect(valuesOf(headers, 'X-Forwarded-Port')).toEqual(['443']);
      expect((await fetchFrom(world, 'plain.edge.test')).status).toBe(404);
      const [received] = world.site('agent-1').received;
      expect(received!.headers.get('edgeway-tls')).toBe('1.3 TLS_AES_128_GCM_SHA256');
      expect(received!.headers.get('edgeway-client')).toMatch(/ HTTP\/2\.0$/);
    } finally {
      await world.stop();
    }
  });

  it.each([
    ['none', {}, 403],
    [
      'one that Cloudflare did not accept',
      { certVerified: 'FAILED:unable to verify', certRFC9440: `:${certificate.toString('base64')}:` },
      403,
    ],
    ['a revoked one', { certVerified: 'SUCCESS', certRevoked: '1', certRFC9440: `:${certificate.toString('base64')}:` }, 403],
    ['a verified one', { certVerified: 'SUCCESS', certRevoked: '0', certRFC9440: `:${certificate.toString('base64')}:` }, 200],
  ])('a router that demands a client certificate, with %s', async (_, tlsClientAuth, status) => {
    const world = await start(tlsClientAuth);
    try {
      expect((await fetchFrom(world, 'guarded.edge.test')).status).toBe(status);
      expect((await fetchFrom(world, 'app.edge.test')).status).toBe(200);
      const [received] = world.site('agent-1').received;
      if (status === 200) expect(received!.headers.get('edgeway-tls')).toContain(certificate.toString('base64'));
    } finally {
      await world.stop();
    }
  });
});

describe('secrets', () => {
  const PASSWORD = 'planted-password-5309';
  const HASH = `{SHA}${createHash('sha1').update(PASSWORD).digest('base64')}`;
  const authorization = (password: string) => `Authorization: Basic ${btoa(`user:${password}`)}`;

  async function start(sealedWith: string, opensWith: string | undefined): Promise<World> {
    const [sealKey] = await parseSealKeys(sealedWith);
    const users = await createSealer(sealKey!).seal([`user:${HASH}`]);
    const world = await startWorld({ variables: opensWith === undefined ? {} : { EDGEWAY_SEAL_KEY: opensWith } });
    world.site('agent-1').configure(app());
    await world.publish({
      routers: {
        'app@docker': router('Host(`app.test`)', 'app@docker', { middlewares: ['auth@docker'] }),
        'open@docker': router('Host(`open.test`)', 'app@docker'),
      },
      services,
      middlewares: { 'auth@docker': { basicAuth: { users } } },
    });
    return world;
  }

  it('are opened in the isolate and lie in KV sealed', async () => {
    const key = randomBytes(32).toString('base64url');
    const world = await start(key, key);
    try {
      const port = await world.port();
      expect((await get(port, 'app.test', '/', [authorization(PASSWORD)])).status).toBe(200);
      expect((await get(port, 'app.test', '/', [authorization('wrong')])).status).toBe(401);
      expect((await get(port, 'app.test')).status).toBe(401);
      const { kv } = await world.tell({});
      const stored = JSON.stringify(kv.values);
      for (const planted of [HASH, PASSWORD, 'user:', origin.url, String(origin.port)]) expect(stored).not.toContain(planted);
      expect(world.log.join('\n')).not.toContain(HASH);
    } finally {
      await world.stop();
    }
  });

  it.each([
    ['another key', randomBytes(32).toString('base64url')],
    ['no key', undefined],
  ])('with %s nobody comes past what they guard, and nothing else fails', async (_, opensWith) => {
    const world = await start(randomBytes(32).toString('base64url'), opensWith);
    try {
      const port = await world.port();
      expect((await get(port, 'app.test', '/', [authorization(PASSWORD)])).status).toBe(500);
      expect((await get(port, 'open.test')).status).toBe(200);
      expect(world.log.join('\n')).toContain('A secret cannot be opened');
    } finally {
      await world.stop();
    }
  });
});

describe('limits of the platform', () => {
  it('one request waits for one head at a time, also while it asks site after site: six are allowed', async () => {
    const world = await startWorld({ sites: ['agent-1', 'agent-2', 'agent-3'] });
    try {
      for (const id of ['agent-1', 'agent-2', 'agent-3']) world.site(id).draining = id !== 'agent-3';
      world.site('agent-3').configure(app());
      const place = { name: 'app@docker', weight: 1 };
      await world.publish({
        routers: { 'app@docker': router('Host(`app.test`)', 'app@docker') },
        services: { 'app@docker': folded({ 'agent-1': place, 'agent-2': place, 'agent-3': place }) },
      });
      await world.tell({ egress: { refuseAbove: 1 } });
      expect(echoOf(await post(await world.port(), 'app.test', '/', 'x')).body).toBe('x');
      expect((await world.tell({})).egress.peakWaiting).toBe(1);
    } finally {
      await world.stop();
    }
  });

  it('more than the platform allows fail as exceptions, and only what may be sent again is', async () => {
    const hanging = await startOrigin('hanging', () => {});
    const world = await startWorld();
    try {
      world.site('agent-1').configure({ ...app(), services: { 'app@docker': servers(hanging.url) } });
      await world.publish({ routers: { 'app@docker': router('Host(`app.test`)', 'app@docker') }, services });
      await world.tell({ egress: { refuseAbove: 6 } });
      const port = await world.port();
      const waiting = Array.from({ length: 6 }, () => get(port, 'app.test').catch(() => undefined));
      await expect.poll(() => hanging.count()).toBe(6);
      expect((await get(port, 'app.test')).status).toBe(502);
      expect((await post(port, 'app.test', '/', 'x')).status).toBe(502);
      expect(hanging.count()).toBe(6);
      await hanging.stop();
      await Promise.all(waiting);
    } finally {
      await world.stop();
    }
  });
});
