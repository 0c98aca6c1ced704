import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../../src/base/log.ts';
import type { ConsulStoreOptions } from '../../../src/providers/clients/consul.ts';
import { openStore } from '../../../src/providers/clients/open-store.ts';
import type { OpenedStore } from '../../../src/providers/clients/store.ts';
import { createAuthority } from '../../support/edge/certificates.ts';
import { realClock } from '../../support/provider.ts';
import { findServer, freePort, type RunningServer } from '../../support/servers.ts';
import { startFakeConsul } from '../../support/stores/consul.ts';
import { describeStore, follow } from '../../support/stores/contract.ts';

const clients: OpenedStore[] = [];
async function open(options: ConsulStoreOptions): Promise<OpenedStore> {
  const client = await openStore('consul', options, { clock: realClock, log: silentLogger });
  clients.push(client);
  return client;
}
afterEach(() => Promise.all(clients.splice(0).map((client) => client.close())));

describe('Consul (a fake of its API)', () => {
  let server: RunningServer;
  const here = () => ({ endpoints: [`127.0.0.1:${server.port}`] });
  const tell = (path: string, body = '') => fetch(`http://127.0.0.1:${server.port}/test/${path}`, { method: 'POST', body });
  beforeAll(async () => {
    server = await startFakeConsul();
  });
  afterAll(() => server.stop());

  describeStore({ open: () => open(here()), isAtomic: true, largestValue: 256 * 1024 });

  it('keeps namespaces apart', async () => {
    const [one, two] = [await open({ ...here(), namespace: 'one' }), await open({ ...here(), namespace: 'two' })];
    const lock = (await one.lock('lock', 'me', 10_000))!;
    await one.write([{ key: 'spaces/a', value: '1' }], lock);
    expect(await one.read('spaces/')).toEqual([['spaces/a', '1']]);
    expect(await two.read('spaces/')).toEqual([]);
    await lock.release();
  });

  it('writes more than a transaction takes', async () => {
    const client = await open(here());
    const lock = (await client.lock('many-lock', 'me', 10_000))!;
    const changes = Array.from({ length: 500 }, (_, i) => ({ key: `many/${i}`, value: 'x'.repeat(2_000) }));
    await client.write(changes, lock);
    expect((await client.read('many/')).length).toBe(500);
    await lock.release();
  });

  it('takes an index that goes back for a change, and goes on from it', async () => {
    const client = await open(here());
    const watched = follow(client, ['many/']);
    await watched.step();
    await tell('rewind');
    expect(await watched.stepsWithin(5_000)).toBe(true);
    expect(await watched.stepsWithin(200)).toBe(false);
    const lock = (await client.lock('many-lock', 'me', 10_000))!;
    await client.write([{ key: 'many/0', value: '1' }], lock);
    expect(await watched.stepsWithin(5_000)).toBe(true);
    await watched.stop();
    await lock.release();
  });

  it('a note goes with its client', async () => {
    const [one, two] = [await open(here()), await open(here())];
    await one.announce('notes/one', 'here', 10_000);
    await one.announce('notes/one', 'there', 10_000);
    expect(await two.read('notes/')).toEqual([['notes/one', 'there']]);
    await one.close();
    expect(await two.read('notes/')).toEqual([]);
  });

  it('is refused without a token, and may not write with that of a reader', async () => {
    await tell('tokens', '{"w":"write","r":"read"}');
    await expect((await open(here())).read('')).rejects.toMatchObject({ code: 'refused', message: 'Consul answers 403: ACL not found' });
    const reader = await open({ ...here(), token: 'r' });
    expect(await reader.read('nothing/')).toEqual([]);
    await expect(reader.announce('notes/r', 'x', 10_000)).rejects.toMatchObject({ code: 'refused' });
    const writer = await open({ ...here(), token: 'w' });
    const lock = (await writer.lock('token-lock', 'me', 10_000))!;
    await lock.release();
  });

  it('ends the watch with its server, and works again with the next', async () => {
    const client = await open({ ...here(), token: 'w' });
    const watched = follow(client, ['kill/']);
    await watched.step();
    const ended = expect(watched.step()).rejects.toMatchObject({ code: 'unreachable' });
    await server.stop();
    await ended;
    await expect(client.read('kill/')).rejects.toMatchObject({ code: 'unreachable', message: expect.stringContaining('ECONNREFUSED') });
    server = await startFakeConsul(undefined, server.port);
    expect(await client.read('kill/')).toEqual([]);
    const around = await open({ ...here(), endpoints: [`127.0.0.1:${await freePort()}`, ...here().endpoints] });
    expect(await around.read('kill/')).toEqual([]);
  });
});

describe.skipIf(findServer('openssl') === undefined)('Consul behind TLS (a fake of its API, openssl)', () => {
  it('trusts whom it is told to trust', async () => {
    const authority = createAuthority();
    const server = await startFakeConsul(authority.issue(['127.0.0.1']));
    const endpoints = [`127.0.0.1:${server.port}`];
    expect(await (await open({ endpoints, tls: { ca: authority.certificate } })).read('a/')).toEqual([]);
    expect(await (await open({ endpoints, tls: { insecureSkipVerify: true } })).read('a/')).toEqual([]);
    await expect((await open({ endpoints, tls: {} })).read('a/')).rejects.toMatchObject({ code: 'unreachable' });
    await server.stop();
  });
});
