import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Format, parseDocument } from '../../src/config/document.ts';
import { decodeKeys, type Pair } from '../../src/config/keys.ts';
import { loadDynamic } from '../../src/config/load.ts';
import { canonicalJson } from '../../src/config/snapshot.ts';
import { exportPairs } from '../../src/kv-sync/export.ts';

interface Case {
  readonly name: string;
  readonly input: { readonly rootKey: string; readonly pairs: readonly Pair[] };
}
const cases = ['features', 'realistic'].flatMap(
  (name) => JSON.parse(readFileSync(join(import.meta.dirname, `../vectors/kv/${name}.json`), 'utf8')) as Case[],
);
/** Sections and kinds without objects are not written. */
const essential = (configuration: object): string =>
  canonicalJson(
    Object.fromEntries(
      Object.entries(configuration).flatMap(([section, kinds]) => {
        const kept = Object.entries(kinds as object).filter(([, objects]) => Object.keys(objects as object).length > 0);
        return kept.length === 0 ? [] : [[section, Object.fromEntries(kept)]];
      }),
    ),
  );

describe.each(['yaml', 'toml', 'json'] as const)('export as %s', (format: Format) => {
  it.each(cases.map(({ name, input }) => [name, input] as const))('is read as the same: %s', (_, { rootKey, pairs }) => {
    const { configuration } = decodeKeys(rootKey, pairs);
    const [text = ''] = exportPairs(rootKey, pairs, format, true).texts.values();
    expect(essential(loadDynamic(parseDocument(text, format, 'x')).configuration)).toBe(essential(configuration));
  });
});

it('says nothing that is said by saying nothing', () => {
  const pairs: Pair[] = [
    ['traefik/http/services/s/loadBalancer/servers/0/url', 'http://s'],
    ['traefik/http/services/s/loadBalancer/healthCheck/path', '/x'],
    ['traefik/http/routers/r/tls', 'true'],
    ['traefik/entryPoints/web/address', ':80'],
  ];
  const { texts, leftOut } = exportPairs('traefik', pairs, 'json', true);
  expect(JSON.parse(texts.get('dynamic')!)).toEqual({
    http: {
      routers: { r: { tls: {} } },
      services: { s: { loadBalancer: { servers: [{ url: 'http://s' }], healthCheck: { path: '/x' } } } },
    },
  });
  expect(leftOut).toEqual(['traefik/entryPoints/web/address']);
});
