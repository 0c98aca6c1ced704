import { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ZooKeeperStoreOptions } from '../../../src/providers/clients/zookeeper.ts';
import { freePort } from '../../support/servers.ts';
import { describeStore, follow } from '../../support/stores/contract.ts';
import { openerOf } from '../../support/stores/open.ts';
import { type StartedZooKeeper, startZooKeeper, zooKeeperPath } from '../../support/stores/zookeeper.ts';

const open = openerOf('zooKeeper');

describe.skipIf(zooKeeperPath === undefined)('ZooKeeper (zookeeper)', () => {
  let server: StartedZooKeeper;
  const here = (more: Partial<ZooKeeperStoreOptions> = {}) => ({ endpoints: [`127.0.0.1:${server.port}`], ...more });
  beforeAll(async () => {
    server = await startZooKeeper();
  });
  afterAll(async () => {
    await server.stop();
    server.remove();
  });

  describeStore({ open: () => open(here()), isAtomic: false, largestValue: 512 * 1024 });

  it('takes folders away that become empty, and keeps those that hold something', async () => {
    const client = await open(here());
    const lock = (await client.lock('folders-lock', 'me', 5_000))!;
    const write = (pairs: Record<string, string | undefined>) =>
      client.write(
        Object.entries(pairs).map(([key, value]) => ({ key, value })),
        lock,
      );
    await write({ 'folders/a/b/c': '1', 'folders/a/b': 'both', 'folders/x': '' });
    expect(Object.fromEntries(await client.read('folders/'))).toEqual({ 'folders/a/b': 'both', 'folders/a/b/c': '1', 'folders/x': '' });
    await write({ 'folders/a/b': undefined });
    expect(Object.fromEntries(await client.read('folders/'))).toEqual({ 'folders/a/b/c': '1', 'folders/x': '' });
    await write({ 'folders/a/b/c': undefined });
    expect(Object.fromEntries(await client.read('folders/'))).toEqual({ 'folders/x': '' });
    await expect(write({ 'folders//y': '1' })).rejects.toMatchObject({ code: 'refused' });
    await lock.release();
  });

  it('sends what is asked together in one piece', async () => {
    const client = await open(here());
    await client.get('none');
    const socket = Socket.prototype as unknown as Record<'_write' | '_writev', () => void>;
    const [sent, single] = [vi.spyOn(socket, '_writev'), vi.spyOn(socket, '_write')];
    await Promise.all(Array.from({ length: 100 }, (_, i) => client.get(`none/${i}`)));
    expect([sent.mock.calls.length, single.mock.calls.length]).toEqual([1, 0]);
    vi.restoreAllMocks();
  });

  it('writes thousands of keys, and reads them', async () => {
    const client = await open(here());
    const lock = (await client.lock('many-lock', 'me', 10_000))!;
    await client.write(
      Array.from({ length: 3_000 }, (_, i) => ({ key: `many/${i % 100}/${i}`, value: `${i}` })),
      lock,
    );
    expect((await client.read('many/')).length).toBe(3_000);
    await lock.release();
  });

  it('keeps what a login wrote from others', async () => {
    const owner = await open(here({ username: 'u', password: 'p' }));
    const lock = (await owner.lock('owned-lock', 'me', 5_000))!;
    await owner.write([{ key: 'owned/a', value: '1' }], lock);
    expect(await owner.read('owned/')).toEqual([['owned/a', '1']]);
    await expect((await open(here())).read('owned/')).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining('NO_AUTH'),
    });
    await expect((await open(here({ username: 'u', password: 'x' }))).read('owned/')).rejects.toMatchObject({ code: 'refused' });
    await lock.release();
  });

  it('a lock of a process that died ends by itself', async () => {
    const [dead, next] = [await open(here()), await open(here())];
    await dead.lock('dead/lock', 'dead', 1_500);
    expect(await next.lock('dead/lock', 'next', 1_500)).toBeUndefined();
    await dead.close();
    await vi.waitFor(async () => expect(await next.lock('dead/lock', 'next', 1_500)).toBeDefined(), { timeout: 10_000, interval: 100 });
  });

  it('a note goes with its client', async () => {
    const [one, two] = [await open(here()), await open(here())];
    await one.announce('notes/one', 'here', 5_000);
    await one.announce('notes/one', 'there', 5_000);
    expect(await two.read('notes/')).toEqual([['notes/one', 'there']]);
    await one.close();
    await vi.waitFor(async () => expect(await two.get('notes/one')).toBeUndefined(), { timeout: 5_000 });
  });

  it('ends the watch with its server, and works again with the next', async () => {
    const client = await open(here());
    const lock = (await client.lock('kill-lock', 'me', 5_000))!;
    await client.write([{ key: 'kill/a', value: '1' }], lock);
    await lock.release();
    const watched = follow(client, ['kill/']);
    await watched.step();
    const ended = expect(watched.step()).rejects.toMatchObject({ code: 'unreachable' });
    await server.stop();
    await ended;
    await expect(client.read('kill/')).rejects.toMatchObject({ code: 'unreachable' });
    server = await startZooKeeper(server);
    await vi.waitFor(async () => expect(await client.read('kill/')).toEqual([['kill/a', '1']]), { timeout: 10_000 });
  });

  it('says so when nobody listens', async () => {
    const client = await open({ endpoints: [`127.0.0.1:${await freePort()}`] });
    await expect(client.get('a')).rejects.toMatchObject({ code: 'unreachable' });
  });
});
