import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultsOf } from '../../src/base/decode.ts';
import { silentLogger } from '../../src/base/log.ts';
import { consul as consulOptions } from '../../src/config/static/stores.ts';
import { collect } from '../../src/origin-agent/collect.ts';
import { openStore } from '../../src/providers/clients/open-store.ts';
import { consulProvider } from '../../src/providers/consul.ts';
import { realClock, watch } from '../support/provider.ts';
import type { RunningServer } from '../support/servers.ts';
import { startFakeConsul } from '../support/stores/consul.ts';

describe('consul (a fake of its API)', () => {
  let server: RunningServer;
  beforeAll(async () => {
    server = await startFakeConsul();
  });
  afterAll(() => server.stop());
  const options = () => ({ ...defaultsOf(consulOptions), endpoints: [`127.0.0.1:${server.port}`] });
  async function put(key: string, value: string, namespace?: string): Promise<void> {
    const client = await openStore('consul', { ...options(), namespace }, { clock: realClock, log: silentLogger });
    const lock = (await client.lock('test-lock', 'test', 10_000))!;
    await client.write([{ key, value }], lock);
    await lock.release();
    await client.close();
  }

  it('follows keys within a second', async () => {
    const watched = watch((context) => consulProvider.watch(options(), context));
    await watched.waitFor(() => true);
    await put('traefik/http/routers/a/rule', 'Host(`a.test`)');
    const began = performance.now();
    await watched.waitFor((message) => message.configuration.http?.routers?.a?.rule === 'Host(`a.test`)');
    expect(performance.now() - began).toBeLessThan(1_000);
    await watched.stop();
  });

  it('has a provider for every namespace, named as in Traefik', async () => {
    await put('traefik/http/routers/a/rule', 'Host(`one.test`)', 'one');
    await put('traefik/http/routers/a/rule', 'Host(`two.test`)', 'two');
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

  it('refuses all namespaces as one', async () => {
    await expect(watch((context) => consulProvider.watch({ ...options(), namespaces: ['*'] }, context)).stop()).rejects.toThrow(
      "'*' is no namespace",
    );
  });
});
