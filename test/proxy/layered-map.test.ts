import fc from 'fast-check';
import { expect, test } from 'vitest';
import { changeLayeredMap, createLayeredMap, drain, type LayeredMap, layeredEntries } from '../../src/proxy/layered-map.ts';

const change = fc.array(fc.tuple(fc.nat(20), fc.option(fc.nat(99), { nil: undefined })), { maxLength: 12 });

test('a changed map has the changes, and the one before does not', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 8 }), (changes) => {
      let map: LayeredMap<number, number> = createLayeredMap(new Map());
      const model = new Map<number, number>();
      for (const entries of changes) {
        const before = new Map(layeredEntries(map));
        const changed = drain(changeLayeredMap(map, new Map(entries)));
        expect(new Map(layeredEntries(map))).toEqual(before);
        for (const [key, value] of new Map(entries)) value === undefined ? model.delete(key) : model.set(key, value);
        map = changed;
        expect([new Map(layeredEntries(map)), map.size]).toEqual([model, model.size]);
        for (let key = 0; key <= 20; key++) expect(map.get(key)).toBe(model.get(key));
      }
    }),
    { numRuns: 50 },
  );
});

test('many changes are merged down in slices', () => {
  const map = createLayeredMap(new Map(Array.from({ length: 5000 }, (_, i) => [i, i])));
  const steps = changeLayeredMap(map, new Map(Array.from({ length: 3000 }, (_, i) => [2 * i, i < 10 ? undefined : -i])));
  let slices = 0;
  let step = steps.next();
  for (; !step.done; step = steps.next()) slices++;
  expect(slices).toBeGreaterThan(3);
  expect([
    step.value.layer.size,
    step.value.size,
    step.value.get(0),
    step.value.get(1),
    step.value.get(4000),
    step.value.get(5998),
  ]).toEqual([0, 5490, undefined, 1, -2000, -2999]);
});
