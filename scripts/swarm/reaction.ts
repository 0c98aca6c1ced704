import { request } from 'node:http';
import { createLogger } from '../../src/base/log.ts';
import { loadStatic } from '../../src/config/static-sources.ts';
import { startAgent } from '../../src/origin-agent/agent.ts';
import { systemClock } from '../../src/origin-agent/clock.ts';
import { type Engine, until } from './engine.ts';

const SERVICE = 'crowd@docker';

/**
 * Stops so many containers of one service, one after the other; milliseconds from the engine's `kill` event, by its own time, until no data
 * thread chooses the server any more. Sorted.
 */
export async function measureReaction(engine: Engine, count: number): Promise<number[]> {
  const labels = ['-l', 'traefik.http.routers.crowd.rule=Host(`crowd`)', '-l', 'traefik.http.services.crowd.loadbalancer.server.port=80'];
  const names = Array.from({ length: count }, (_, i) => `crowd-${i}`);
  for (const name of names) await engine.start(name, ...labels, '-l', 'traefik.http.routers.crowd.service=crowd');
  const { configuration } = loadStatic({
    arguments: [
      ...['--entryPoints.web.address=127.0.0.1:0', '--providers.docker=true', `--providers.docker.endpoint=${engine.endpoint}`],
      '--edge.threads=2',
    ],
    environment: {},
    readFile: () => undefined,
  });
  const agent = await startAgent({
    configuration: configuration!,
    environment: {},
    cwd: engine.folder,
    clock: systemClock,
    log: createLogger(() => {}, 'ERROR'),
    logLevel: 'ERROR',
    version: 'measured',
  });
  const chosen = (runtime: ReturnType<typeof agent.runtime>): number =>
    (runtime.http.services[SERVICE]?.config.loadBalancer?.servers ?? []).filter(({ fenced }) => !fenced).length;
  const events = followKills(engine.socket);
  const times: number[] = [];
  try {
    await until(() => chosen(agent.runtime()) === count, 30_000);
    for (const [i, name] of names.entries()) {
      const served = agent.whenServed((runtime) => chosen(runtime) < count - i).then(() => Date.now());
      const killed = events.next(name);
      await engine.post(`/containers/${name}/stop?t=0`);
      times.push((await served) - (await killed));
    }
  } finally {
    events.stop();
    await agent.stop();
    for (const name of names) await engine.post(`/containers/${name}?force=true`, undefined, 'DELETE').catch(() => {});
  }
  return times.sort((a, b) => a - b);
}

/** When the engine says that it signals a container, in milliseconds since the epoch. */
function followKills(socketPath: string): { next(name: string): Promise<number>; stop(): void } {
  const filters = encodeURIComponent(JSON.stringify({ type: ['container'], event: ['kill'] }));
  const waiting = new Map<string, (at: number) => void>();
  let rest = '';
  const asking = request({ socketPath, path: `/events?filters=${filters}` }, (response) => {
    response.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop()!;
      for (const line of lines.filter((one) => one.trim() !== '')) {
        const { timeNano, Actor } = JSON.parse(line) as { timeNano: number; Actor: { Attributes: { name: string } } };
        waiting.get(Actor.Attributes.name)?.(timeNano / 1e6);
      }
    });
    response.on('error', () => {});
  });
  asking.on('error', () => {});
  asking.end();
  return { next: (name) => new Promise((resolve) => waiting.set(name, resolve)), stop: () => void asking.destroy() };
}

/** A quantile of sorted numbers. */
export const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)]!;
