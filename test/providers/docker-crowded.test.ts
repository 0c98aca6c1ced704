import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Engine, IMAGE, NO_DOCKER, startEngine } from '../../scripts/swarm/engine.ts';
import { dockerProvider } from '../../src/providers/docker.ts';
import { describeUnless } from '../support/describe-unless.ts';
import { serversOf, type Watched, watch } from '../support/provider.ts';

const OPTIONS = { exposedByDefault: true, watch: true, defaultRule: 'Host(`{{ normalize .Name }}`)' };

/** A file of its own: two hundred containers take the machine half a minute, whatever we do. */
describeUnless(NO_DOCKER, 'a real Docker engine, crowded', () => {
  let engine: Engine;
  let watched: Watched;
  beforeAll(async () => {
    engine = await startEngine();
    watched = watch((context) => dockerProvider.watch({ ...OPTIONS, endpoint: engine.endpoint }, context));
    await watched.waitFor(() => true);
  });
  afterAll(async () => {
    await watched?.stop();
    await engine?.remove();
  });

  it('tells of two hundred containers that start and stop at once', async () => {
    const labels = { 'traefik.http.services.many.loadbalancer.server.port': '80', 'traefik.http.routers.many.rule': 'Host(`many`)' };
    const ids = await Promise.all(
      Array.from({ length: 200 }, async (_, i) => {
        const created = await engine.post(`/containers/create?name=many-${i}`, { Image: IMAGE, Cmd: ['sleep', '600'], Labels: labels });
        return (created as { Id: string }).Id;
      }),
    );
    const startedAt = Date.now();
    const before = watched.messages.length;
    await Promise.all(ids.map((id) => engine.post(`/containers/${id}/start`)));
    const startedMs = Date.now() - startedAt;
    const all = await watched.waitFor((message) => serversOf(message, 'many')?.length === 200, before);
    const told = watched.messages.length - before;
    console.log(`200 containers started in ${startedMs} ms; known ${all.at - startedAt - startedMs} ms later, in ${told} messages`);
    expect(all.at - startedAt - startedMs).toBeLessThan(2_000);
    const killedAt = Date.now();
    await Promise.all(ids.map((id) => engine.post(`/containers/${id}/kill`)));
    await watched.waitFor((message) => serversOf(message, 'many') === undefined, before + told);
    console.log(`killed in ${Date.now() - killedAt} ms, in ${watched.messages.length - before - told} messages`);
    await Promise.all(ids.map((id) => engine.post(`/containers/${id}?force=1`, undefined, 'DELETE')));
  }, 240_000);
});
