import { describe, expect, it } from 'vitest';
import { referenceRows } from '../../src/base/reference.ts';
import { boolean, duration, list, map, object, oneOf, string } from '../../src/base/schema.ts';

describe('referenceRows', () => {
  it('has a row for every option that users can write', () => {
    const rows = referenceRows(
      object(
        {
          mode: oneOf(['a', 'b'], 'Mode.', { default: 'a' }),
          wait: duration('Wait.', { default: 90_000 }),
          key: string('Key.', { secret: true, fileOrContent: true }),
          lamp: object({ on: boolean('On.') }, 'Lamp.', { presence: true }),
          rows: list(object({ name: string('Name.', { required: true }) }, ''), 'Rows.', { labelName: 'row' }),
          names: map(map(object({ old: string('Old.', { deprecated: 'write new.' }) }, ''), ''), 'Names.'),
          words: list(string(''), 'Words.', { default: ['x', 'y'], labels: false }),
          made: string('', { internal: 'note' }),
        },
        '',
      ),
    );
    expect(rows.map(({ name, type, default: fallback, summary }) => [name, type, fallback, summary].join(' | '))).toEqual([
      'mode | `a`, `b` | `a` | Mode.',
      'wait | duration | `1m30s` | Wait.',
      'key | file or content |  | Key. Secret.',
      'lamp | object |  | Lamp. `{}` or `true` switches it on.',
      'lamp.on | boolean |  | On.',
      'rows | list of object |  | Rows. `row` in labels, one only.',
      'rows[n].name | string | required | Name.',
      'names | map of map of object |  | Names.',
      'names.<name>.<name>.old | string |  | Old. Deprecated: write new.',
      'words | list of string | `x`, `y` | Words. Not in labels.',
    ]);
  });
});
