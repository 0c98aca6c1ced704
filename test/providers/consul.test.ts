import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultsOf } from '../../src/base/decode.ts';
import { silentLogger } from '../../src/base/log.ts';
import { consul as consulOptions } from '../../src/config/static/stores.ts';
import { collect } from '../../src/origin-agent/collect.ts';
import { openStore } from '../../src/providers/clients/open-store.ts';
import { consulProvider } from '../../src/providers/consul.ts';
import { realClock, watch } from '../support/provider.ts';
import { consulName, type StartedConsul, startConsul } from '../support/stores/consul.ts';
import { NARROW, READER, TOKENS, WRITER } from '../support/stores/consul-scenes.ts';
import { describeProvider } from '../support/stores/provider-contract.ts';

let server: StartedConsul;
const options = () => ({ ...defaultsOf(consulOptions), endpoints: [`127.0.0.1:${server.port}`] });
const end = async (): Promise<void> => {
  await server.stop();
  server.remove();
};
async function put(key: string, value: string, more: { namespace?: string; token?: string } = {}): Promise<void> {
  const client = await openStore('consul', { ...options(), ...more }, { clock: realClock, log: silentLogger });
  const lock = (await client.lock('test-lock', 'test', 10_000))!;
  await client.write([{ key, value }], lock);
  await lock.release();
  await client.close();
}

describe(`consul (${consulName})`, () => {
  beforeAll(async () => {
    server = await startConsul();
  });
  afterAll(end);

  describeProvider({
    start: () => watch((context) => consulProvider.watch(options(), context)),
    open: () => openStore('consul', options(), { clock: realClock, log: silentLogger }),
    stop: () => server.stop(),
    restart: async () => {
      server = await startConsul({ again: server });
    },
  });

  it('refuses all namespaces as one', async () => {
    await expect(watch((context) => consulProvider.watch({ ...options(), namespaces: ['*'] }, context)).stop()).rejects.toThrow(
      "'*' is no namespace",
    );
  });
});

describe(`consul with tokens (${consulName})`, () => {
  beforeAll(async () => {
    server = await startConsul({ tokens: TOKENS });
    await put('traefik/http/routers/a/rule', 'Host(`a.test`)', { token: WRITER.secret });
    await put('edgeway/traefik/revision', '{"revision":3,"state":"written","hash":"abc","writer":"test","at":1}', { token: WRITER.secret });
  });
  afterAll(end);
  const follow = (token: string | undefined) => watch((context) => consulProvider.watch({ ...options(), token }, context));

  it('serves who may only read, and makes no note for it', async () => {
    const watched = follow(READER.secret);
    const message = await watched.waitFor(({ configuration }) => configuration.http?.routers?.a !== undefined);
    message.applied!();
    const isNoted = () => watched.lines.find(({ message }) => message === 'Cannot note the applied revision in the store');
    await expect.poll(isNoted, { timeout: 5_000 }).toMatchObject({ fields: { error: expect.stringContaining("'session:write'") } });
    await watched.stop();
  });

  it.each([
    ['nobody', undefined],
    ['who may not see the keys', NARROW.secret],
  ])('does not tell %s that there are no keys', async (_, token) => {
    const watched = follow(token);
    const isSaid = () => watched.lines.find(({ message }) => message.startsWith('Provider failed'));
    await expect.poll(isSaid, { timeout: 5_000 }).toMatchObject({ fields: { error: expect.stringContaining("'key:read' on") } });
    expect(watched.messages).toEqual([]);
    await watched.stop();
  });
});

describe('consul with namespaces (a stand-in, by documentation)', () => {
  beforeAll(async () => {
    server = await startConsul({ path: undefined, isEnterprise: true });
  });
  afterAll(end);

  it('has a provider for every namespace, named as in Traefik', async () => {
    await put('traefik/http/routers/a/rule', 'Host(`one.test`)', { namespace: 'one' });
    await put('traefik/http/routers/a/rule', 'Host(`two.test`)', { namespace: 'two' });
    const ending = new AbortController();
    const found = await new Promise<string[]>((resolve) => {
      void collect({
        providers: { consul: { ...options(), namespaces: ['one', 'two'] } },
        throttleMs: 0,
        context: { clock: realClock, log: silentLogger, signal: ending.signal, environment: {} },
        log: silentLogger,
        onChange(messages) {
          if (messages.size < 2) return;
          resolve([...messages].map(([suffix, { configuration }]) => `${suffix} ${configuration.http!.routers!.a!.rule}`).sort());
        },
      });
    });
    ending.abort();
    expect(found).toEqual(['consul-one Host(`one.test`)', 'consul-two Host(`two.test`)']);
  });
});
