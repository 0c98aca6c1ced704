import { describe, expect, it } from 'vitest';
import { createLocalCells } from '../../src/base/cells.ts';
import { createRequest } from '../../src/base/message.ts';
import type { EdgeHealth } from '../../src/config/kv-layout.ts';
import { createAvoidance, createSiteChooser, type Place, placeKey } from '../../src/worker/sites.ts';
import { createRandom } from '../support/random.ts';

const places = [
  { site: 'a', name: 'app@docker', weight: 3 },
  { site: 'b', name: 'app@swarm', weight: 1 },
] as const;

function createSetup(health: EdgeHealth = {}) {
  let now = 0;
  const avoidance = createAvoidance({ now: () => now });
  const chooser = createSiteChooser(places, { health: () => health, avoidance, cells: createLocalCells(), random: createRandom(1) });
  const pick = (wanted?: number, asked: readonly Place[] = []) => chooser.next(createRequest(), wanted, new Set(asked))?.site;
  return { avoidance, chooser, pick, pass: (ms: number) => void (now += ms) };
}

describe('createSiteChooser', () => {
  it('divides requests by weight', () => {
    const { pick } = createSetup();
    const picks = Array.from({ length: 400 }, () => pick());
    expect(picks.filter((site) => site === 'a')).toHaveLength(300);
  });

  it.each<[string, EdgeHealth, string, boolean]>([
    ['a lapsed lease', { a: { lapsed: true } }, 'b', true],
    ['no healthy server', { a: { down: ['app@docker'] } }, 'b', true],
    ['another service without a server', { a: { down: ['other@docker'] }, b: { lapsed: true } }, 'a', true],
    ['a name of another site', { a: { down: ['app@swarm'] }, b: { lapsed: true } }, 'a', true],
    ['nobody well', { a: { lapsed: true }, b: { down: ['app@swarm'] } }, 'either', false],
  ])('%s makes a site the last choice', (_, health, expected, available) => {
    const { pick, chooser } = createSetup(health);
    const picks = new Set(Array.from({ length: 20 }, () => pick()));
    expect([...picks].sort()).toEqual(expected === 'either' ? ['a', 'b'] : [expected]);
    expect(chooser.available()).toBe(available);
  });

  it('asks a site that is not well rather than none, and each only once', () => {
    const { pick } = createSetup({ a: { lapsed: true } });
    expect(pick(undefined, [places[1]])).toBe('a');
    expect(pick(undefined, places)).toBeUndefined();
  });

  it('keeps to the wanted site while it is well', () => {
    const { pick, avoidance } = createSetup();
    expect(new Set(Array.from({ length: 20 }, () => pick(1)))).toEqual(new Set(['b']));
    avoidance.avoid('b', 1000);
    expect(new Set(Array.from({ length: 20 }, () => pick(1)))).toEqual(new Set(['a']));
  });

  it.each([
    ['a whole site', 'a'],
    ['a service there', placeKey('a', 'app@docker')],
  ])('keeps away from %s for a while', (_, key) => {
    const { pick, avoidance, pass } = createSetup();
    avoidance.avoid(key, 60_000);
    pass(59_999);
    expect(new Set(Array.from({ length: 20 }, () => pick()))).toEqual(new Set(['b']));
    pass(1);
    expect(new Set(Array.from({ length: 20 }, () => pick()))).toEqual(new Set(['a', 'b']));
  });
});
