import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type Engine, IMAGE, until } from './engine.ts';
import { enterBy, type Stage, WHOAMI_COMMAND, WHOAMI_MOUNTS } from './stage.ts';

const NAMES = ['whoami-1', 'whoami-2', 'whoami-3'];

/** Three containers of one service, as compose would start them. */
export async function setUpContainers(engine: Engine): Promise<Stage> {
  for (const name of NAMES) await start(engine, name);
  const eachInTurn = async (act: (name: string) => Promise<unknown>): Promise<void> => {
    for (const name of NAMES) await act(name);
  };
  return {
    name: 'docker',
    engine,
    flags: ['--providers.docker=true', `--providers.docker.endpoint=${engine.endpoint}`],
    steps: [
      {
        name: 'docker restart, one by one',
        act: () => eachInTurn((name) => engine.docker('restart', name).then(() => isServing(engine, name))),
      },
      {
        name: 'docker stop, rm, run, one by one',
        act: () =>
          eachInTurn(async (name) => {
            await engine.docker('stop', name);
            await engine.docker('rm', name);
            await start(engine, name);
          }),
      },
      { name: 'docker kill of a container', act: () => engine.docker('kill', NAMES[0]!), kills: true },
    ],
    async reset() {
      await promisify(execFile)('nsenter', [`--net=/run/netns/${engine.namespace}`, 'sysctl', '-qw', 'net.ipv4.tcp_migrate_req=1']);
      for (const name of NAMES) await engine.docker('start', name).then(() => isServing(engine, name));
    },
    enter: enterBy(engine, `--net=/run/netns/${engine.namespace}`),
  };
}

async function start(engine: Engine, name: string): Promise<void> {
  await engine.docker(
    ...['run', '-d', '--name', name, '--stop-timeout', '10', '--expose', '80', ...WHOAMI_MOUNTS],
    ...['--health-cmd', 'wget -q -O- http://127.0.0.1/health', '--health-interval', '200ms'],
    ...['-l', 'traefik.http.routers.whoami.rule=Host(`whoami`)', '-l', 'traefik.http.services.whoami.loadbalancer.server.port=80'],
    ...['-l', 'traefik.http.routers.whoami.service=whoami', IMAGE, ...WHOAMI_COMMAND],
  );
  await isServing(engine, name);
}

const isServing = (engine: Engine, name: string): Promise<void> =>
  until(async () => (await engine.docker('inspect', '-f', '{{.State.Health.Status}}', name)) === 'healthy', 30_000);
