import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { POINTER_KEY } from '../../src/config/kv-layout.ts';
import type { ProxyConfiguration, ProxyRouter, ProxyService } from '../../src/config/snapshot.ts';
import { echoOf, get, post, stream } from '../support/edge/client.ts';
import { type Origin, startOrigin, valuesOf } from '../support/edge/origin.ts';
import type { Site } from '../support/edge/site.ts';
import { folded, router, servers, startWorld, type World } from '../support/edge/world.ts';
import { until } from '../support/until.ts';

/**
 * Hub, KV, agents and servers end in turn while requests run: what each kind of request gets is the table in docs/edge.md.
 */
describe('two sites', () => {
  /** Every test has a pair of agents of its own, as an isolate remembers sites that failed. */
  const PAIRS = 13;
  let world: World;
  let origins: Origin[];
  let pair = 0;
  let one: Site;
  let two: Site;
  const app = (): string => `app${pair}.test`;
  const sticky = (): string => `sticky${pair}.test`;
  const only = (service: ProxyConfiguration['services'][string]): ProxyConfiguration => ({
    routers: {},
    services: { 'app@docker': service },
    middlewares: {},
    serversTransports: {},
  });
  const port = () => world.port();

  beforeAll(async () => {
    origins = await Promise.all([startOrigin('one'), startOrigin('two')]);
    const pairs = Array.from({ length: PAIRS }, (_, i) => i + 1);
    world = await startWorld({ sites: pairs.flatMap((i) => [`one-${i}`, `two-${i}`]) });
    const routers: Record<string, ProxyRouter> = {};
    const services: Record<string, ProxyService> = {};
    for (const i of pairs) {
      const place = (weight: number) => ({ name: 'app@docker', weight });
      routers[`app${i}@docker`] = router(`Host(\`app${i}.test\`)`, `app${i}@docker`);
      routers[`sticky${i}@docker`] = router(`Host(\`sticky${i}.test\`)`, `sticky${i}@docker`);
      services[`app${i}@docker`] = folded({ [`one-${i}`]: place(1000), [`two-${i}`]: place(1) });
      services[`sticky${i}@docker`] = folded({ [`one-${i}`]: place(1), [`two-${i}`]: place(1) }, 'site');
    }
    await world.publish({ routers, services });
  });
  afterAll(async () => {
    await world?.stop();
    await Promise.all(origins.map((origin) => origin.stop()));
  });

  beforeEach(async () => {
    pair++;
    [one, two] = [world.site(`one-${pair}`), world.site(`two-${pair}`)];
    one.configure(only(servers(origins[0]!.url)));
    two.configure(only(servers(origins[1]!.url)));
    // Who is first is chance; when both had a turn, the next thousand are for the first agent.
    for (let i = 0; i < 2; i++) await get(await port(), app());
    for (const { received } of [one, two]) received.splice(0);
  });

  const small = 'x'.repeat(64 * 1024);
  const large = 'x'.repeat(64 * 1024 + 1);
  const kinds: [string, () => Promise<{ status: number; headers: string[]; body: Buffer }>][] = [
    ['GET', async () => get(await port(), app())],
    ['POST, small', async () => post(await port(), app(), '/', small)],
    ['POST, large', async () => post(await port(), app(), '/', large)],
  ];
  async function sendAll(): Promise<Record<string, string>> {
    const results: Record<string, string> = {};
    for (const [kind, send] of kinds) {
      const answer = await send();
      results[kind] = answer.status === 200 ? echoOf(answer).name : String(answer.status);
    }
    return results;
  }

  it('a draining agent: any method goes to the other one, and the isolate keeps away', async () => {
    one.draining = true;
    expect(await sendAll()).toEqual({ GET: 'two', 'POST, small': 'two', 'POST, large': 'two' });
    expect(one.received).toHaveLength(1);
  });

  it('a draining agent that is met by a large body first: 503 at once, without reading it, and when to come back', async () => {
    one.draining = true;
    const { outgoing, answer } = stream(await port(), 'POST', app(), '/', { 'Content-Length': 50_000_000 });
    outgoing.write(large);
    const { statusCode, headers } = await answer;
    expect({ statusCode, retryAfter: headers['retry-after'] }).toEqual({ statusCode: 503, retryAfter: '1' });
    outgoing.destroy();
    expect(two.received).toHaveLength(0);
  });

  it('an agent that is gone (521): what can be sent again goes to the other one', async () => {
    await one.cut();
    expect(await sendAll()).toEqual({ GET: 'two', 'POST, small': 'two', 'POST, large': 'two' });
  });

  it('an agent that ends while a request is with it (520): only idempotent ones are sent again', async () => {
    const breaking = await startOrigin('breaking', () => void one.cut());
    one.configure(only(servers(breaking.url)));
    expect((await post(await port(), app(), '/', small)).status).toBe(502);
    expect(two.received).toHaveLength(0);
    await one.listen();
    expect(echoOf(await get(await port(), sticky())).name).toBe('two');
    await breaking.stop();
  });

  it('no server behind an agent: any method goes to the other one; nobody’s server: 502 like Traefik', async () => {
    const gone = await startOrigin('gone');
    await gone.stop();
    const dead = only(servers(gone.url));
    one.configure(dead);
    expect(await sendAll()).toEqual({ GET: 'two', 'POST, small': 'two', 'POST, large': 'two' });
    two.configure(dead);
    expect(await sendAll()).toEqual({ GET: '502', 'POST, small': '502', 'POST, large': '502' });
  });

  it('a service without any server: 503 like Traefik', async () => {
    one.configure(only(servers()));
    two.configure(only(servers()));
    expect(await sendAll()).toEqual({ GET: '503', 'POST, small': '503', 'POST, large': '503' });
  });

  it('an agent that does not accept the grant, or no longer has the service: any method goes to the other one', async () => {
    one.grantKeys = [];
    expect(await sendAll()).toEqual({ GET: 'two', 'POST, small': 'two', 'POST, large': 'two' });
    two.configure({ ...only(servers()), services: {} });
    expect(await sendAll()).toEqual({ GET: '503', 'POST, small': '503', 'POST, large': '503' });
  });

  it.each([
    [-9_000, 'one'],
    [60_000, 'one'],
    // Grants hold for 60 s and 10 more; one that begins later than in 10 s holds not yet.
    [-12_000, 'two'],
    [72_000, 'two'],
  ])('an agent whose clock is %i ms off gets no request that it would have to refuse: %s answers', async (offset, name) => {
    one.clockOffsetMs = offset;
    expect(echoOf(await get(await port(), app())).name).toBe(name);
  });

  it('a sticky client comes back to its site, and moves when that one is gone', async () => {
    const first = await get(await port(), sticky());
    const cookie = valuesOf(first.headers, 'Set-Cookie')[0]!.split(';')[0]!;
    const { name } = echoOf(first);
    for (let i = 0; i < 5; i++) expect(echoOf(await get(await port(), sticky(), '/', [`Cookie: ${cookie}`])).name).toBe(name);
    await (name === 'one' ? one : two).cut();
    const moved = await get(await port(), sticky(), '/', [`Cookie: ${cookie}`]);
    expect(echoOf(moved).name).not.toBe(name);
    expect(valuesOf(moved.headers, 'Set-Cookie')[0]).not.toContain(cookie);
  });

  /** Both Workers have heard that it is going: the other site gets requests and this one none, nor has it one to answer. */
  async function leftAlone(site: Site, other: Site): Promise<void> {
    for (;;) {
      const [here, there] = [site.received.length, other.received.length];
      while (other.received.length < there + 20) await delay(1);
      if (site.received.length === here && site.inFlight() === 0) return;
    }
  }

  it('requests that run while agents restart one after the other: no failure, without and with a small body', async () => {
    const failures: number[] = [];
    let running = true;
    const load = Promise.all(
      kinds.slice(0, 2).map(async ([, send]) => {
        while (running) {
          const { status } = await send();
          if (status !== 200) failures.push(status);
        }
      }),
    );
    for (const [site, other] of [
      [one, two],
      [two, one],
      [one, two],
      [two, one],
    ] as const) {
      site.draining = true;
      await leftAlone(site, other);
      await site.cut();
      await site.listen();
      site.draining = false;
    }
    running = false;
    await load;
    expect(failures).toEqual([]);
  });
});

describe('KV and hub', () => {
  let world: World;
  let origin: Origin;
  const FRESH_MS = 100;

  const config = (mark: string): Partial<ProxyConfiguration> => ({
    routers: { 'app@docker': router('Host(`app.test`)', 'app@docker', { middlewares: ['mark@docker'] }) },
    services: { 'app@docker': folded({ 'agent-1': { name: 'app@docker', weight: 1 } }) },
    middlewares: { 'mark@docker': { headers: { customResponseHeaders: { 'X-Mark': mark } } } },
  });
  /** Too large for one value: a manifest and shards. */
  const largeConfig = (mark: string): Partial<ProxyConfiguration> => {
    const { routers, services, middlewares } = config(mark);
    const others = Array.from({ length: 40 }, (_, i) => [
      `o${i}@docker`,
      router(`Host(\`o${i}.test\`)`, 'app@docker', { middlewares: [`big${i}@docker`] }),
    ]);
    const bigs = Array.from({ length: 40 }, (_, i) => [
      `big${i}@docker`,
      { headers: { customRequestHeaders: { 'X-Big': 'x'.repeat(10_000) } } },
    ]);
    return {
      routers: { ...routers, ...Object.fromEntries(others) },
      services,
      middlewares: { ...middlewares, ...Object.fromEntries(bigs) },
    };
  };

  beforeAll(async () => {
    origin = await startOrigin('app');
  });
  afterAll(async () => {
    await origin.stop();
  });
  beforeEach(async () => {
    world = await startWorld({ twice: true, variables: { EDGEWAY_FRESHNESS_MS: String(FRESH_MS) } });
    world
      .site('agent-1')
      .configure({ routers: {}, services: { 'app@docker': servers(origin.url) }, middlewares: {}, serversTransports: {} });
    return () => world.stop();
  });

  const ask = async (location: 'a' | 'b' = 'a') => get(await world.port(location), 'app.test');
  const markAt = async (location: 'a' | 'b' = 'a') => {
    const { status, headers } = await ask(location);
    return status === 200 ? valuesOf(headers, 'X-Mark')[0] : status;
  };
  /** Asks until the Worker has looked at KV to the end: it has when it begins another time. What it then said. */
  const markAfterLook = async (location: 'a' | 'b' = 'a') => {
    const reads = async () => (await world.tell({})).kv.counts.reads;
    const before = await reads();
    for (;;) {
      const mark = await markAt(location);
      if ((await reads()) > before + 1) return mark;
    }
  };
  /** Past the second in which a key may be written once, and past what caches of the double remember. */
  const pass = (advanceMs: number) => world.tell({ kv: { advanceMs } });

  it('nothing was ever published: 503 and when to come back; then it is there', async () => {
    const { status, headers, body } = await ask();
    expect({ status, body: body.toString(), retryAfter: valuesOf(headers, 'Retry-After') }).toEqual({
      status: 503,
      body: 'no configuration\n',
      retryAfter: ['5'],
    });
    await world.publish(config('one'));
    // KV remembers at this location that there was nothing: the hub tells.
    await expect.poll(() => markAt(), { timeout: 5000 }).toBe('one');
    expect((await world.tell({})).hub.asked).toBeGreaterThan(0);
  });

  it('a change is seen by both Workers, at each when its location sees it', async () => {
    await world.publish(config('one'));
    expect([await markAt('a'), await markAt('b')]).toEqual(['one', 'one']);
    await pass(31_000);
    await world.tell({ kv: { delays: { [POINTER_KEY]: 90_000 } } });
    await world.publish(config('two'));
    expect([await markAfterLook('a'), await markAfterLook('b')]).toEqual(['one', 'one']);
    await pass(89_000);
    expect(await markAfterLook('a')).toBe('one');
    await pass(31_000);
    await expect.poll(() => markAt('a'), { timeout: 8000 }).toBe('two');
    await expect.poll(() => markAt('b'), { timeout: 8000 }).toBe('two');
  });

  it('the pointer is there before its objects: the hub has them', async () => {
    await world.tell({ kv: { delays: { 'edgeway/objects/': 90_000 } } });
    await world.publish(largeConfig('one'));
    expect([await markAt('a'), await markAt('b')]).toEqual(['one', 'one']);
    expect((await world.tell({})).hub.asked).toBe(6);
  });

  it('the pointer is there before its objects and the hub is away: the old configuration, as long as it takes', async () => {
    await world.publish(largeConfig('one'));
    expect(await markAt()).toBe('one');
    await pass(31_000);
    await world.tell({ kv: { delays: { 'edgeway/objects/': 90_000 } }, hub: { away: true } });
    await world.publish(largeConfig('two'));
    expect(await markAfterLook()).toBe('one');
    // A fresh isolate has nothing to fall back on.
    expect(await markAt('b')).toBe(503);
    // Misses are remembered for a day, as objects are; the hub comes back first.
    await world.tell({ hub: { away: false } });
    await expect.poll(() => markAt('b'), { timeout: 8000 }).toBe('two');
    await expect.poll(() => markAt('a'), { timeout: 8000 }).toBe('two');
  });

  it('a location that falls back to an older pointer: ignored', async () => {
    const first = await world.publish(config('one'));
    await pass(1000);
    await world.publish(config('two'));
    expect(await markAt()).toBe('two');
    await pass(31_000);
    await world.tell({ kv: { put: { [POINTER_KEY]: first.pointerText } } });
    expect(await markAfterLook()).toBe('two');
  });

  it.each(['failing', 'hanging'] as const)('KV is %s: the isolate goes on; one that has nothing asks the hub', async (mode) => {
    await world.publish(config('one'));
    expect(await markAt('a')).toBe('one');
    await world.tell({ kv: { mode } });
    let longestMs = 0;
    const asked = async () => {
      const startedAt = performance.now();
      expect(await markAt('a')).toBe('one');
      longestMs = Math.max(longestMs, performance.now() - startedAt);
      return (await world.tell({})).kv.counts.reads;
    };
    const reads = await asked();
    await until(async () => (await asked()) > reads + 1);
    expect(longestMs).toBeLessThan(1500);
    expect(await markAt('b')).toBe('one');
    await world.tell({ hub: { away: true } });
    expect(await markAt('a')).toBe('one');
  });

  it('many requests at once meet a cold isolate, then an old copy: they share a check, and none waits for long', async () => {
    await world.publish(largeConfig('one'));
    for (let round = 0; round < 3; round++) {
      await world.tell({ kv: { resetCounts: true } });
      const startedAt = performance.now();
      const marks = await Promise.all(Array.from({ length: 40 }, () => markAt()));
      expect(new Set(marks)).toEqual(new Set(['one']));
      expect((await world.tell({})).kv.counts.reads).toBeLessThan(20);
      expect(performance.now() - startedAt).toBeLessThan(5000);
      await delay(FRESH_MS);
    }
  });

  it('the hub is away: nobody who has a configuration notices', async () => {
    await world.publish(config('one'));
    await world.tell({ hub: { away: true } });
    expect([await markAt('a'), await markAt('b')]).toEqual(['one', 'one']);
    await pass(31_000);
    await world.publish(config('two'));
    await expect.poll(() => markAt('a'), { timeout: 8000 }).toBe('two');
  });

  it('all away at once: what is in the isolate is served', async () => {
    await world.publish(config('one'));
    expect(await markAt()).toBe('one');
    await world.tell({ kv: { mode: 'failing' }, hub: { away: true } });
    expect(await markAfterLook('a')).toBe('one');
    expect(await markAt('b')).toBe(503);
    await origin.server.close();
    origin.server.closeAllConnections();
    expect(await markAt('a')).toBe(502);
    origin.server.listen(origin.port, '127.0.0.1');
    await once(origin.server, 'listening');
    expect(await markAt('a')).toBe('one');
  });

  it('one write a second and key: what comes sooner is refused, as Cloudflare does', async () => {
    await world.publish(config('one'));
    await expect(world.tell({ kv: { put: { [POINTER_KEY]: 'x' } } })).rejects.toThrow('429');
    await pass(1000);
    await world.tell({ kv: { put: { [POINTER_KEY]: 'x' } } });
    expect((await world.tell({})).kv.counts).toMatchObject({ writes: 2, refusedWrites: 1 });
  });
});
