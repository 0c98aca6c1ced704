import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { key } from '../../scripts/fuzz/keys.ts';
import { describe as print } from '../../src/base/errors.ts';
import { decodeKeys, type Pair } from '../../src/config/keys.ts';
import { createKeysDecoder, type DecodedObjects } from '../../src/config/keys-decoder.ts';

const routers = (count: number, host = 'x'): Pair[] =>
  Array.from({ length: count }, (_, i) => [
    [`traefik/http/routers/r${i}/rule`, `Host(\`${i === 7 ? host : i}\`)`] as const,
    [`traefik/http/routers/r${i}/service`, `s${i}`] as const,
    [`traefik/http/services/s${i}/loadBalancer/servers/0/url`, `http://s${i}`] as const,
  ]).flat();

const objectsOf = ({ configuration }: DecodedObjects): Map<string, unknown> =>
  new Map(
    Object.entries(configuration as Record<string, Record<string, Record<string, unknown>>>).flatMap(([section, kinds]) =>
      Object.entries(kinds).flatMap(([kind, objects]) =>
        Object.entries(objects).map(([name, object]): [string, unknown] => [`${section}.${kind}.${name}`, object]),
      ),
    ),
  );

function newIn(before: DecodedObjects, after: DecodedObjects): string[] {
  const known = objectsOf(before);
  return [...objectsOf(after)].filter(([name, object]) => known.get(name) !== object).map(([name]) => name);
}

/** Sections and kinds are told as the first key has them, of all keys or of the object's. */
const texts = (said: readonly string[]): string[] => said.map((text) => text.toLowerCase()).sort();

describe('createKeysDecoder', () => {
  it.each<[string, Pair[], string[]]>([
    ['nothing is', [...routers(50)], []],
    ['the order of the pairs is', [...routers(50)].reverse(), []],
    ['one value is', routers(50, 'new'), ['http.routers.r7']],
    ['a key is added', [...routers(50), ['traefik/http/routers/r9/priority', '5']], ['http.routers.r9']],
    ['a router is added', routers(51), ['http.routers.r50', 'http.services.s50']],
    ['a router is taken out', routers(49), []],
    ['another root is', [...routers(50), ['edgeway/traefik/revision', '{}']], []],
    ['the static configuration is', [...routers(50), ['traefik/entryPoints/web/address', ':80']], []],
  ])('reads only what is new when %s changed', (_, pairs, names) => {
    const decoder = createKeysDecoder('traefik');
    const before = decoder.decode(routers(50));
    const after = decoder.decode(pairs);
    expect(newIn(before, after)).toEqual(names);
    expect(after.configuration).toEqual(decodeKeys('traefik', pairs).configuration);
    const known = new Set(before.objects.values());
    expect([...after.objects.values()].filter((object) => !known.has(object))).toHaveLength(names.length);
  });

  it('keeps the order of whole reads, so that the same keys are the same text', () => {
    const decoder = createKeysDecoder('traefik');
    const pairs: Pair[] = [...routers(3), ['traefik/http/routers/r1-a/rule', 'x'], ['traefik/tcp/routers/a/rule', 'x']];
    decoder.decode(pairs.slice(3));
    expect(JSON.stringify(decoder.decode([...pairs].reverse()).configuration)).toBe(
      JSON.stringify(decodeKeys('traefik', pairs).configuration),
    );
  });

  it('says what a whole read says, whatever was read before', () => {
    const pairs = fc.array(fc.tuple(key, fc.constantFrom('', 'true', 'x', '1', 'http://a')), { maxLength: 8 });
    fc.assert(
      fc.property(fc.array(pairs, { minLength: 1, maxLength: 4 }), fc.boolean(), (reads, keeps) => {
        const decoder = createKeysDecoder('traefik');
        let last: [string, string][] = [];
        for (const read of reads) {
          last = [...new Map(keeps ? [...last, ...read] : read)];
          const whole = decodeKeys('traefik', last);
          const found = decoder.decode(last);
          expect(found.configuration).toEqual(whole.configuration);
          expect(texts(found.problems.map(print))).toEqual(texts(whole.problems.map(print)));
          expect(texts(found.warnings.map(print))).toEqual(texts(whole.warnings.map(print)));
          expect(texts(found.refused.map(String))).toEqual(texts(whole.refused.map(String)));
        }
      }),
      { numRuns: 500 },
    );
  });
});
