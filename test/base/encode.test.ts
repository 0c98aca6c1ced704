import { describe, expect, it } from 'vitest';
import { decode } from '../../src/base/decode.ts';
import { encode } from '../../src/base/encode.ts';
import { any, boolean, duration, integer, list, map, object, string } from '../../src/base/schema.ts';

const schema = object(
  {
    wait: duration(''),
    big: integer(''),
    flag: boolean(''),
    key: string('', { secret: true }),
    keys: list(string(''), '', { secret: true }),
    users: map(string(''), '', { secret: true }),
    rows: list(object({ wait: duration('') }, ''), ''),
    raw: any(''),
    port: string('', { onlyLabels: true }),
    made: string('', { internal: 'meaning' }),
  },
  '',
);

describe('encode', () => {
  const value = {
    wait: 90_000,
    big: 2n ** 60n,
    flag: false,
    key: 'k',
    keys: ['a', ''],
    users: { x: 'y' },
    rows: [{ wait: 5 }, {}],
    raw: { n: 1 },
    made: 'm',
  };
  it('writes the spelling of files', () =>
    expect(encode(schema, { ...value, port: '80' })).toEqual({
      wait: '1m30s',
      big: '1152921504606846976',
      flag: false,
      key: 'k',
      keys: ['a', ''],
      users: { x: 'y' },
      rows: [{ wait: '5ms' }, {}],
      raw: { n: 1 },
      made: 'm',
    }));
  it('hides secrets, and not their absence', () =>
    expect(encode(schema, value, () => '***')).toMatchObject({ key: '***', keys: ['***', ''], users: { x: '***' } }));
  it('writes what machines read back', () =>
    expect(decode(schema, encode(schema, value), 'machine')).toEqual({ value, problems: [], warnings: [] }));
});
