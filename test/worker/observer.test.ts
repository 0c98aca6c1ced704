import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../support/agent-process.ts';
import { get } from '../support/edge/client.ts';
import { type Origin, startOrigin } from '../support/edge/origin.ts';
import { folded, router, servers, startWorld, type World } from '../support/edge/world.ts';

/** What the Worker tells of requests, in workerd. */
let origin: Origin;
beforeAll(async () => {
  origin = await startOrigin('app');
});
afterAll(() => origin.stop());

const SECRET = 'planted-secret-4711';

async function start(variables: Record<string, string>, analytics?: true): Promise<World> {
  const world = await startWorld({ variables, ...(analytics && { analytics }) });
  world.site('agent-1').configure({ routers: {}, services: { 'app@docker': servers(origin.url) }, middlewares: {}, serversTransports: {} });
  await world.publish({
    routers: {
      'app@docker': router('Host(`app.test`)', 'app@docker'),
      'quiet@docker': router('Host(`quiet.test`)', 'app@docker', { observability: { accessLogs: false, metrics: false } } as never),
      'lost@docker': router('Host(`lost.test`)', 'lost@docker'),
      'guarded@docker': router('Host(`guarded.test`)', 'app@docker', { middlewares: ['guard@docker'] }),
    },
    services: {
      'app@docker': folded({ 'agent-1': { name: 'app@docker', weight: 1 } }),
      'lost@docker': folded({ nowhere: { name: 'lost@docker', weight: 1 } }),
    },
    middlewares: { 'guard@docker': { basicAuth: { users: [`bob:${SECRET}`] } } } as never,
  });
  return world;
}
const linesOf = ({ log }: World): Record<string, unknown>[] =>
  log
    .flatMap((text) => text.split('\n'))
    .flatMap((text) => (text.includes('"RequestCount"') ? [JSON.parse(text) as Record<string, unknown>] : []));

describe('EDGEWAY_ACCESS_LOG', () => {
  let world: World;
  beforeAll(async () => {
    world = await start({ EDGEWAY_ACCESS_LOG: '{"fields": {"headers": {"names": {"X-Kept": "keep", "Authorization": "redact"}}}}' });
  });
  afterAll(() => world?.stop());

  it("prints a line for each request, with Traefik's names and the site", async () => {
    await get(await world.port(), 'app.test', '/a?b=c', ['X-Kept: yes', 'X-Other: no', `Authorization: ${SECRET}`]);
    const line = await until(() => linesOf(world).find(({ RouterName }) => RouterName === 'app@docker'));
    expect(line).toMatchObject({
      RequestHost: 'app.test',
      RequestMethod: 'GET',
      RequestPath: '/a?b=c',
      'request_X-Kept': 'yes',
      request_Authorization: 'REDACTED',
      RequestScheme: 'http',
      DownstreamStatus: 200,
      OriginStatus: 200,
      ServiceName: 'app@docker',
      edgewaySite: 'agent-1',
      entryPointName: 'http',
    });
    expect(line).not.toHaveProperty('request_X-Other');
  });

  it.each([
    ['no router', 'nobody.test', undefined, 404],
    ['a site that is not there', 'lost.test', 'lost@docker', 502],
    ['a refused password', 'guarded.test', 'guarded@docker', 401],
  ])('tells of %s', async (_, host, RouterName, status) => {
    const { status: seen } = await get(await world.port(), host);
    const line = await until(() => linesOf(world).find(({ RequestHost }) => RequestHost === host));
    expect(line).toMatchObject({ DownstreamStatus: seen, ...(RouterName && { RouterName }) });
    expect([status, 503]).toContain(seen);
  });

  it('is silent where the router wants that, and has no secret', async () => {
    await get(await world.port(), 'quiet.test');
    await get(await world.port(), 'last.test');
    await until(() => linesOf(world).some(({ RequestHost }) => RequestHost === 'last.test'));
    expect(linesOf(world).some(({ RequestHost }) => RequestHost === 'quiet.test')).toBe(false);
    expect(world.log.join('\n')).not.toContain(SECRET);
  });
});

describe('without it, or with nonsense', () => {
  it.each([
    ['nothing', {}],
    ['false', { EDGEWAY_ACCESS_LOG: 'false' }],
    ['no JSON', { EDGEWAY_ACCESS_LOG: 'please' }],
    ['an unknown option', { EDGEWAY_ACCESS_LOG: '{"filter": {}}' }],
  ])('%s: requests are served and nothing is printed of them', async (name, variables) => {
    const world = await start(variables);
    try {
      expect((await get(await world.port(), 'app.test')).status).toBe(200);
      expect(linesOf(world)).toEqual([]);
      if (name === 'no JSON' || name === 'an unknown option')
        await until(() => world.log.some((line) => line.includes('EDGEWAY_ACCESS_LOG cannot be used')));
    } finally {
      await world.stop();
    }
  });
});

describe('EDGEWAY_ANALYTICS', () => {
  it('gets the numbers of the isolate', async () => {
    const world = await start({}, true);
    try {
      for (let i = 0; i < 3; i++) await get(await world.port(), 'app.test');
      await get(await world.port(), 'quiet.test');
      const points = await until(async () => {
        const { analytics } = await world.tell({});
        return analytics.points.length > 0 ? analytics.points : undefined;
      });
      expect(points).toHaveLength(1);
      expect(points[0]).toMatchObject({ indexes: ['app@docker'], blobs: ['app@docker', 'app@docker', 'agent-1', '200', 'GET', 'http'] });
      const [requests, durationMs, bytes, retries] = points[0]!.doubles!;
      expect([requests, retries]).toEqual([3, 0]);
      expect(durationMs).toBeGreaterThanOrEqual(0);
      expect(bytes).toBeGreaterThan(0);
      expect(linesOf(world)).toEqual([]);
    } finally {
      await world.stop();
    }
  });
});
