import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { dynamicConfiguration } from '../../src/config/dynamic.ts';
import { decodeLabels, encodeLabels } from '../../src/config/labels.ts';
import { check, pathsWith, text } from '../support/arbitrary.ts';
import { written } from '../support/round-trip.ts';

const label = fc.oneof(
  {
    weight: 8,
    arbitrary: pathsWith((n) => `[${n}]`)(dynamicConfiguration).map((path) => `traefik.${path.join('.').replaceAll('.[', '[')}`),
  },
  { weight: 1, arbitrary: fc.string({ maxLength: 20 }).map((rest) => `traefik.http.${rest}`) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('traefik.http', 'traefik.tcp.x]', 'edgeway.http.routers.a.rule', 'TRAEFIK.http.a.b', 'traefik.http..a'),
  },
);

/** Reads arbitrary labels, and writes what was read: nothing is thrown, and what could be written reads back. */
export async function fuzz(count: number): Promise<void> {
  check(fc.dictionary(label, text, { maxKeys: 6 }), count, (labels) => {
    const { configuration } = decodeLabels(labels);
    const encoded = encodeLabels(configuration);
    const back = decodeLabels({ ...encoded.labels });
    if (encoded.problems.length > 0) return;
    if (back.problems.length > 0) throw new Error(`Our own labels are refused: ${back.problems[0]!.message}`);
    if (!isDeepStrictEqual(written(back.configuration), written(configuration))) throw new Error('The labels read back as something else');
  });
}
