import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Engine, IMAGE, NO_DOCKER, startEngine } from '../../scripts/swarm/engine.ts';
import type { ProviderMessage } from '../../src/providers/provider.ts';
import { swarmProvider } from '../../src/providers/swarm.ts';
import { describeUnless } from '../support/describe-unless.ts';
import { serversOf, type Watched, watch } from '../support/provider.ts';

const OPTIONS = {
  exposedByDefault: true,
  watch: true,
  refreshSeconds: 15_000,
  defaultRule: 'Host(`{{ normalize .Name }}`)',
  network: 'gw',
};

describeUnless(NO_DOCKER, 'a real Swarm', () => {
  let engine: Engine;
  let watched: Watched;
  beforeAll(async () => {
    engine = await startEngine();
    await engine.docker('swarm', 'init', '--advertise-addr', '127.0.0.1', '--listen-addr', '127.0.0.1:2377');
    await engine.docker('network', 'create', '-d', 'overlay', 'gw');
    watched = watch((context) => swarmProvider.watch({ ...OPTIONS, endpoint: engine.endpoint }, context));
    await watched.waitFor(() => true);
  });
  afterAll(async () => {
    await watched?.stop();
    await engine?.remove();
  });

  const usable = (message: ProviderMessage, service: string) => serversOf(message, service)?.filter((url) => url.startsWith('http')) ?? [];
  const fenced = (message: ProviderMessage, service: string) => serversOf(message, service)?.filter((url) => url.startsWith('(')) ?? [];
  /** Creates a service, without waiting. Arguments stand before the image. */
  const create = (name: string, ...args: string[]) =>
    engine.docker(
      ...['service', 'create', '-q', '-d', '--no-resolve-image', '--name', name, '--network', 'gw', '--stop-grace-period', '1s'],
      ...['-l', `traefik.http.services.${name}.loadbalancer.server.port=80`, ...args, IMAGE],
    );
  const since = () => watched.messages.length - 1;

  it('tells of tasks that start, are scaled and replaced, and never takes the last one out', async () => {
    await create('web', '--replicas', '3', '--update-order', 'start-first');
    await watched.waitFor((message) => usable(message, 'web').length === 3, since());

    await engine.docker('service', 'scale', '-d', 'web=1');
    const scaled = await watched.waitFor((message) => fenced(message, 'web').length === 2, since());
    expect(scaled.urgent).toBe(true);
    expect(usable(scaled, 'web')).toHaveLength(1);

    await engine.docker('service', 'scale', '-d', 'web=2');
    await watched.waitFor((message) => usable(message, 'web').length === 2, since());

    const before = since();
    const old = usable(watched.messages.at(-1)!, 'web');
    await engine.docker('service', 'update', '-q', '-d', '--no-resolve-image', '--env-add', 'V=2', 'web');
    await watched.waitFor((message) => usable(message, 'web').filter((url) => !old.includes(url)).length === 2, before);
    // What an edge or a thread sees at any moment: start-first has always as many as are wanted.
    expect(Math.min(...watched.messages.slice(before).map((message) => usable(message, 'web').length))).toBe(2);
    expect(watched.messages.slice(before).some((message) => fenced(message, 'web').length > 0)).toBe(true);

    await engine.docker('service', 'rm', 'web');
    await watched.waitFor((message) => serversOf(message, 'web') === undefined, since());
  }, 60_000);

  it('keeps the only task as a last resort until its successor is there', async () => {
    await create('lone', '--replicas', '1', '--update-order', 'stop-first');
    await watched.waitFor((message) => usable(message, 'lone').length === 1, since());
    const before = since();
    await engine.docker('service', 'update', '-q', '-d', '--no-resolve-image', '--env-add', 'V=2', 'lone');
    await watched.waitFor((message) => usable(message, 'lone').length === 0 && fenced(message, 'lone').length === 1, before);
    await watched.waitFor((message) => usable(message, 'lone').length === 1, since());
    await engine.docker('service', 'rm', 'lone');
  }, 60_000);

  it('tells of global services and of virtual addresses', async () => {
    await create('everywhere', '--mode', 'global');
    await create('balanced', '-l', 'traefik.swarm.lbswarm=true');
    const message = await watched.waitFor((one) => usable(one, 'everywhere').length === 1 && usable(one, 'balanced').length === 1, since());
    const service = JSON.parse(await engine.docker('service', 'inspect', 'balanced')) as [{ Endpoint: { VirtualIPs: { Addr: string }[] } }];
    const addresses = service[0].Endpoint.VirtualIPs.map(({ Addr }) => `http://${Addr.split('/')[0]}:80`);
    expect(addresses).toContain(usable(message, 'balanced')[0]);
    await engine.docker('service', 'rm', 'everywhere', 'balanced');
  }, 60_000);

  it('takes a task out at once whose container is killed', async () => {
    await create('killed', '--replicas', '2');
    await watched.waitFor((message) => usable(message, 'killed').length === 2, since());
    const before = since();
    const [container] = (await engine.docker('ps', '-q', '--filter', 'label=com.docker.swarm.service.name=killed')).split('\n');
    await engine.post(`/containers/${container}/kill`);
    const message = await watched.waitFor((one) => usable(one, 'killed').length === 1, before);
    expect(message.urgent).toBe(true);
    await watched.waitFor((one) => usable(one, 'killed').length === 2, since());
    await engine.docker('service', 'rm', 'killed');
  }, 60_000);
});
