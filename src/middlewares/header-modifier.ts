import { list, map, object, string } from '../base/schema.ts';

/** Options of the Gateway API's header filters. */
export const headerModifier = object(
  {
    set: map(string('Value.'), 'Fields that are replaced.'),
    add: map(string('Value.'), 'Fields that are added.'),
    remove: list(string('A field name.'), 'Fields that are removed.'),
  },
  'A header filter of the Gateway API.',
  { labels: false },
);
