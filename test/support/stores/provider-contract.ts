import { expect, it } from 'vitest';
import type { OpenedStore } from '../../../src/providers/clients/store.ts';
import type { ProviderMessage } from '../../../src/providers/provider.ts';
import type { Watched } from '../provider.ts';

export interface ProviderContract {
  readonly start: () => Watched;
  /** A client to write with. */
  readonly open: () => Promise<OpenedStore>;
  readonly stop: () => Promise<unknown>;
  /** The same server again, with its data. */
  readonly restart: () => Promise<unknown>;
}

const has = (name: string, rule: string | undefined) => (message: ProviderMessage) =>
  message.configuration.http?.routers?.[name]?.rule === rule;

/** What the provider of every store does that keeps its data. */
export function describeProvider({ start, open, stop, restart }: ProviderContract): void {
  /** Writes as sync does, or as somebody else. */
  async function put(pairs: Record<string, string | undefined>): Promise<void> {
    const client = await open();
    const lock = (await client.lock('test-lock', 'test', 10_000))!;
    await client.write(
      Object.entries(pairs).map(([key, value]) => ({ key, value })),
      lock,
    );
    await lock.release();
    await client.close();
  }

  it('follows keys within a second', async () => {
    const watched = start();
    await put({ 'traefik/http/routers/a/rule': 'Host(`a.test`)', 'traefik/http/routers/a/entryPoints/0': 'web' });
    await watched.waitFor(has('a', 'Host(`a.test`)'));
    await put({ 'traefik/http/routers/a/rule': 'Host(`b.test`)' });
    const began = performance.now();
    await watched.waitFor(has('a', 'Host(`b.test`)'));
    expect(performance.now() - began).toBeLessThan(1_000);
    await put({ 'traefik/http/routers/a/rule': undefined, 'traefik/http/routers/a/entryPoints/0': undefined });
    await watched.waitFor((message) => Object.keys(message.configuration.http?.routers ?? {}).length === 0, 1);
    await watched.stop();
  });

  it('goes on after its server was killed', async () => {
    await put({ 'traefik/http/routers/k/rule': 'Host(`1.test`)' });
    const watched = start();
    await watched.waitFor(has('k', 'Host(`1.test`)'));
    await stop();
    await restart();
    await expect.poll(() => put({ 'traefik/http/routers/k/rule': 'Host(`2.test`)' }).then(() => true), { timeout: 15_000 }).toBe(true);
    await watched.waitFor(has('k', 'Host(`2.test`)'));
    expect(watched.messages.every((message) => !has('k', undefined)(message))).toBe(true);
    await watched.stop();
  });

  it('notes what this node serves, for as long as it lives', async () => {
    await put({ 'edgeway/traefik/revision': '{"revision":3,"state":"written","hash":"abc","writer":"test","at":1}' });
    const watched = start();
    const message = await watched.waitFor(({ applied }) => applied !== undefined);
    message.applied!();
    const client = await open();
    await expect.poll(() => client.get('edgeway/traefik/nodes/node-1'), { timeout: 5_000 }).toContain('"revision":3,"hash":"abc"');
    await watched.stop();
    await expect.poll(() => client.get('edgeway/traefik/nodes/node-1'), { timeout: 5_000 }).toBeUndefined();
    await client.close();
  });
}
