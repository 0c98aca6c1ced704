import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Engine, IMAGE, NO_DOCKER, startEngine } from '../../scripts/swarm/engine.ts';
import { dockerProvider } from '../../src/providers/docker.ts';
import { keepTrying } from '../../src/providers/stream.ts';
import { describeUnless } from '../support/describe-unless.ts';
import { serversOf, type Watched, watch } from '../support/provider.ts';

const OPTIONS = { exposedByDefault: true, watch: true, defaultRule: 'Host(`{{ normalize .Name }}`)' };

describeUnless(NO_DOCKER, 'a real Docker engine', () => {
  let engine: Engine;
  let watched: Watched;
  beforeAll(async () => {
    engine = await startEngine();
    watched = watch((context) => keepTrying(() => dockerProvider.watch({ ...OPTIONS, endpoint: engine.endpoint }, context), context));
    await watched.waitFor(() => true);
  });
  afterAll(async () => {
    await watched?.stop();
    await engine?.remove();
  });

  /** The first message from now on in which the service has these servers. */
  const servers = (service: string, expected: RegExp | undefined) =>
    watched.waitFor((message) => {
      const found = serversOf(message, service)?.join(' ');
      return expected === undefined ? found === undefined : found !== undefined && expected.test(found);
    }, watched.messages.length - 1);

  it('tells of a container that starts, stops and starts again', async () => {
    await engine.start('stops');
    await servers('stops', /^http:\/\/172\.17\.0\.\d+:80$/);
    const stopping = engine.docker('stop', '-t', '2', 'stops');
    const fenced = await servers('stops', /^\(http/);
    expect(fenced.urgent).toBe(true);
    await servers('stops', undefined);
    await stopping;
    await engine.docker('start', 'stops');
    await servers('stops', /^http/);
  });

  it('tells of a kill within 100 ms of the event', async () => {
    const names = Array.from({ length: 12 }, (_, i) => `victim-${i}`);
    await Promise.all(names.map((name) => engine.start(name)));
    for (const name of names) await servers(name, /^http/);
    const delays: number[] = [];
    for (const name of names) {
      const before = watched.messages.length;
      await engine.post(`/containers/${name}/kill`);
      const { at } = await watched.waitFor((message) => !serversOf(message, name)?.[0]?.startsWith('http'), before);
      const filters = encodeURIComponent(JSON.stringify({ container: [name], event: ['kill'] }));
      const now = Date.now() / 1_000;
      const event = await engine.post(`/events?since=${now - 60}&until=${now}&filters=${filters}`, undefined, 'GET');
      delays.push(at - (event as { timeNano: number }).timeNano / 1e6);
    }
    delays.sort((a, b) => a - b);
    console.log(`from the kill event to the message: median ${delays[6]!.toFixed(1)} ms, slowest of 12 ${delays.at(-1)!.toFixed(1)} ms`);
    expect(delays.at(-1)).toBeLessThan(100);
    await engine.docker('rm', ...names);
  }, 60_000);

  it('passes over a signal that stops nothing', async () => {
    await engine.start('hup');
    await servers('hup', /^http/);
    const since = watched.messages.length;
    await engine.docker('kill', '-s', 'CONT', 'hup');
    await engine.start('after-hup');
    await servers('after-hup', /^http/);
    expect(watched.messages.slice(since).every((message) => serversOf(message, 'hup')?.[0]?.startsWith('http'))).toBe(true);
    await engine.docker('rm', '-f', 'hup', 'after-hup');
  });

  it('uses a container while it is healthy', async () => {
    await engine.docker(
      ...['run', '-d', '--name', 'health', '--health-cmd', 'test -f /tmp/ok', '--health-interval', '200ms', '--health-retries', '1'],
      ...['--stop-timeout', '1', IMAGE],
    );
    await engine.docker('exec', 'health', 'touch', '/tmp/ok');
    await servers('health', /^http/);
    await engine.docker('exec', 'health', 'rm', '/tmp/ok');
    const since = watched.messages.length;
    await servers('health', undefined);
    expect(watched.messages.slice(since - 1).find((message) => serversOf(message, 'health') === undefined)!.urgent).toBe(true);
    await engine.docker('exec', 'health', 'touch', '/tmp/ok');
    await servers('health', /^http/);
    await engine.docker('rm', '-f', 'health');
  });

  it('follows a change of networks', async () => {
    await engine.docker('network', 'create', '--subnet', '10.77.0.0/24', 'other');
    await engine.start('moves', '-l', 'traefik.docker.network=other');
    await servers('moves', /^http:\/\/172\.17\./);
    await engine.docker('network', 'connect', 'other', 'moves');
    await servers('moves', /^http:\/\/10\.77\.0\.\d+:80$/);
    await engine.docker('network', 'disconnect', 'other', 'moves');
    await servers('moves', /^http:\/\/172\.17\./);
    await engine.docker('rm', '-f', 'moves');
  });

  it('follows a rename', async () => {
    await engine.start('before');
    await servers('before', /^http/);
    await engine.docker('rename', 'before', 'behind');
    await servers('behind', /^http/);
    expect(serversOf(watched.messages.at(-1)!, 'before')).toBeUndefined();
    await engine.docker('rm', '-f', 'behind');
  });

  it('follows a pause', async () => {
    await engine.start('pauses');
    await servers('pauses', /^http/);
    await engine.docker('pause', 'pauses');
    await servers('pauses', undefined);
    await engine.docker('unpause', 'pauses');
    await servers('pauses', /^http/);
    await engine.docker('rm', '-f', 'pauses');
  });

  it('finds the containers again when the engine was restarted', async () => {
    await engine.start('survivor', '--restart', 'always');
    await servers('survivor', /^http/);
    await engine.shutDown();
    const messages = watched.messages.length;
    await engine.startAgain();
    await watched.waitFor((message) => serversOf(message, 'survivor')?.[0]?.startsWith('http') === true, messages);
    expect(watched.lines.some(({ level, message }) => level === 'ERROR' && message.startsWith('Provider failed'))).toBe(true);
    await engine.docker('rm', '-f', 'survivor');
  }, 60_000);
});
