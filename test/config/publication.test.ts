import { describe, expect, it } from 'vitest';
import { sha256Hex } from '../../src/base/bytes.ts';
import {
  BUCKETS,
  bucketOf,
  checkPublisherName,
  formatPublication,
  joinObjects,
  MAX_OBJECT_BYTES,
  type PublicationObjects,
  parseManifest,
  parseShard,
} from '../../src/config/publication.ts';

const HEAD = {
  publisher: 'berlin',
  revision: 7,
  link: { type: 'https' as const, address: 'https://relay.example.com' },
  forgetAfterMs: 1000,
};
const objectsWith = (routers: number): PublicationObjects => ({
  routers: Object.fromEntries(Array.from({ length: routers }, (_, i) => [`r${i}@file`, { config: { rule: `Host(\`h${i}\`)` } }])),
  services: { 's@file': { config: {}, folded: { weight: 1, digest: 'd' } } },
  middlewares: {},
  serversTransports: {},
});

describe('formatPublication', () => {
  it('names shards by their hash and survives the way through text', async () => {
    const objects = objectsWith(300);
    const { manifest, texts } = await formatPublication(objects, HEAD);
    expect(parseManifest(JSON.parse(JSON.stringify(manifest)))).toEqual(manifest);
    expect(manifest).toMatchObject({ format: 1, ...HEAD, routers: 300 });
    for (const [hash, text] of texts) expect(await sha256Hex(text)).toBe(hash);
    expect(new Set(Object.values(manifest.shards))).toEqual(new Set(texts.keys()));
    expect(joinObjects([...texts.values()].map(parseShard))).toEqual(objects);
  });

  it('changes one shard when one object changes', async () => {
    const objects = objectsWith(300);
    const before = await formatPublication(objects, HEAD);
    const after = await formatPublication({ ...objects, routers: { ...objects.routers, 'r5@file': { config: { rule: 'other' } } } }, HEAD);
    const changed = Object.keys(after.manifest.shards).filter((bucket) => after.manifest.shards[bucket] !== before.manifest.shards[bucket]);
    expect(changed).toEqual([String(bucketOf('r5@file'))]);
  });

  it('does not depend on the order of objects', async () => {
    const objects = objectsWith(50);
    const turned = { ...objects, routers: Object.fromEntries(Object.entries(objects.routers).reverse()) };
    expect((await formatPublication(turned, HEAD)).manifest).toEqual((await formatPublication(objects, HEAD)).manifest);
  });

  it('publishes an object that is too large as broken', async () => {
    const objects = { ...objectsWith(1), middlewares: { 'm@file': { kind: 'headers', options: 'x'.repeat(MAX_OBJECT_BYTES) } } };
    const { texts } = await formatPublication(objects, HEAD);
    expect(joinObjects([...texts.values()].map(parseShard)).middlewares['m@file']).toEqual({ broken: expect.stringContaining('bytes') });
  });

  it('refuses more than 10,000 routers', async () => {
    await expect(formatPublication(objectsWith(10_001), HEAD)).rejects.toThrow(/10001 routers/);
  });
});

describe('parseManifest refuses', () => {
  const good = { format: 1, ...HEAD, routers: 1, shards: { 0: 'a'.repeat(64) } };
  it.each([
    ['another format', { format: 2 }, 'update the Worker'],
    ['too many routers', { routers: 10_001 }, '10001 routers'],
    ['a name with a slash', { publisher: 'a/b' }, 'no name of a publisher'],
    ['a bucket that does not exist', { shards: { [BUCKETS]: 'a'.repeat(64) } }, 'no shard'],
    ['a hash that is none', { shards: { 0: '../x' } }, 'no shard'],
    ['an unknown link', { link: { type: 'carrier pigeon' } }, 'not one of https'],
    ['nothing', undefined, 'manifest'],
  ])('%s', (_, change, message) => {
    expect(() => parseManifest(change === undefined ? undefined : { ...good, ...change })).toThrow(
      message === 'manifest' ? undefined : message,
    );
    expect(parseManifest(good)).toMatchObject({ publisher: 'berlin' });
  });
});

describe('parseShard refuses', () => {
  it.each([
    ['a list', '[]'],
    ['missing kinds', '{"routers":{}}'],
    ['a name without provider', '{"routers":{"__proto__":{}},"services":{},"middlewares":{},"serversTransports":{}}'],
    ['an object that is a text', '{"routers":{"a@b":"x"},"services":{},"middlewares":{},"serversTransports":{}}'],
  ])('%s', (_, text) => {
    expect(() => parseShard(text)).toThrow('A shard has no');
  });
});

describe('checkPublisherName', () => {
  it.each(['berlin', 'agent-1.example.com', 'a', 'x_1'])('takes %s', (name) => expect(checkPublisherName(name)).toBeUndefined());
  it.each(['', 'Berlin', 'a~b', 'a@b', '-a', 'a b', 'x'.repeat(64)])('refuses %j', (name) =>
    expect(checkPublisherName(name)).toContain('small letters'),
  );
});
