import { beforeEach, describe, expect, it } from 'vitest';
import { createMemoryHub, type MemoryHub } from '../../support/hub/memory-hub.ts';
import { enrolled } from '../../support/hub/publisher-double.ts';
import { objectsOf, oneRouter } from '../../support/publications.ts';

let memory: MemoryHub;
beforeEach(async () => {
  memory = await createMemoryHub();
});

describe('history', () => {
  const publishHosts = async (...hosts: string[]) => {
    const berlin = await enrolled(memory.target, 'berlin');
    for (const host of hosts) await berlin.publish(await objectsOf(oneRouter(host)));
    return berlin;
  };

  it('tells who changed what, and when', async () => {
    const startedAt = memory.clock.now();
    await publishHosts('a.test', 'b.test');
    const list = memory.hub.history(10);
    expect(list).toMatchObject([
      { revision: 2, kind: 'publish', who: ['berlin'], changes: { added: [], changed: ['routers/app@file'], removed: [], count: 1 } },
      { revision: 1, kind: 'publish', who: ['berlin'], changes: { added: ['routers/app@file', 'services/app@file', 'sites/berlin'] } },
    ]);
    expect(list[1]!.at).toBeGreaterThanOrEqual(startedAt);
    expect((await memory.hub.diff(1, 2)).changes).toMatchObject([
      { object: 'routers/app@file', before: { rule: 'Host(`a.test`)' }, after: { rule: 'Host(`b.test`)' } },
    ]);
  });

  it('a roll-back pins its revision until it is released', async () => {
    const berlin = await publishHosts('a.test', 'b.test');
    const rolledBack = memory.hub.rollback(1, 'ann');
    await memory.advance(1_000);
    await rolledBack;
    expect(memory.snapshot()).toMatchObject({ revision: 3, http: { routers: { 'app@file': { rule: 'Host(`a.test`)' } } } });
    expect(memory.hub.status().pinned).toMatchObject({ revision: 1, by: 'ann' });
    await memory.advance(1_000);
    expect(await berlin.publish(await objectsOf(oneRouter('c.test')))).toMatchObject({ revision: 3, state: 'pinned' });
    memory.evict();
    await memory.advance(60_000);
    expect(memory.snapshot().revision).toBe(3);
    const status = await memory.hub.release('ben');
    expect(status).toMatchObject({ revision: 4, pinned: null });
    expect(memory.snapshot().http.routers['app@file']!.rule).toBe('Host(`c.test`)');
    expect(memory.hub.history(2)).toMatchObject([
      { revision: 4, kind: 'release', who: expect.arrayContaining(['berlin', 'ben']) },
      { revision: 3, kind: 'rollback', who: ['ann'] },
    ]);
  });

  it('keeps the texts of 50 revisions', async () => {
    const berlin = await enrolled(memory.target, 'berlin');
    for (let i = 0; i < 55; i++) {
      await berlin.publish(await objectsOf(oneRouter(`h${i}.test`)));
      await memory.clock.advance(60_000);
      await berlin.ping();
    }
    expect(memory.hub.history(100)).toHaveLength(50);
    await expect(memory.hub.rollback(5, 'ann')).rejects.toThrow('is not kept');
    expect(memory.snapshot().revision).toBe(55);
  });
});
