import { type Engine, IMAGE, until } from './engine.ts';
import { enterBy, type Stage, WHOAMI_COMMAND, WHOAMI_MOUNTS } from './stage.ts';

/** A Swarm of one node with a service of three replicas. */
export async function setUpSwarm(engine: Engine): Promise<Stage> {
  await engine.docker('swarm', 'init', '--advertise-addr', '127.0.0.1', '--listen-addr', '127.0.0.1:2377');
  await engine.docker('network', 'create', '-d', 'overlay', '--attachable', 'gw');
  // The kernel of a test machine has no virtual servers, and tasks are reached from the overlay network only.
  await engine.docker(
    'run',
    '-d',
    '--name',
    'anchor',
    '--network',
    'gw',
    '--sysctl',
    'net.ipv4.tcp_migrate_req=1',
    IMAGE,
    'sleep',
    '86400',
  );
  const pid = await engine.docker('inspect', '-f', '{{.State.Pid}}', 'anchor');
  await engine.docker(
    ...['service', 'create', '-q', '-d', '--no-resolve-image', '--name', 'whoami', '--network', 'gw', '--replicas', '3', ...WHOAMI_MOUNTS],
    ...['--update-parallelism', '1', '--stop-grace-period', '10s', '--update-monitor', '500ms'],
    ...['-l', 'traefik.http.routers.whoami.rule=Host(`whoami`)', '-l', 'traefik.http.services.whoami.loadbalancer.server.port=80'],
    ...[IMAGE, ...WHOAMI_COMMAND],
  );
  return {
    name: 'swarm',
    engine,
    flags: ['--providers.swarm=true', `--providers.swarm.endpoint=${engine.endpoint}`, '--providers.swarm.network=gw'],
    steps: [
      { name: 'service update, start-first', act: () => update(engine, 'start-first') },
      { name: 'service update, stop-first', act: () => update(engine, 'stop-first') },
      { name: 'service scale 3 → 1 → 5', act: () => scale(engine, 1).then(() => scale(engine, 5)) },
      { name: 'docker kill of a task', act: () => killOne(engine), kills: true },
    ],
    reset: () => scale(engine, 3),
    enter: enterBy(engine, '-t', pid, '-n'),
  };
}

/** A variable that is new each time makes Docker replace every task. */
async function update(engine: Engine, order: string): Promise<void> {
  const version = `VERSION=${Date.now()}`;
  await engine.docker('service', 'update', '-q', '-d', '--no-resolve-image', '--update-order', order, '--env-add', version, 'whoami');
  await settled(engine, 3, version);
}

async function scale(engine: Engine, replicas: number): Promise<void> {
  await engine.docker('service', 'scale', '-d', `whoami=${replicas}`);
  await settled(engine, replicas);
}

async function killOne(engine: Engine): Promise<void> {
  const before = await containersOf(engine);
  await engine.docker('kill', before[0]!);
  await until(async () => (await containersOf(engine)).some((id) => !before.includes(id)), 30_000);
  await settled(engine, before.length);
}

const containersOf = async (engine: Engine): Promise<string[]> =>
  (await engine.docker('ps', '-q', '--no-trunc', '--filter', 'label=com.docker.swarm.service.name=whoami')).split('\n');

interface Task {
  readonly Status: { readonly State: string };
  readonly Spec: { readonly ContainerSpec: { readonly Env?: readonly string[] } };
}

/** What `docker service update` waits for is sometimes the update before. So: all wanted tasks run, of this version, and no others. */
async function settled(engine: Engine, replicas: number, version?: string): Promise<void> {
  const filters = encodeURIComponent(JSON.stringify({ service: ['whoami'], 'desired-state': ['running'] }));
  await until(async () => {
    const tasks = (await engine.post(`/tasks?filters=${filters}`, undefined, 'GET')) as Task[];
    const ready = tasks.filter(
      ({ Status, Spec }) => Status.State === 'running' && (version === undefined || Spec.ContainerSpec.Env?.includes(version)),
    );
    return ready.length === replicas && tasks.length === replicas && (await containersOf(engine)).length === replicas;
  }, 90_000);
}
