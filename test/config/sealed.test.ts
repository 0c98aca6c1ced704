import { describe, expect, it } from 'vitest';
import { containsSealed, openSealed } from '../../src/config/sealed.ts';

const open = async (jwe: string): Promise<unknown> => JSON.parse(atob(jwe));
const seal = (value: unknown): string => `sealed:${btoa(JSON.stringify(value))}`;

describe('openSealed', () => {
  it.each([
    ['a text', { basicAuth: { users: seal(['a:b']), realm: 'r' } }, { basicAuth: { users: ['a:b'], realm: 'r' } }],
    ['texts in a list', { list: ['x', seal('y')] }, { list: ['x', 'y'] }],
    ['nothing', { headers: { a: 'b', n: 1, none: null } }, { headers: { a: 'b', n: 1, none: null } }],
  ])('opens %s', async (_, value, expected) => {
    expect(await openSealed<unknown>(value, open)).toEqual(expected);
  });

  it('keeps parts without a secret as they are', async () => {
    const value = { plain: { a: 1 }, secret: seal('s') };
    expect((await openSealed(value, open)).plain).toBe(value.plain);
    expect(containsSealed(value.plain)).toBe(false);
  });
});
