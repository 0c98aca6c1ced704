import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decode } from '../../src/base/decode.ts';
import { encode } from '../../src/base/encode.ts';
import type { Schema } from '../../src/base/schema.ts';
import { httpRouter, httpService, middleware, serversTransport } from '../../src/config/dynamic.ts';
import { checkShard } from '../../src/config/publication-check.ts';
import { canonicalJson } from '../../src/config/snapshot.ts';

interface Case {
  readonly name: string;
  readonly expected?: { readonly http?: Readonly<Record<string, Readonly<Record<string, unknown>>>> };
}
const cases = [
  'labels/middlewares',
  'labels/routers-services',
  'labels/values',
  'file/yaml',
  'file/toml',
  'kv/features',
  'kv/realistic',
].flatMap((file) => {
  const all = JSON.parse(readFileSync(join(import.meta.dirname, `../vectors/${file}.json`), 'utf8')) as Case[];
  return all.map((each) => ({ ...each, name: `${file}: ${each.name}` }));
});
const SCHEMAS: Readonly<Record<string, Schema>> = {
  routers: httpRouter,
  services: httpService,
  middlewares: middleware,
  serversTransports: serversTransport,
};

/** Every object of the vectors that decodes. */
const objects = cases.flatMap(({ name, expected }) =>
  Object.entries(expected?.http ?? {}).flatMap(([kind, named]) =>
    Object.entries(SCHEMAS[kind] === undefined ? {} : named).flatMap(([object, written]) => {
      const { value, problems } = decode(SCHEMAS[kind]!, written);
      return value === undefined || problems.length > 0 ? [] : [{ title: `${name}: ${kind}.${object}`, kind, value }];
    }),
  ),
);

describe('the way through a publication', () => {
  it('has something to carry', () => expect(objects.length).toBeGreaterThan(100));

  it.each(objects)('changes nothing: $title', ({ kind, value }) => {
    const schema = SCHEMAS[kind]!;
    const { value: again, problems } = decode(schema, JSON.parse(canonicalJson(encode(schema, value))));
    expect(problems).toEqual([]);
    expect(again).toEqual(value);
  });
});

describe('checkShard', () => {
  const NONE = { routers: {}, services: {}, middlewares: {}, serversTransports: {} };

  it('judges a shard once, however many publish it', () => {
    const shard = { ...NONE, middlewares: { 'm@x': { kind: 'stripPrefix', options: { prefixes: ['/x'] } } } };
    expect(checkShard(shard)).toBe(checkShard(shard));
  });

  it.each([
    ['a word that runs at the edge', { kind: 'stripPrefix', options: { prefixes: ['/x'] } }, {}],
    ['a word that counts', { kind: 'inFlightReq', options: { amount: 1 } }, { away: expect.stringContaining('counts') }],
    [
      'a word that nobody implements',
      { kind: 'plugin', options: { demo: { colour: 'red' } } },
      { away: expect.any(String), awayLocal: expect.any(String) },
    ],
    ['a word of a newer agent', { kind: 'teleport', options: {} }, { away: expect.stringContaining("does not know 'teleport'") }],
    [
      'a word that stayed at the agent',
      { kind: 'forwardAuth', withheld: 'private', digest: 'd' },
      { away: 'private', awayLocal: 'private' },
    ],
    [
      'what the publisher alone could judge',
      { kind: 'basicAuth', options: { users: ['sealed:x'] }, withheld: 'bcrypt', digest: 'd' },
      { away: 'bcrypt', awayLocal: 'bcrypt' },
    ],
    [
      'rateLimit in a store of the agent',
      { kind: 'rateLimit', options: { average: 1, redis: { endpoints: ['r:6379'] } } },
      { awayLocal: expect.any(String) },
    ],
  ])('knows where to run %s', (_, object, expected) => {
    const checked = checkShard({ ...NONE, middlewares: { 'm@x': object } }).middlewares.get('m@x')!;
    expect(checked.broken).toBeUndefined();
    expect({ away: checked.away, awayLocal: checked.awayLocal }).toMatchObject(expected);
    if (Object.keys(expected).length === 0) expect(checked.away).toBeUndefined();
  });
});
