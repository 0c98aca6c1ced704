import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { decode } from '../../src/base/decode.ts';
import { dynamicConfiguration } from '../../src/config/dynamic.ts';
import { decodeKeys, encodeKeys } from '../../src/config/keys.ts';
import { check, pathsWith, text, valueFor } from '../support/arbitrary.ts';
import { written } from '../support/round-trip.ts';

export const key = fc.oneof(
  { weight: 8, arbitrary: pathsWith(String)(dynamicConfiguration).map((path) => `traefik/${path.join('/')}`) },
  { weight: 1, arbitrary: fc.string({ maxLength: 20 }).map((rest) => `traefik/http/${rest}`) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('traefik', 'traefik/http', 'TRAEFIK/http/a/b', 'traefik/httpx/a', '/traefik/http/a', 'traefik//http'),
  },
);

/** Reads arbitrary pairs and writes arbitrary configurations: nothing is thrown, and what could be written reads back. */
export async function fuzz(count: number): Promise<void> {
  check(fc.array(fc.tuple(key, text), { maxLength: 6 }), Math.ceil(count / 2), (pairs) =>
    checkRoundTrip(decodeKeys('traefik', pairs).configuration),
  );
  check(valueFor(dynamicConfiguration), Math.floor(count / 2), (value) =>
    checkRoundTrip(decode(dynamicConfiguration, value, 'machine').value ?? {}),
  );
}

function checkRoundTrip(configuration: Parameters<typeof encodeKeys>[0]): void {
  const encoded = encodeKeys(configuration, 'traefik');
  const back = decodeKeys('traefik', encoded.pairs);
  if (back.problems.length > 0) throw new Error(`Our own keys are refused: ${back.problems[0]!.message}`);
  if (encoded.problems.length > 0) return;
  if (!isDeepStrictEqual(written(back.configuration), written(configuration))) throw new Error('The keys read back as something else');
}
