import { execFile, spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { findProgram } from '../../scripts/servers.ts';
import { type Engine, NO_DOCKER, startEngine, until } from '../../scripts/swarm/engine.ts';
import { describeUnless } from '../support/describe-unless.ts';
import { importImages } from '../support/images.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const SKIPPED = NO_DOCKER ?? (findProgram('docker-compose') === undefined ? 'docker-compose is not installed' : undefined);

describeUnless(SKIPPED, 'the examples for Docker', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine();
    await importImages(engine);
    await engine.docker('build', '-q', '-t', 'edgeway', root);
  }, 120_000);
  afterAll(() => engine?.remove(), 60_000);

  /** What a client on the host of the engine is answered; undefined when nothing answers. */
  function ask(name: string): { hostname?: string } | undefined {
    const script = `require('http').get({port:8000,headers:{host:'${name}'}},(r)=>{let t='';r.on('data',(d)=>t+=d).on('end',()=>console.log(r.statusCode===200?t:'{}'))}).on('error',()=>{})`;
    const { stdout } = spawnSync('nsenter', [`--net=/run/netns/${engine.namespace}`, process.execPath, '-e', script], { encoding: 'utf8' });
    return stdout.trim() === '' ? undefined : (JSON.parse(stdout) as { hostname?: string });
  }

  const compose = (file: string, ...args: string[]) =>
    run('docker-compose', ['-p', 'example', '-f', `examples/${file}`, ...args], {
      cwd: root,
      timeout: 60_000,
      env: {
        ...process.env,
        DOCKER_HOST: engine.endpoint,
        DOCKER_BUILDKIT: '0',
        COMPOSE_DOCKER_CLI_BUILD: '0',
        DOCKER_SOCKET: engine.socket,
        DOCKER_GROUP: String(statSync(engine.socket).gid),
      },
    });

  it.each(['docker-compose.yml', 'docker-compose.socket-proxy.yml'])(
    'examples/%s routes to what compose starts, as nobody in particular',
    async (file) => {
      await compose(file, 'up', '-d', '--no-build');
      try {
        await until(
          () => ask('whoami.localhost')?.hostname !== undefined,
          20_000,
          () =>
            spawnSync('docker', ['logs', 'example_edgeway_1'], { env: { ...process.env, DOCKER_HOST: engine.endpoint }, encoding: 'utf8' })
              .stdout,
        );
        const whoami = await engine.docker('ps', '-q', '--filter', 'label=com.docker.compose.service=whoami');
        expect(ask('whoami.localhost')!.hostname).toBe(whoami);
        const status = await engine.docker('exec', 'example_edgeway_1', 'cat', '/proc/1/status');
        expect(status).toMatch(/^Uid:\s+1000\s/m);
        expect(status).toMatch(/^CapEff:\s+0+$/m);
        expect(await engine.docker('exec', 'example_edgeway_1', 'cat', '/proc/sys/net/ipv4/tcp_migrate_req')).toBe('1');
        await compose(file, 'up', '-d', '--no-build', '--scale', 'whoami=3');
        const seen = new Set<string>();
        await until(() => seen.add(ask('whoami.localhost')!.hostname!).size === 3, 20_000);
      } finally {
        await compose(file, 'down', '-t', '5');
      }
    },
    90_000,
  );

  it('examples/swarm-stack.yml routes to the tasks of the stack', async () => {
    await engine.docker('swarm', 'init', '--advertise-addr', '127.0.0.1', '--listen-addr', '127.0.0.1:2377');
    await run('docker', ['stack', 'deploy', '--resolve-image', 'never', '-c', 'examples/swarm-stack.yml', 'demo'], {
      cwd: root,
      env: { ...process.env, DOCKER_HOST: engine.endpoint, DOCKER_SOCKET: engine.socket },
    });
    const seen = new Set<string>();
    await until(() => {
      const { hostname } = ask('whoami.localhost') ?? {};
      if (hostname !== undefined) seen.add(hostname);
      return seen.size === 3;
    }, 40_000);
    await engine.docker('stack', 'rm', 'demo');
  }, 90_000);
});
