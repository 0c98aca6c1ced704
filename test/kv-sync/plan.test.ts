import { describe, expect, it } from 'vitest';
import { createPlan, fieldChanges, formatPlan } from '../../src/kv-sync/plan.ts';

const entries = (object: Record<string, unknown>) => new Map(Object.entries(object));
const plain = { meaning: (_: string, value: unknown): string => JSON.stringify(value) };

describe('createPlan', () => {
  it.each([
    ['what is new', {}, { a: 1 }, [['add', 'a']]],
    ['what is different', { a: 1 }, { a: 2 }, [['change', 'a']]],
    ['not what is the same in another order', { a: { x: 1, y: 2 } }, { a: { y: 2, x: 1 } }, []],
    ['what left, when it prunes', { a: 1, b: 2 }, { b: 2 }, [['remove', 'a']]],
    [
      'all of it by key',
      { z: 1, b: 1 },
      { b: 2, a: 1 },
      [
        ['add', 'a'],
        ['change', 'b'],
        ['remove', 'z'],
      ],
    ],
  ])('has %s', (_, current, desired, steps) => {
    const plan = createPlan(entries(current), entries(desired), { prune: true });
    expect(plan.steps.map(({ action, key }) => [action, key])).toEqual(steps);
    expect(Object.fromEntries(plan.result)).toEqual(desired);
  });

  it('keeps what left the source unless it prunes', () => {
    const plan = createPlan(entries({ a: 1, b: 2 }), entries({ b: 3 }), { prune: false });
    expect(plan.steps.map(({ action }) => action)).toEqual(['change']);
    expect(plan.kept).toEqual(['a']);
    expect(Object.fromEntries(plan.result)).toEqual({ a: 1, b: 3 });
  });

  it('touches nothing that it was given', () => {
    const [current, desired] = [entries({ a: 1 }), entries({ b: 2 })];
    createPlan(current, desired, { prune: false });
    expect([[...current.keys()], [...desired.keys()]]).toEqual([['a'], ['b']]);
  });
});

describe('formatPlan', () => {
  it('prints a line an object, a line a changed field, and the sum', () => {
    const plan = createPlan(
      entries({ 'http.routers.a': { rule: 'x', list: [1] }, 'http.routers.gone': { rule: 'g' } }),
      entries({ 'http.routers.a': { rule: 'y', list: [1, 2] }, 'http.routers.new': { rule: 'n' } }),
      { prune: true },
    );
    expect(formatPlan(plan, plain)).toBe(`~ http.routers.a  {"rule":"y","list":[1,2]}
    list: [1] → [1,2]
    rule: "x" → "y"
- http.routers.gone  {"rule":"g"}
+ http.routers.new  {"rule":"n"}
1 to add, 1 to change, 1 to remove.
`);
  });

  it('says when there is nothing to do, and what stays', () => {
    expect(formatPlan(createPlan(entries({ a: 1 }), entries({}), { prune: false }), plain)).toBe(
      'Nothing to do.\n1 left the source and stay; --prune removes them: a\n',
    );
  });
});

describe('fieldChanges', () => {
  it.each([
    ['a field that is new', {}, { a: 1 }, [{ path: 'a', old: 'nothing', now: '1' }]],
    ['a field deep down', { a: { b: { c: 1 } } }, { a: { b: { c: 2 } } }, [{ path: 'a.b.c', old: '1', now: '2' }]],
    ['a secret', { a: ['sealed:x'] }, { a: ['sealed:y'] }, [{ path: 'a', old: '["***"]', now: '["***"]' }]],
    ['nothing', { a: 1 }, { a: 1 }, []],
  ])('finds %s', (_, before, after, changes) => {
    expect(fieldChanges(before, after)).toEqual(changes);
  });
});
