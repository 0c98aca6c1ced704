import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createSharedTexts } from '../../src/config/shard-text.ts';
import { canonicalJson, type ProxyConfiguration } from '../../src/config/snapshot.ts';

const record = fc
  .dictionary(
    fc.string({ unit: 'binary' }).map((name) => `${name}@file`),
    fc.record({ rule: fc.string(), priority: fc.bigInt(), lists: fc.array(fc.string()), no: fc.constant(undefined) }),
  )
  .map((objects) => Object.fromEntries(Object.entries(objects).sort(([a], [b]) => (a < b ? -1 : 1))));
const configuration = fc.record({ routers: record, services: record, middlewares: record, serversTransports: record });

it('the text is the canonical one, as often as it is asked for', () => {
  fc.assert(
    fc.property(configuration, (generated) => {
      const http = generated as unknown as ProxyConfiguration;
      const texts = createSharedTexts();
      const text = canonicalJson(http);
      expect(texts.textOf(http)).toBe(text);
      expect(texts.textOf({ ...http })).toBe(text);
      expect(texts.lengthOf(http)).toBeLessThanOrEqual(text.length);
    }),
  );
});
