import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { decode } from '../../src/base/decode.ts';
import type { Schema } from '../../src/base/schema.ts';

/**
 * Tests a file of rows `<place> <options, as YAML> → <option> <what is told of it>`: each is what somebody wrote and what they are told,
 * and no option of any place lacks one. `vitest -u` writes anew what is told.
 */
export function testRefusedValues(file: string, places: ReadonlyMap<string, Schema>): void {
  const lines = readFileSync(file, 'utf8').split('\n');
  const rows = lines.flatMap((line) => {
    const [, place, written, told] = /^([^#\s]\S*) (.*) → (.*)$/.exec(line) ?? [];
    return place === undefined ? [] : [{ place, written: written!, told: told! }];
  });

  it('tells what is wrong', async () => {
    const texts = rows.map(({ place, written }) => `${place} ${written} → ${tell(places.get(place)!, written)}`);
    await expect([...lines.filter((line) => line.startsWith('#')), '', ...texts, ''].join('\n')).toMatchFileSnapshot(file);
  });

  it.each([...places])('%s has a row for every option, and for one that it does not know', (place, schema) => {
    const told = rows.filter((row) => row.place === place).map((row) => row.told.split(' ')[0]);
    expect(told.sort()).toEqual([...optionsOf(schema)].sort());
  });
}

/** Some wrong values are taken with a warning, as Traefik takes them. */
function tell(schema: Schema, written: string): string {
  const { problems, warnings } = decode(schema, parse(written));
  return [...problems, ...warnings].map(({ path, message }) => `${path.join('.')} ${message}`).join('; ');
}

/** Every option, and every place where options stand: `sourceCriterion.ipStrategy.depth`, `servers.0.url`. */
function* optionsOf({ kind, fields = {}, items }: Schema, path = ''): Generator<string> {
  if (items?.kind === 'object') yield* optionsOf(items, `${path}${kind === 'list' ? '0' : 'x'}.`);
  if (kind !== 'object') return;
  yield `${path}unknown`;
  for (const [name, field] of Object.entries(fields)) {
    // Whatever else the user writes there is passed over.
    if (field.internal !== undefined || field.onlyLabels || field.kind === 'any') continue;
    // A list of options is told of by its first entry.
    yield `${path}${name}${field.items?.kind === 'object' && field.kind === 'list' ? '.0' : ''}`;
    yield* optionsOf(field, `${path}${name}.`);
  }
}
