import { afterEach, describe, expect, it } from 'vitest';
import type { Clock } from '../../src/base/clock.ts';
import { systemClock } from '../../src/origin-agent/clock.ts';
import { MAX_LINE_BYTES } from '../../src/providers/clients/json-lines.ts';
import { dockerProvider } from '../../src/providers/docker.ts';
import { type Answers, type FakeEngine, startFakeEngine, startRawEngine } from '../support/fake-engine.ts';
import { serversOf, type Watched, watch } from '../support/provider.ts';
import { until } from '../support/until.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

const DEFAULTS = { exposedByDefault: true, watch: true, defaultRule: 'Host(`{{ normalize .Name }}`)' };

const container = (id: string, changes: { readonly status?: string; readonly address?: string; readonly labels?: object } = {}) => ({
  Id: id,
  Name: `/${id}`,
  State: { Status: changes.status ?? 'running' },
  Config: { Labels: (changes.labels ?? {}) as Record<string, string> },
  NetworkSettings: { Ports: { '80/tcp': null }, Networks: { n: { IPAddress: changes.address ?? '10.0.0.1' } } },
});

/** Its timers ring after a twentieth of their time. */
const hurriedClock: Clock = { ...systemClock, after: (ms, callback) => systemClock.after(ms / 20, callback) };

/** An engine whose containers can be changed, and the provider that follows it. */
async function follow(
  containers: ReturnType<typeof container>[],
  answers: Answers = {},
  options: object = {},
  clock = systemClock,
): Promise<{ engine: FakeEngine; set(container: object & { Id: string }): void; watched: Watched }> {
  const listed: Answers = { '/containers/json': containers.map(({ Id }) => ({ Id })) };
  for (const one of containers) listed[`/containers/${one.Id}/json`] = one as never;
  const all: Answers = { ...listed, ...answers };
  const engine = await startFakeEngine(all);
  open.push(engine);
  const watched = watch((context) => dockerProvider.watch({ ...DEFAULTS, endpoint: engine.endpoint, ...options }, context), clock);
  open.push({ close: () => watched.stop().catch(() => {}) });
  return { engine, watched, set: (one) => (all[`/containers/${one.Id}/json`] = one as never) };
}

const event = (action: string, id: string, attributes: object = {}) => ({
  Type: 'container',
  Action: action,
  Actor: { ID: id, Attributes: attributes },
});

describe('the provider that follows an engine', () => {
  it('subscribes before it lists', async () => {
    const { engine, watched } = await follow([container('web')]);
    await watched.waitFor((message) => serversOf(message, 'web') !== undefined);
    const calls = engine.asked.map((call) => call.replace(/^GET (\/v1.41)?|\?.*$/g, ''));
    expect(calls.indexOf('/events')).toBeLessThan(calls.indexOf('/containers/json'));
    expect(calls.slice(0, 2)).toEqual(['/_ping', '/events']);
  });

  it('says that there is nothing', async () => {
    const { watched } = await follow([]);
    expect((await watched.waitFor(() => true)).configuration).toEqual({});
  });

  it('lists although the subscription is not confirmed, and again when it is', async () => {
    let confirm = (): void => {};
    const events: Answers = {
      '/events': (_request, response) => {
        confirm = () => response.writeHead(200).flushHeaders();
      },
    };
    const { engine, watched } = await follow([container('web')], events, {}, hurriedClock);
    await watched.waitFor((message) => serversOf(message, 'web') !== undefined);
    const lists = () => engine.asked.filter((call) => call.includes('/containers/json')).length;
    expect(lists()).toBe(1);
    confirm();
    await watched.waitFor(() => lists() === 2, watched.messages.length);
  });

  it('fences a container at once, without asking the engine', async () => {
    const { engine, watched } = await follow([container('web')]);
    await watched.waitFor((message) => serversOf(message, 'web') !== undefined);
    const asked = engine.asked.length;
    engine.emit(event('kill', 'web', { signal: '15' }));
    const message = await watched.waitFor((one) => serversOf(one, 'web')?.[0] === '(http://10.0.0.1:80)');
    expect(message.urgent).toBe(true);
    expect(engine.asked).toHaveLength(asked);
  });

  it('takes a container out that died, although the engine still says that it runs', async () => {
    const { engine, watched } = await follow([container('web')]);
    await watched.waitFor((message) => serversOf(message, 'web') !== undefined);
    engine.emit(event('die', 'web'));
    expect((await watched.waitFor((one) => serversOf(one, 'web') === undefined)).urgent).toBe(true);
  });

  it('asks about a container that changed, and about no other', async () => {
    const { engine, watched, set } = await follow([container('a', { address: '10.0.0.1' }), container('b', { address: '10.0.0.2' })]);
    await watched.waitFor((message) => serversOf(message, 'b') !== undefined);
    const asked = engine.asked.length;
    set(container('b', { address: '10.0.0.3' }));
    engine.emit({ Type: 'network', Action: 'connect', Actor: { ID: 'n', Attributes: { container: 'b' } } });
    await watched.waitFor((message) => serversOf(message, 'b')?.[0] === 'http://10.0.0.3:80');
    expect(engine.asked.slice(asked).filter((call) => call.includes('/a/json'))).toEqual([]);
  });

  it('looks at a flock of events once', async () => {
    const { engine, watched } = await follow([container('web')]);
    await watched.waitFor((message) => serversOf(message, 'web') !== undefined);
    const asked = engine.asked.length;
    for (let i = 0; i < 500; i++) engine.emit(event('update', 'web'));
    await watched.waitFor(() => engine.asked.length > asked, watched.messages.length);
    expect(engine.asked.length - asked).toBeLessThan(5);
  });

  it('looks at everything again after an event that it could not read', async () => {
    const { engine, watched, set } = await follow([container('web')]);
    await watched.waitFor((message) => serversOf(message, 'web') !== undefined);
    for (const [text, reason, address] of [
      ['garbage\n', 'no-json', '10.0.0.2'],
      [`{"Actor":{"Attributes":{"label":"${'x'.repeat(MAX_LINE_BYTES)}"}}}\n`, 'too-long', '10.0.0.3'],
    ] as const) {
      set(container('web', { address }));
      engine.emit(text);
      await watched.waitFor((message) => serversOf(message, 'web')?.[0] === `http://${address}:80`);
      expect(watched.lines.find(({ fields }) => fields.reason === reason)).toMatchObject({ level: 'WARN' });
    }
  });

  it('keeps labels out of the log', async () => {
    const { engine, watched } = await follow([container('web')]);
    await watched.waitFor((message) => serversOf(message, 'web') !== undefined);
    engine.emit(event('die', 'web', { 'traefik.http.middlewares.a.basicauth.users': 'me:secret' }));
    await watched.waitFor((message) => serversOf(message, 'web') === undefined);
    expect(watched.lines.length).toBeGreaterThan(0);
    expect(JSON.stringify(watched.lines)).not.toContain('secret');
  });

  it('tells of a container that cannot be described, and goes on with the others', async () => {
    const { watched } = await follow([container('bad'), container('good')], {
      '/containers/bad/json': (_request, response) => response.writeHead(500).end('{"message":"broken"}'),
    });
    const { problems } = await watched.waitFor((message) => serversOf(message, 'good') !== undefined);
    expect(problems[0]!.message).toContain('500 broken');
  });

  it('does not wait for a container that the engine cannot tell of, and asks again', async () => {
    let answer = (): void => {};
    const stuck: Answers = {
      '/containers/stuck/json': (_request, response) => {
        answer = () => response.end(JSON.stringify(container('stuck', { address: '10.0.0.9' })));
      },
    };
    const { engine, watched } = await follow([container('good')], stuck, {}, hurriedClock);
    await watched.waitFor((message) => serversOf(message, 'good') !== undefined);
    engine.emit(event('start', 'stuck'));
    engine.emit(event('rename', 'good'));
    const since = Date.now();
    const { at } = await watched.waitFor(() => true, watched.messages.length);
    expect(at - since).toBeLessThan(1_000);
    const { problems } = await watched.waitFor((message) => message.problems.length > 0);
    expect(problems[0]!.message).toContain('within 2000ms');
    await watched.waitFor(() => engine.asked.filter((call) => call.includes('/stuck/')).length === 2, watched.messages.length - 1);
    answer();
    const message = await watched.waitFor((one) => serversOf(one, 'stuck') !== undefined);
    expect(message.problems).toEqual([]);
  });

  it('survives ten megabytes of labels', async () => {
    const { watched } = await follow([container('big', { labels: { note: 'x'.repeat(10 << 20) } }), container('good')]);
    const message = await watched.waitFor((one) => serversOf(one, 'good') !== undefined);
    expect(serversOf(message, 'big')).toEqual(['http://10.0.0.1:80']);
  });

  it.each<[string, (engine: FakeEngine) => unknown]>([
    ['ends its stream', (engine) => engine.endEvents()],
    ['sends half an event and ends', (engine) => [engine.emit('{"Type":"con'), engine.endEvents()]],
    ['is gone', (engine) => engine.cut()],
  ])('throws when the engine %s', async (_, act) => {
    const { engine, watched } = await follow([container('web')]);
    await watched.waitFor((message) => serversOf(message, 'web') !== undefined);
    act(engine);
    await expect(watched.waitFor(() => false)).rejects.toThrow(/The events of .* are lost/);
  });

  it('throws when the engine streams without end what is no event', async () => {
    const { engine, watched } = await follow([container('web')]);
    await watched.waitFor((message) => serversOf(message, 'web') !== undefined);
    const flood = 'no event\n'.repeat(1_000);
    engine.emit(flood);
    await expect(watched.waitFor(() => false)).rejects.toThrow('unreadable');
  });

  it('throws when something else listens there', async () => {
    const raw = await startRawEngine((socket) => {
      socket.write('+PONG\r\n');
      socket.end();
    });
    open.push(raw);
    const watched = watch((context) => dockerProvider.watch({ ...DEFAULTS, endpoint: raw.endpoint }, context));
    await expect(watched.waitFor(() => false)).rejects.toThrow('cannot be reached');
  });

  it('says all once when it shall not watch', async () => {
    const { engine, watched } = await follow([container('web')], {}, { watch: false });
    expect(serversOf(await watched.waitFor(() => true), 'web')).toEqual(['http://10.0.0.1:80']);
    expect(engine.asked.some((call) => call.includes('/events'))).toBe(false);
    await watched.stop();
    expect(watched.messages).toHaveLength(1);
  });

  it('ends when it shall', async () => {
    const { engine, watched } = await follow([container('web')]);
    await watched.waitFor((message) => serversOf(message, 'web') !== undefined);
    await watched.stop();
    await until(() => engine.listeners() === 0);
  });
});
