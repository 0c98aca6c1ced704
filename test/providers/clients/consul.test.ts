import { request } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createLogger, type LogLine } from '../../../src/base/log.ts';
import type { ConsulStoreOptions } from '../../../src/providers/clients/consul.ts';
import { openStore } from '../../../src/providers/clients/open-store.ts';
import type { OpenedStore } from '../../../src/providers/clients/store.ts';
import { createAuthority } from '../../support/edge/certificates.ts';
import { realClock } from '../../support/provider.ts';
import { findServer, freePort } from '../../support/servers.ts';
import { type ConsulSettings, consulName, type StartedConsul, startConsul } from '../../support/stores/consul.ts';
import { LOCKLESS, NARROW, READER, TOKENS, UNKNOWN, WRITER } from '../../support/stores/consul-scenes.ts';
import { describeStore, follow } from '../../support/stores/contract.ts';

const clients: OpenedStore[] = [];
const lines: LogLine[] = [];
async function open(options: ConsulStoreOptions): Promise<OpenedStore> {
  const client = await openStore('consul', options, { clock: realClock, log: createLogger((line) => lines.push(line), 'DEBUG') });
  clients.push(client);
  return client;
}
/** Of one test. */
const servers: StartedConsul[] = [];
async function start(settings: ConsulSettings = {}): Promise<{ endpoints: string[] }> {
  const server = await startConsul(settings);
  servers.push(server);
  return { endpoints: [`127.0.0.1:${server.port}`] };
}
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  for (const server of servers.splice(0)) {
    await server.stop();
    server.remove();
  }
  lines.length = 0;
});

/** Writes under a lock of its own. */
async function put(client: OpenedStore, pairs: Record<string, string | undefined>, lockKey = 'test-lock'): Promise<void> {
  const lock = (await client.lock(lockKey, 'me', 10_000))!;
  try {
    await client.write(
      Object.entries(pairs).map(([key, value]) => ({ key, value })),
      lock,
    );
  } finally {
    await lock.release();
  }
}

describe(`Consul (${consulName})`, () => {
  let server: StartedConsul;
  const here = () => ({ endpoints: [`127.0.0.1:${server.port}`] });
  const ask = (method: string, path: string, body?: Buffer): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      const outgoing = request({ host: '127.0.0.1', port: server.port, method, path }, async (response) => {
        const chunks: Buffer[] = [];
        for await (const chunk of response) chunks.push(chunk);
        resolve(Buffer.concat(chunks));
      });
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  beforeAll(async () => {
    server = await startConsul();
  });
  afterAll(async () => {
    await server.stop();
    server.remove();
  });

  describeStore({ open: () => open(here()), isAtomic: true, largestValue: 256 * 1024 });

  it('writes more than a transaction takes', async () => {
    const client = await open(here());
    await put(client, Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`many/${i}`, 'x'.repeat(2_000)])));
    expect((await client.read('many/')).length).toBe(500);
  });

  it('says by how much a value is too large', async () => {
    const client = await open(here());
    await expect(put(client, { 'large/a': 'x'.repeat(512 * 1024) })).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringMatching(/^Consul answers 413: .*too large.* 524288/),
    });
    expect(await client.read('large/')).toEqual([]);
  });

  it('takes a restored snapshot for a change, although its indexes are of the past, and goes on from it', async () => {
    const client = await open(here());
    await put(client, { 'past/a': '1' });
    const snapshot = await ask('GET', '/v1/snapshot');
    await put(client, { 'past/a': '2', 'past/b': '2' });
    const watched = follow(client, ['past/']);
    await watched.step();
    expect(await watched.stepsWithin(200)).toBe(false);
    await ask('PUT', '/v1/snapshot', snapshot);
    expect(await watched.stepsWithin(5_000)).toBe(true);
    expect(await client.read('past/')).toEqual([['past/a', '1']]);
    while (await watched.stepsWithin(200));
    await put(client, { 'past/a': '3' });
    expect(await watched.stepsWithin(5_000)).toBe(true);
    await watched.stop();
  });

  it('hears nothing of other keys where nothing is, and of the first that comes', async () => {
    const client = await open(here());
    const watched = follow(client, ['void/']);
    await watched.step();
    for (const value of ['1', '2', '3']) await put(client, { 'void-other/a': value });
    expect(await watched.stepsWithin(400)).toBe(false);
    await put(client, { 'void/a': '1' });
    expect(await watched.stepsWithin(5_000)).toBe(true);
    await watched.stop();
  });

  it('a note goes with its client, and stays there when it changes', async () => {
    const [one, two] = [await open(here()), await open(here())];
    await one.announce('notes/one', 'here', 10_000);
    const createdAt = async () => JSON.parse((await ask('GET', '/v1/kv/notes/one?consistent')).toString())[0].CreateIndex;
    const created = await createdAt();
    await one.announce('notes/one', 'there', 10_000);
    expect(await createdAt()).toBe(created);
    expect(await two.read('notes/')).toEqual([['notes/one', 'there']]);
    await one.close();
    expect(await two.read('notes/')).toEqual([]);
  });

  it('a note of an earlier life gives way', async () => {
    const [dead, alive] = [await open(here()), await open(here())];
    await dead.announce('notes/same', 'dead', 10_000);
    await alive.announce('notes/same', 'alive', 10_000);
    expect(await alive.get('notes/same')).toBe('alive');
    await dead.close();
    expect(await alive.get('notes/same')).toBe('alive');
  });

  it('has its session for as long as it says, of which Consul waits twice', async () => {
    const client = await open(here());
    const lock = (await client.lock('ttl-lock', 'me', 30_000))!;
    await client.announce('notes/ttl', 'x', 5_000);
    const sessions = JSON.parse((await ask('GET', '/v1/session/list')).toString()) as { TTL: string; Behavior: string }[];
    expect(sessions.map(({ TTL, Behavior }) => `${Behavior} ${TTL}`).sort()).toEqual(['delete 10s', 'release 15s']);
    await lock.release();
  });

  it('ends the watch with its server, and works again when it is back', async () => {
    const client = await open(here());
    await put(client, { 'kill/a': '1' });
    const watched = follow(client, ['kill/']);
    await watched.step();
    const ended = expect(watched.step()).rejects.toMatchObject({ code: 'unreachable' });
    await server.stop();
    await ended;
    await expect(client.read('kill/')).rejects.toMatchObject({ code: 'unreachable', message: expect.stringContaining('ECONNREFUSED') });
    server = await startConsul({ again: server });
    expect(await client.read('kill/')).toEqual([['kill/a', '1']]);
    const around = await open({ ...here(), endpoints: [`127.0.0.1:${await freePort()}`, ...here().endpoints] });
    expect(await around.read('kill/')).toEqual([['kill/a', '1']]);
  });
});

describe(`Consul with tokens (${consulName})`, () => {
  let server: StartedConsul;
  const as = (token?: string) => open({ endpoints: [`127.0.0.1:${server.port}`], token });
  beforeAll(async () => {
    server = await startConsul({ tokens: TOKENS });
    await put(await as(WRITER.secret), { 'wide/a': '1', 'narrow/a': '1', 'narrower/a': '1' });
  });
  afterAll(async () => {
    await server.stop();
    server.remove();
  });

  it('reads and writes with the right of both', async () => {
    const client = await as(WRITER.secret);
    const watched = follow(client, ['wide/']);
    await watched.step();
    await put(client, { 'wide/b': '2' });
    expect(await watched.stepsWithin(5_000)).toBe(true);
    await client.announce('notes/w', 'x', 10_000);
    await watched.stop();
  });

  it('does not take keys that it may not see for none', async () => {
    const secret = { code: 'refused', message: expect.stringMatching(/^Consul answers 403: Permission denied: .* 'key:read' on "wide\/"/) };
    await expect((await as()).read('wide/')).rejects.toMatchObject(secret);
    await expect((await as(NARROW.secret)).read('wide/')).rejects.toMatchObject(secret);
    expect(await (await as(READER.secret)).read('nothing/')).toEqual([]);
    expect(await (await as(NARROW.secret)).read('narrow/nothing/')).toEqual([]);
  });

  it('says once that it sees only some', async () => {
    const client = await as(NARROW.secret);
    expect(await client.read('narrow')).toEqual([['narrow/a', '1']]);
    await client.read('narrow');
    expect(lines).toMatchObject([{ message: 'The token may not see all keys', fields: { prefix: 'narrow' } }]);
  });

  it.each([
    ['nobody', undefined, "Permission denied: anonymous token lacks permission 'session:write'"],
    ['an unknown token', UNKNOWN, 'ACL not found'],
    ['a reader', READER.secret, "lacks permission 'session:write'"],
    ['who may have no session', LOCKLESS.secret, "lacks permission 'session:write'"],
    ['a writer of other keys', NARROW.secret, `lacks permission 'key:write' on "wide/lock"`],
  ])('gives no lock and takes no note of %s', async (_, token, reason) => {
    const client = await as(token);
    const refused = (text: string) => ({ code: 'refused', message: expect.stringContaining(text) });
    await expect(client.lock('wide/lock', 'me', 10_000)).rejects.toMatchObject(refused(reason));
    await expect(client.announce('wide/lock', 'x', 10_000)).rejects.toMatchObject(refused(reason));
    // Nor does a session stay behind.
    const url = `http://127.0.0.1:${server.port}/v1/session/list`;
    expect(await (await fetch(url, { headers: { 'x-consul-token': WRITER.secret } })).json()).toEqual([]);
  });

  it('refuses what a writer of other keys writes, and does none of it', async () => {
    const client = await as(NARROW.secret);
    await expect(put(client, { 'narrow/b': '2', 'wide/a': '2' }, 'narrow/lock')).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining(`lacks permission 'key:write' on "wide/a"`),
    });
    expect(await client.get('narrow/b')).toBeUndefined();
    await put(client, { 'narrow/b': '2' }, 'narrow/lock');
    expect(await client.get('narrow/b')).toBe('2');
  });
});

describe('Consul and namespaces', () => {
  it(`are refused by the Community Edition (${consulName})`, async () => {
    const client = await open({ ...(await start()), namespace: 'one' });
    const refused = { code: 'refused', message: expect.stringContaining('Namespaces are a Consul Enterprise feature') };
    await expect(client.read('spaces/')).rejects.toMatchObject(refused);
    await expect(client.lock('spaces-lock', 'me', 10_000)).rejects.toMatchObject(refused);
  });

  it('are kept apart by the Enterprise Edition (a stand-in, by documentation)', async () => {
    const { endpoints } = await start({ path: undefined, isEnterprise: true });
    const spaces = await Promise.all([undefined, 'one', 'two'].map((namespace) => open({ endpoints, namespace })));
    await put(spaces[1]!, { 'spaces/a': '1' });
    expect(await Promise.all(spaces.map((client) => client.read('spaces/')))).toEqual([[], [['spaces/a', '1']], []]);
  });
});

describe.skipIf(findServer('openssl') === undefined)(`Consul behind TLS (${consulName}, openssl)`, () => {
  it('trusts whom it is told to trust', async () => {
    const authority = createAuthority();
    const { endpoints } = await start({ tls: authority.issue(['127.0.0.1']) });
    expect(await (await open({ endpoints, tls: { ca: authority.certificate } })).read('a/')).toEqual([]);
    expect(await (await open({ endpoints, tls: { insecureSkipVerify: true } })).read('a/')).toEqual([]);
    await expect((await open({ endpoints, tls: {} })).read('a/')).rejects.toMatchObject({ code: 'unreachable' });
  });
});
