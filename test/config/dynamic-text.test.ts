import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decode } from '../../src/base/decode.ts';
import type { Schema } from '../../src/base/schema.ts';
import { type DynamicConfiguration, dynamicConfiguration } from '../../src/config/dynamic.ts';
import { formatDynamic, parseDynamic } from '../../src/config/dynamic-text.ts';
import { decodeKeys, type Pair } from '../../src/config/keys.ts';

const VECTORS = join(import.meta.dirname, '../vectors');

interface Case {
  readonly name: string;
  readonly input: { readonly rootKey: string; readonly pairs: readonly Pair[] };
  readonly expected?: unknown;
}

/** Every configuration of the vectors that reads a language. */
const configurations = ['docker', 'file', 'kv', 'labels', 'swarm'].flatMap((topic) =>
  readdirSync(join(VECTORS, topic))
    .filter((file) => file.endsWith('.json'))
    .flatMap((file) => {
      const cases = JSON.parse(readFileSync(join(VECTORS, topic, file), 'utf8')) as Case[];
      return cases.flatMap(({ name, input, expected }) => {
        const { value } = decode(dynamicConfiguration, expected, 'machine');
        const read = topic === 'kv' ? decodeKeys(input.rootKey, input.pairs).configuration : undefined;
        return [value, read].flatMap((configuration) =>
          configuration === undefined ? [] : [[`${topic}/${file}: ${name}`, configuration]],
        );
      });
    }),
) as [string, DynamicConfiguration][];

const again = (configuration: DynamicConfiguration) => parseDynamic(formatDynamic(configuration), 'copy.json');

const words = fc.oneof(
  fc.string({ maxLength: 8 }),
  fc.constantFrom('true', '5', ' a , b\n', 'sealed:x', '[0]', '__proto__', 'ü║', '$integer', '10.0.0.0/8', 'http://10.0.0.1'),
);

/** What somebody might write for it, right or wrong. */
function written(schema: Schema, depth = 0): fc.Arbitrary<unknown> {
  switch (schema.kind) {
    case 'boolean':
      return fc.boolean();
    case 'integer':
      return fc.oneof(fc.integer(), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.nat({ max: 599 }));
    case 'number':
      return fc.double({ noNaN: true, noDefaultInfinity: true });
    case 'duration':
      return fc.oneof(
        fc.nat(),
        fc.nat({ max: 10 ** 15 }).map((ns) => `${ns}ns`),
      );
    case 'list':
      return fc.array(written(schema.items!, depth + 1), { maxLength: 3 });
    case 'map':
      return fc.dictionary(words, written(schema.items!, depth + 1), { maxKeys: depth < 3 ? 5 : 2 });
    case 'object': {
      const names = Object.keys(schema.fields!);
      const required = names.filter((name) => schema.fields![name]!.required);
      return fc
        .subarray(names, { maxLength: depth === 0 ? names.length : Math.min(names.length, 4) })
        .chain((chosen) =>
          fc.record(
            Object.fromEntries([...new Set([...chosen, ...required])].map((name) => [name, written(schema.fields![name]!, depth + 1)])),
          ),
        );
    }
    case 'any':
      return fc.oneof(fc.bigInt(), fc.array(fc.bigInt()), fc.boolean(), words);
    default:
      return schema.values === undefined ? words : fc.constantFrom(...schema.values);
  }
}

describe('the text of a configuration', () => {
  it('has something to carry', () => expect(configurations.length).toBeGreaterThan(400));

  it.each(configurations)('reads back as the same: %s', (_, configuration) => {
    const { configuration: read, problems } = again(configuration);
    expect(problems).toEqual([]);
    expect(read).toEqual(configuration);
  });

  it('reads back as the same whatever was written', () => {
    let objects = 0;
    fc.assert(
      fc.property(written(dynamicConfiguration), (tree) => {
        const { value = {} } = decode(dynamicConfiguration, tree);
        const { configuration, problems } = again(value);
        expect(problems).toEqual([]);
        expect(configuration).toEqual(value);
        objects += Object.values(value).flatMap((kinds) => Object.values(kinds ?? {}).flatMap(Object.keys)).length;
      }),
      { numRuns: 300 },
    );
    expect(objects).toBeGreaterThan(100);
  });

  it.each<[string, object]>([
    ['a priority of 64 bits', { http: { routers: { a: { rule: 'x', service: 's', priority: 9_223_372_036_854_775_806n } } } }],
    [
      'secrets',
      {
        http: { middlewares: { m: { basicAuth: { users: ['bob:$2y$05$x'] } } } },
        tls: { certificates: [{ certFile: 'C', keyFile: 'K' }] },
      },
    ],
    ['files in lists, to the last line', { tls: { options: { strict: { clientAuth: { caFiles: ['-----BEGIN CERTIFICATE-----\n'] } } } } }],
    ['what only providers set', { http: { services: { s: { loadBalancer: { servers: [{ url: 'http://a', fenced: true }] } } } } }],
    ['options of plugins', { http: { middlewares: { m: { plugin: { p: { list: [1n, 2n ** 70n], text: '5' } } } } } }],
  ])('keeps %s', (_, tree) => {
    const configuration = decode(dynamicConfiguration, tree, 'machine').value!;
    expect(again(configuration).configuration).toEqual(configuration);
    expect(again(configuration).configuration).toMatchObject(tree);
  });

  it('passes over what is undefined', () => {
    expect(again({ http: { routers: undefined }, tcp: undefined })).toMatchObject({ configuration: { http: {} }, problems: [] });
  });

  it('loses only the objects that this version cannot read', () => {
    const text = '{"http":{"routers":{"a":{"rule":"x","service":"s"},"b":{"rule":"x","fromTheFuture":1}}},"quic":{}}';
    const { configuration, problems } = parseDynamic(text, 'copy.json');
    expect(Object.keys(configuration.http!.routers!)).toEqual(['a']);
    expect(problems.map(({ place }) => [place.source, place.object])).toEqual([
      ['copy.json', 'http.routers.b'],
      ['copy.json', 'quic'],
    ]);
  });

  it.each(['', '{"http":', 'null', '[]', '"x"'])('is refused when it is %j', (text) => {
    expect(() => parseDynamic(text, 'copy.json')).toThrow(SyntaxError);
  });
});
