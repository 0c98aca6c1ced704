import { expect, it } from 'vitest';
import type { Pair } from '../../src/config/keys.ts';
import { readRevision } from '../../src/providers/store-revision.ts';
import { layStaged } from '../../src/providers/store-staged.ts';
import { createBreakableStore } from '../support/stores/breakable-store.ts';

const PAIRS: Pair[] = [
  ['traefik/http/routers/a/rule', 'old'],
  ['traefik/http/routers/b/rule', 'b'],
];
const inForce = { revision: 7, state: 'written', hash: 'seven', writer: 'sync', at: 0 };
const rollOut = { revision: 8, hash: 'eight', nodes: ['one'] };

async function lay(node: string | undefined, mark: object, change?: (store: ReturnType<typeof createBreakableStore>) => void) {
  const store = createBreakableStore();
  store.set('edgeway/traefik/revision', JSON.stringify(mark));
  store.set('edgeway/traefik/staged/8/set/http/routers/a/rule', 'new');
  store.set('edgeway/traefik/staged/8/set/http/routers/c/rule', 'c');
  store.set('edgeway/traefik/staged/8/gone/http/routers/b/rule', '');
  const read = { pairs: PAIRS, revision: await readRevision(store.client, 'traefik') };
  change?.(store);
  return layStaged(store.client, 'traefik', node, read);
}

it('gives an agent that is named what is staged for it', async () => {
  expect(await lay('one', { ...inForce, rollOut })).toEqual({
    pairs: [
      ['traefik/http/routers/a/rule', 'new'],
      ['traefik/http/routers/c/rule', 'c'],
    ],
    revision: { ...inForce, revision: 8, hash: 'eight', rollOut },
  });
});

it.each([
  ['another agent', 'two', { ...inForce, rollOut }],
  ['an agent without a name', undefined, { ...inForce, rollOut }],
  ['anybody when nothing is rolled out', 'one', inForce],
  ['anybody while the keys are written', 'one', { ...inForce, state: 'writing', rollOut }],
  ['anybody when the roll-out is no roll-out', 'one', { ...inForce, rollOut: 'x' }],
])('gives %s what is in force', async (_, node, mark) => {
  expect(await lay(node, mark)).toMatchObject({ pairs: PAIRS, revision: { revision: 7 } });
});

it('reads again when the roll-out ended meanwhile', async () => {
  expect(
    await lay('one', { ...inForce, rollOut }, (store) => store.set('edgeway/traefik/revision', JSON.stringify(inForce))),
  ).toBeUndefined();
});
