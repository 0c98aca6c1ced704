import { beforeEach, describe, expect, it } from 'vitest';
import { createCode } from '../../../src/config/codes.ts';
import { HUB_PATHS } from '../../../src/config/hub-protocol.ts';
import { ADMIN_KEY, createMemoryHub, type MemoryHub } from '../../support/hub/memory-hub.ts';
import { createPublisherDouble, enrolled } from '../../support/hub/publisher-double.ts';

let memory: MemoryHub;
beforeEach(async () => {
  memory = await createMemoryHub();
});

const codeFor = (name?: string, replace = false, lifetimeMs = 60_000) =>
  createCode(ADMIN_KEY, { purpose: 'enrol', now: memory.clock.now(), lifetimeMs, name, replace });

describe('enrolment', () => {
  const enrol = async (name: string, code: string, change: object = {}, publisher = createPublisherDouble(memory.target, name)) => {
    const double = await publisher;
    const { status, body } = await double.send('POST', HUB_PATHS.enrol, { code, name, kind: 'agent', key: double.key, ...change });
    return { status, code: (body as { code?: string }).code, body };
  };

  it('pins the key and gives what the publisher pins', async () => {
    const { status, body } = await enrol('berlin', await codeFor());
    expect(status).toBe(200);
    expect(body).toMatchObject({
      grantKeys: [{ kid: 'grant-1', x: memory.grantKey.x }],
      sealKey: expect.any(String),
      id: expect.any(String),
    });
  });

  it('takes a code once', async () => {
    const code = await codeFor();
    expect(await enrol('berlin', code)).toMatchObject({ status: 200 });
    expect(await enrol('paris', code)).toMatchObject({ status: 401, code: 'unauthorized' });
  });

  it.each([
    ['a code of another key', async () => createCode('A'.repeat(43), { purpose: 'enrol', now: memory.clock.now(), lifetimeMs: 60_000 })],
    ['a session', async () => createCode(ADMIN_KEY, { purpose: 'session', now: memory.clock.now(), lifetimeMs: 60_000 })],
    ['an old code', async () => createCode(ADMIN_KEY, { purpose: 'enrol', now: memory.clock.now() - 120_000, lifetimeMs: 60_000 })],
    ['a code for another name', async () => codeFor('paris')],
    ['no code', async () => ''],
  ])('refuses %s', async (_, code) => {
    expect(await enrol('berlin', await code())).toMatchObject({ status: 401, code: 'unauthorized' });
  });

  it.each([
    ['a name with capitals', { name: 'Berlin' }, 'malformed'],
    ['a key of another kind', { key: { kty: 'EC', crv: 'P-256', x: 'x' } }, 'malformed'],
    ['a kind that nobody knows', { kind: 'god' }, 'malformed'],
  ])('refuses %s', async (_, change, code) => {
    expect(await enrol('berlin', await codeFor(), change)).toMatchObject({ code });
  });

  it('wants the request signed with the key that it names', async () => {
    const other = await createPublisherDouble(memory.target, 'paris');
    expect(await enrol('berlin', await codeFor(), { key: other.key })).toMatchObject({ status: 401, code: 'unauthorized' });
  });

  it('keeps a name for its key, until a code says otherwise', async () => {
    await enrol('berlin', await codeFor());
    expect(await enrol('berlin', await codeFor())).toMatchObject({ status: 409, code: 'taken' });
    expect(await enrol('berlin', await codeFor('berlin', true))).toMatchObject({ status: 200 });
  });
});

describe('a signed request', () => {
  it('counts once', async () => {
    const seen: [string, RequestInit][] = [];
    const tapped = (async (url: string, init: RequestInit) => {
      seen.push([url, init]);
      return memory.target.fetch(url, init);
    }) as typeof fetch;
    const paris = await enrolled({ ...memory.target, fetch: tapped }, 'paris');
    expect((await paris.ping()).status).toBe(200);
    const [url, init] = seen.at(-1)!;
    const replay = await memory.target.fetch(url, init);
    expect(replay.status).toBe(401);
    expect(await replay.json()).toMatchObject({ code: 'replay' });
    expect(replay.headers.get('edgeway-time')).toBe(String(memory.clock.now()));
  });

  it('counts once after the hub was thrown out of memory too', async () => {
    const berlin = await enrolled(memory.target, 'berlin');
    const time = memory.clock.now() + 5;
    expect((await berlin.send('POST', HUB_PATHS.ping, { down: [] }, { time })).status).toBe(200);
    memory.evict();
    expect((await berlin.send('POST', HUB_PATHS.ping, { down: [] }, { time })).body).toMatchObject({ code: 'replay' });
  });

  it.each([
    ['for another path', { path: '/hub/keys' }, 'unauthorized'],
    ['for another method', { method: 'PUT' }, 'unauthorized'],
    ['for another body', { body: 'x' }, 'unauthorized'],
    ['of another publisher', { iss: 'nobody' }, 'unknown-publisher'],
    ['from the future', { time: 9e15 }, 'clock'],
    ['of no time', { time: Number.NaN }, 'unauthorized'],
  ])('%s is refused', async (_, change, code) => {
    const berlin = await enrolled(memory.target, 'berlin');
    expect(await berlin.send('POST', HUB_PATHS.ping, { down: [] }, change)).toMatchObject({ status: 401, body: { code } });
  });

  it('with the key of another publisher is refused', async () => {
    await enrolled(memory.target, 'berlin');
    const paris = await enrolled(memory.target, 'paris');
    expect((await paris.send('POST', HUB_PATHS.ping, { down: [] }, { iss: 'berlin' })).body).toMatchObject({ code: 'unauthorized' });
  });

  it('tells the time to a publisher whose clock is wrong', async () => {
    const berlin = await enrolled(memory.target, 'berlin');
    expect((await berlin.send('POST', HUB_PATHS.ping, { down: [] }, { time: memory.clock.now() - 61_000 })).body).toMatchObject({
      code: 'clock',
    });
  });
});
