import { toByteText } from '../base/bytes.ts';
import type { HeaderList } from '../base/message.ts';
import { type Infer, list, map, object, string } from '../base/schema.ts';

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

export function modifyHeaders(headers: HeaderList, { set = {}, add = {}, remove = [] }: Infer<typeof headerModifier>): void {
  for (const [name, value] of Object.entries(set)) headers.set(name, toByteText(value));
  for (const [name, value] of Object.entries(add)) headers.append(name, toByteText(value));
  for (const name of remove) headers.delete(name);
}
