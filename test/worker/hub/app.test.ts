import { beforeEach, describe, expect, it } from 'vitest';
import { createCode } from '../../../src/config/codes.ts';
import { HUB_PATHS, type HubStatus } from '../../../src/config/hub-protocol.ts';
import { ADMIN_KEY, createMemoryHub, type MemoryHub } from '../../support/hub/memory-hub.ts';
import { createPublisherDouble, enrolled } from '../../support/hub/publisher-double.ts';
import { objectsOf, oneRouter } from '../../support/publications.ts';

let memory: MemoryHub;
beforeEach(async () => {
  memory = await createMemoryHub();
});

describe('operators', () => {
  const call = async (method: string, path: string, session: string, body?: unknown) => {
    const response = await memory.fetch(`https://control.test${path}`, {
      method,
      headers: { Authorization: `Bearer ${session}` },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as never };
  };
  const login = async (): Promise<string> => {
    const code = await createCode(ADMIN_KEY, { purpose: 'admin', now: memory.clock.now(), lifetimeMs: 60_000 });
    const { body } = await call('POST', HUB_PATHS.session, '', { code, name: 'ann' });
    return (body as { session: string }).session;
  };

  it('open a session with a token that counts once', async () => {
    const code = await createCode(ADMIN_KEY, { purpose: 'admin', now: memory.clock.now(), lifetimeMs: 60_000 });
    expect(await call('POST', HUB_PATHS.session, '', { code })).toMatchObject({ status: 200, body: { session: expect.any(String) } });
    expect(await call('POST', HUB_PATHS.session, '', { code })).toMatchObject({
      status: 401,
      body: { message: expect.stringContaining('used already') },
    });
  });

  it.each([
    ['GET', HUB_PATHS.status],
    ['GET', HUB_PATHS.history],
    ['GET', `${HUB_PATHS.diff}?from=1&to=2`],
    ['POST', HUB_PATHS.rollback],
    ['POST', HUB_PATHS.release],
    ['POST', HUB_PATHS.codes],
    ['DELETE', `${HUB_PATHS.publishers}/berlin`],
  ])('%s %s is for sessions only', async (method, path) => {
    const code = await createCode(ADMIN_KEY, { purpose: 'enrol', now: memory.clock.now(), lifetimeMs: 60_000 });
    for (const session of [
      '',
      'x',
      code,
      await createCode('B'.repeat(43), { purpose: 'session', now: memory.clock.now(), lifetimeMs: 60_000 }),
    ])
      expect(await call(method, path, session)).toMatchObject({ status: 401, body: { code: 'unauthorized' } });
  });

  it('see, undo and make codes', async () => {
    const session = await login();
    const berlin = await enrolled(memory.target, 'berlin');
    await berlin.publish(await objectsOf(oneRouter()));
    await memory.clock.advance(1_000);
    await berlin.publish(await objectsOf(oneRouter('b.test')));
    await memory.clock.advance(1_000);
    const status = (await call('GET', HUB_PATHS.status, session)).body as HubStatus;
    expect(status).toMatchObject({ revision: 2, publishers: [{ name: 'berlin', kind: 'agent', lease: 'active', routers: 1 }] });
    expect((await call('GET', HUB_PATHS.history, session)).body).toHaveLength(2);
    expect((await call('POST', HUB_PATHS.rollback, session, { revision: 1 })).body).toMatchObject({ pinned: { revision: 1, by: 'ann' } });
    await memory.clock.advance(1_000);
    expect((await call('POST', HUB_PATHS.release, session)).body).toMatchObject({ pinned: null, revision: 4 });
    const { codes } = (await call('POST', HUB_PATHS.codes, session, { count: 2, name: 'paris' })).body as { codes: string[] };
    expect(codes).toHaveLength(2);
    const paris = await createPublisherDouble(memory.target, 'paris');
    expect((await paris.send('POST', HUB_PATHS.enrol, { code: codes[0], name: 'paris', kind: 'sync', key: paris.key })).status).toBe(200);
  });

  it('remove a publisher with its key', async () => {
    const session = await login();
    const berlin = await enrolled(memory.target, 'berlin');
    await berlin.publish(await objectsOf(oneRouter()));
    await memory.clock.advance(1_000);
    expect((await call('DELETE', `${HUB_PATHS.publishers}/berlin`, session)).body).toMatchObject({ publishers: [] });
    expect(memory.snapshot().http.routers).toEqual({});
    expect(memory.hub.history(1)).toMatchObject([{ kind: 'remove', who: ['ann'] }]);
    expect((await berlin.ping()).body).toMatchObject({ code: 'unknown-publisher' });
  });
});
