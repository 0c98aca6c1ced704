import { writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { rangeOf } from '../../../src/providers/clients/etcd.ts';
import { createAuthority } from '../../support/edge/certificates.ts';
import { findServer, freePort } from '../../support/servers.ts';
import { describeStore, follow } from '../../support/stores/contract.ts';
import { etcdPath, type StartedEtcd, startEtcd } from '../../support/stores/etcd.ts';
import { openerOf } from '../../support/stores/open.ts';

const bytes = (base64: string) => [...Buffer.from(base64, 'base64')];
it.each([
  ['a', [97], [98]],
  ['a\u007f', [97, 127], [97, 128]],
  ['', [0], [0]],
])('the range of %j', (prefix, key, end) => {
  const range = rangeOf(prefix);
  expect([bytes(range.key), bytes(range.range_end)]).toEqual([key, end]);
});

const open = openerOf('etcd');

describe.skipIf(etcdPath === undefined)('etcd (etcd)', () => {
  let server: StartedEtcd;
  const here = () => ({ endpoints: [`127.0.0.1:${server.port}`] });
  beforeAll(async () => {
    server = await startEtcd();
  });
  afterAll(async () => {
    await server.stop();
    server.remove();
  });

  describeStore({ open: () => open(here()), isAtomic: true, largestValue: 1024 * 1024, tellsKeys: true });

  it('reads more keys than a page has, and writes more than a transaction takes', async () => {
    const client = await open(here());
    const lock = (await client.lock('many-lock', 'me', 5_000))!;
    await client.write(
      Array.from({ length: 6_000 }, (_, i) => ({ key: `many/${i}`, value: `${i}` })),
      lock,
    );
    const pairs = await client.read('many/');
    expect(new Set(pairs.map(([key]) => key)).size).toBe(6_000);
    await lock.release();
  });

  it('uses whichever server answers', async () => {
    const client = await open({ endpoints: [`127.0.0.1:${await freePort()}`, ...here().endpoints] });
    expect(await client.read('nothing/')).toEqual([]);
  });

  it('ends the watch with its server, and works again with the next', async () => {
    const client = await open(here());
    const lock = (await client.lock('kill-lock', 'me', 20_000))!;
    await client.write([{ key: 'kill/a', value: '1' }], lock);
    const watched = follow(client, ['kill/']);
    await watched.step();
    const ended = expect(watched.step()).rejects.toMatchObject({ code: 'unreachable' });
    await server.stop();
    await ended;
    await expect(client.read('kill/')).rejects.toMatchObject({ code: 'unreachable', message: expect.stringContaining('ECONNREFUSED') });
    server = await startEtcd(undefined, server);
    await vi.waitFor(async () => expect(await client.read('kill/')).toEqual([['kill/a', '1']]), { timeout: 10_000 });
    expect(lock.isHeld()).toBe(true);
    await client.write([{ key: 'kill/a', value: '2' }], lock);
    await lock.release();
  });

  it('a note goes with its client', async () => {
    const [one, two] = [await open(here()), await open(here())];
    await one.announce('notes/one', 'here', 5_000);
    expect(await two.read('notes/')).toEqual([['notes/one', 'here']]);
    await one.close();
    expect(await two.read('notes/')).toEqual([]);
  });
});

describe.skipIf(etcdPath === undefined || findServer('openssl') === undefined)('etcd behind TLS with users (etcd, openssl)', () => {
  let server: StartedEtcd;
  let ca: string;
  const here = () => ({ endpoints: [`127.0.0.1:${server.port}`], tls: { ca } });
  beforeAll(async () => {
    const authority = createAuthority();
    const own = authority.issue(['localhost', '127.0.0.1']);
    ca = authority.certificate;
    server = await startEtcd((folder) => {
      const [certificate, key] = [join(folder, 's.crt'), join(folder, 's.key')];
      writeFileSync(certificate, own.certificate);
      writeFileSync(key, own.key);
      return { certificate, key };
    });
    const post = (path: string, body: object) => call(server.port, ca, path, body);
    await post('auth/user/add', { name: 'root', password: 'r' });
    await post('auth/role/add', { name: 'root' });
    await post('auth/user/grant', { user: 'root', role: 'root' });
    await post('auth/role/add', { name: 'reader' });
    await post('auth/role/grant', { name: 'reader', perm: { permType: 'READ', ...rangeOf('open/') } });
    await post('auth/user/add', { name: 'reader', password: 'p' });
    await post('auth/user/grant', { user: 'reader', role: 'reader' });
    await post('auth/enable', {});
  });
  afterAll(async () => {
    await server.stop();
    server.remove();
  });

  it('logs in, and is refused what its role does not have', async () => {
    const root = await open({ ...here(), username: 'root', password: 'r' });
    const lock = (await root.lock('lock', 'me', 5_000))!;
    await root.write(
      [
        { key: 'open/a', value: '1' },
        { key: 'shut/a', value: '1' },
      ],
      lock,
    );
    const reader = await open({ ...here(), username: 'reader', password: 'p' });
    expect(await reader.read('open/')).toEqual([['open/a', '1']]);
    await expect(reader.read('shut/')).rejects.toMatchObject({ code: 'refused', message: expect.stringContaining('permission denied') });
    await expect(reader.announce('open/note', 'x', 5_000)).rejects.toMatchObject({ code: 'refused' });
    const watched = follow(reader, ['open/']);
    await watched.step();
    await root.write([{ key: 'open/a', value: '2' }], lock);
    expect(await watched.stepsWithin(5_000)).toBe(true);
    await watched.stop();
    await expect(follow(reader, ['shut/']).step()).rejects.toMatchObject({ code: 'refused' });
    await lock.release();
  });

  it.each([
    ['a wrong password', () => ({ ...here(), username: 'root', password: 'x' }), 'refused'],
    ['nobody', here, 'refused'],
    ['a stranger whom we do not trust', () => ({ ...here(), tls: {} }), 'unreachable'],
  ])('refuses %s', async (_, options, code) => {
    await expect((await open(options())).read('open/')).rejects.toMatchObject({ code });
  });
});

/** One call of the JSON API with the authority that is given. */
const call = (port: number, ca: string, path: string, body: object): Promise<void> =>
  new Promise((resolve, reject) => {
    const asked = request({ port, host: '127.0.0.1', ca, path: `/v3/${path}`, method: 'POST' }, (response) => {
      response.resume();
      response.on('end', () => (response.statusCode === 200 ? resolve() : reject(new Error(`${path}: ${response.statusCode}`))));
    });
    asked.on('error', reject);
    asked.end(JSON.stringify(body));
  });
