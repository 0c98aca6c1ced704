import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultsOf } from '../../src/base/decode.ts';
import { redis as redisOptions } from '../../src/config/static/stores.ts';
import type { ProviderMessage } from '../../src/providers/provider.ts';
import { redisProvider } from '../../src/providers/redis.ts';
import { watch } from '../support/provider.ts';
import { findServer, type RunningServer, startRedis } from '../support/servers.ts';

const redisPath = findServer('redis-server');
const rule = (message: ProviderMessage, name: string): string | undefined => message.configuration.http?.routers?.[name]?.rule;
const has = (name: string, text: string) => (message: ProviderMessage) => rule(message, name) === text;

describe.skipIf(redisPath === undefined)('redis (redis-server)', () => {
  let server: RunningServer;
  let admin: Redis;
  const start = (options: object = {}) =>
    watch((context) => redisProvider.watch({ ...defaultsOf(redisOptions), endpoints: [`127.0.0.1:${server.port}`], ...options }, context));
  beforeAll(async () => {
    server = await startRedis(redisPath!);
    admin = new Redis({ port: server.port, retryStrategy: () => 50 });
    admin.on('error', () => {});
  });
  afterAll(async () => {
    admin.disconnect();
    await server.stop();
  });

  it('follows keys as redis-cli writes them', async () => {
    await admin.set('traefik/http/routers/a/rule', 'Host(`a.test`)');
    const watched = start();
    await watched.waitFor(has('a', 'Host(`a.test`)'));
    const began = performance.now();
    await admin.set('traefik/http/routers/a/rule', 'Host(`b.test`)');
    await watched.waitFor(has('a', 'Host(`b.test`)'));
    expect(performance.now() - began).toBeLessThan(1_000);
    for (const [key, value] of [
      ['rule', 'Host(`c.test`)'],
      ['service', 's'],
      ['middlewares/0', 'auth@file'],
    ])
      await admin.set(`traefik/http/routers/c/${key}`, value!);
    const whole = await watched.waitFor((message) => rule(message, 'c') !== undefined);
    expect(whole.configuration.http!.routers!.c).toMatchObject({ service: 's', middlewares: ['auth@file'] });
    await admin.del('traefik/http/routers/a/rule');
    await watched.waitFor((message) => rule(message, 'a') === undefined);
    await watched.stop();
  });

  it('reads another root key in another database', async () => {
    const other = new Redis({ port: server.port, db: 2 });
    await other.set('web/http/routers/w/rule', 'Host(`w.test`)');
    const watched = start({ db: 2, rootKey: 'web' });
    const message = await watched.waitFor(() => true);
    expect(Object.keys(message.configuration.http!.routers!)).toEqual(['w']);
    await watched.stop();
    other.disconnect();
  });

  it('goes on when the server was killed, without its keys and with them', async () => {
    await admin.set('traefik/http/routers/k/rule', 'Host(`1.test`)');
    const watched = start();
    await watched.waitFor(has('k', 'Host(`1.test`)'));
    await server.stop();
    server = await startRedis(redisPath!, [], server.port);
    await expect
      .poll(() => watched.lines.map(({ message }) => message), { timeout: 10_000 })
      .toContain('The store came back empty, keeping what it said before until a key is written');
    expect(watched.messages.length).toBe(1);
    await admin.set('traefik/http/routers/k/rule', 'Host(`2.test`)');
    await watched.waitFor(has('k', 'Host(`2.test`)'));
    await watched.stop();
  });

  it('is not brought down by what does not belong there', async () => {
    await admin.flushall();
    await admin.set('traefik/http/routers/good/rule', 'Host(`good.test`)');
    await admin.set('traefik/http/routers/large/rule', 'x'.repeat(10 * 1024 * 1024));
    await admin.set(`traefik/${'http/'.repeat(5_000)}x`, 'deep');
    await admin.set('traefik/http/routers/__proto__/rule', 'Host(`proto.test`)');
    await admin.set('traefik/http/routers/bytes/rule', Buffer.from([0xff, 0, 0xc3]));
    await admin.hset('traefik/http/routers/hash/rule', 'a', '1');
    const watched = start();
    const message = await watched.waitFor(has('good', 'Host(`good.test`)'));
    expect(message.problems.map(({ message }) => message)).toContain('The key has more than 100 parts');
    expect(({} as { rule?: string }).rule).toBeUndefined();
    await watched.stop();
  });
});
