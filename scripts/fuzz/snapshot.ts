import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { compileSnapshot } from '../../src/config/compile.ts';
import { httpRouter, httpService } from '../../src/config/dynamic.ts';
import { type PublicationObjects, parseShard as parsePublished } from '../../src/config/publication.ts';
import { joinSnapshot, parsePointer, splitSnapshot } from '../../src/config/shards.ts';
import { canonicalJson } from '../../src/config/snapshot.ts';
import { check, checkAsync, text, valueFor } from '../support/arbitrary.ts';

const name = fc.oneof(
  { weight: 60, arbitrary: fc.constantFrom('a@file', 'b@file', 'c@docker') },
  { weight: 6, arbitrary: fc.constantFrom('a~p1@file', 'https-a@file', 'x@internal', '__proto__@file') },
  { weight: 1, arbitrary: fc.constantFrom('odd', '__proto__', '') },
);
const junk = fc.oneof(fc.constant(null), fc.integer(), text, fc.array(text, { maxLength: 2 }), fc.dictionary(text, text, { maxKeys: 2 }));
const mostly = (good: fc.Arbitrary<unknown>) => fc.oneof({ weight: 6, arbitrary: good }, { weight: 1, arbitrary: junk });

const few = (names: fc.Arbitrary<string>) =>
  fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.array(names, { maxLength: 2 }) });

const plainRouter = fc.record({
  rule: fc.constantFrom('Host(`a.test`)', 'Host(`b.test`) && PathPrefix(`/x`)', 'PathPrefix(`/`)', 'Host('),
  service: name,
  middlewares: few(name),
  entryPoints: fc.subarray(['http', 'https'], { minLength: 1 }),
  priority: fc.constantFrom(-1, 1, 30),
  parentRefs: few(name),
});
const router = fc.record({
  config: fc.oneof({ weight: 12, arbitrary: plainRouter }, { weight: 2, arbitrary: valueFor(httpRouter) }, { weight: 1, arbitrary: junk }),
});
const service = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      config: fc.constant({}),
      folded: fc.record({ weight: fc.integer({ min: 0, max: 3 }), digest: fc.constantFrom('d', 'e') }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ config: mostly(valueFor(httpService)) }) },
  { weight: 1, arbitrary: fc.record({ config: fc.constant({}), folded: junk }) },
);
const middleware = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('stripPrefix'), options: fc.constant({ prefixes: ['/a'] }), digest: text }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('chain'), options: fc.record({ middlewares: fc.array(name, { maxLength: 2 }) }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record(
      { kind: mostly(fc.constantFrom('headers', 'rateLimit', 'unknown')), options: junk, withheld: text, digest: text },
      { requiredKeys: ['kind'] },
    ),
  },
);
const some = (object: fc.Arbitrary<unknown>) =>
  fc.dictionary(name, fc.oneof({ weight: 60, arbitrary: object }, { weight: 1, arbitrary: junk }), { maxKeys: 4 });
const shard = fc.record({
  routers: some(router),
  services: some(service),
  middlewares: some(middleware),
  serversTransports: fc.oneof({ weight: 3, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: some(fc.record({ config: junk })) }),
});

/**
 * What publishers send: anything is refused or compiled object by object, in whatever order it comes; what the hub then writes is
 * what Workers read.
 */
export async function fuzz(count: number): Promise<void> {
  check(text, Math.ceil(count / 4), (broken) => void readOrRefuse(broken));
  await checkAsync(fc.array(shard, { minLength: 1, maxLength: 3 }), Math.floor((count * 3) / 4), async (shards) => {
    const read = shards.map((one) => readOrRefuse(JSON.stringify(one))).filter((one) => one !== undefined);
    const inputs = read.map((one, index) => ({
      publisher: `p${index}`,
      ...(index !== 1 && { link: { type: 'https' as const, address: 'https://p.example.com' } }),
      shards: [one],
      changedAt: () => index,
    }));
    const compiled = compileSnapshot(inputs);
    if (canonicalJson(compiled.snapshot) !== canonicalJson(compileSnapshot(inputs.toReversed()).snapshot))
      throw new Error('Another order of publishers gives another snapshot');
    const split = await splitSnapshot({ ...compiled.snapshot, revision: 1 }, 0);
    const joined = await joinSnapshot(parsePointer(split.pointerText).pointer, async (hash) => split.objects.get(hash)!);
    if (!isDeepStrictEqual(JSON.parse(canonicalJson(joined)), JSON.parse(canonicalJson({ ...compiled.snapshot, revision: 1 }))))
      throw new Error('Workers read something else than the hub wrote');
  });
}

/** Undefined when it is refused as a whole. */
function readOrRefuse(published: string): PublicationObjects | undefined {
  try {
    return parsePublished(published);
  } catch (error) {
    if (error instanceof Error && !(error instanceof TypeError) && !(error instanceof RangeError)) return undefined;
    throw error;
  }
}
