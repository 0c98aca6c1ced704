import { expect, it } from 'vitest';
import type { Pair } from '../../src/config/keys.ts';
import { takeStanding } from '../../src/providers/store-moving.ts';

const pairs = (texts: Record<string, string>): Pair[] => Object.entries(texts).map(([key, value]) => [`traefik/http/${key}`, value]);
const rule = 'routers/a/rule';

it.each<[string, Record<string, string>, Record<string, string>, Record<string, string>, Record<string, string>, boolean]>([
  ['nothing moves', {}, { [rule]: '1' }, { [rule]: '1' }, { [rule]: '1' }, false],
  ['one moves, another is new', { [rule]: '1' }, { [rule]: '2' }, { [rule]: '3', 'routers/b/rule': '1' }, { [rule]: '1' }, true],
  ['one moves that was not there', {}, { [rule]: '1' }, { [rule]: '1', 'routers/a/service': 's' }, {}, true],
  [
    'one moves, another stands',
    { [rule]: '1' },
    { [rule]: '2', 'x/b/y': '1' },
    { [rule]: '3', 'x/b/y': '1' },
    { [rule]: '1', 'x/b/y': '1' },
    true,
  ],
  ['one is gone', { [rule]: '1' }, {}, {}, {}, false],
  ['one is on its way out', { [rule]: '1' }, { [rule]: '1' }, {}, { [rule]: '1' }, true],
  ['letter case', { 'Routers/A/rule': '1' }, { [rule]: '2' }, { [rule]: '3' }, { 'Routers/A/rule': '1' }, true],
])('%s', (_, applied, earlier, later, expected, isMoving) => {
  const standing = takeStanding('traefik', pairs(applied), pairs(earlier), pairs(later));
  expect([standing.pairs, standing.isMoving]).toEqual([pairs(expected), isMoving]);
});

it('takes certificates as one object, since their numbers move', () => {
  const certificates = (...names: string[]): Pair[] => names.map((name, i) => [`traefik/tls/certificates/${i}/certFile`, name]);
  expect(takeStanding('traefik', certificates('a', 'b'), certificates('a', 'b'), certificates('b')).pairs).toEqual(certificates('a', 'b'));
});
