import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { fuzz } from '../../scripts/fuzz/keys.ts';
import { run } from '../../scripts/vectors/kv.ts';
import { describe as print } from '../../src/base/errors.ts';
import { parseDocument } from '../../src/config/document.ts';
import { decodeKeys, encodeKeys } from '../../src/config/keys.ts';
import { loadDynamic } from '../../src/config/load.ts';

const load = (text: string) => loadDynamic(parseDocument(text, 'yaml', 'test.yml')).configuration;

describe('decodeKeys', () => {
  it('answers what Traefik answers', async () => {
    const outcome = await run(fileURLToPath(new URL('../vectors/kv', import.meta.url)));
    expect(outcome.different).toEqual([]);
    expect(outcome.equal).toBeGreaterThan(55);
  });

  it('refuses the object of a wrong key only, and names the key', () => {
    const { configuration, problems } = decodeKeys('traefik', [
      ['traefik/http/routers/good/rule', 'Host(`a`)'],
      ['traefik/http/routers/bad/ruel', 'Host(`b`)'],
      ['TRAEFIK/http/routers/worse/middlewares/0', 'auth'],
      ['traefik/http/routers/worse/rule', 'Host(`c`)'],
    ]);
    expect(configuration).toEqual({ http: { routers: { good: { rule: 'Host(`a`)' } } } });
    expect(problems.map(print)).toEqual([
      "TRAEFIK/http/routers/worse/middlewares: The key does not begin with 'traefik/'",
      "http.routers.bad (traefik/http/routers/bad/ruel): ruel is no option here; did you mean 'rule'?",
    ]);
  });

  it('refuses keys without end', () => {
    const { problems } = decodeKeys('t', [[`t/http/${'a/'.repeat(500_000)}`, 'x']]);
    expect(problems[0]?.message).toContain('more than 100 parts');
  });

  it('holds for anything', async () => expect(await fuzz(300)).toBeUndefined());
});

describe('encodeKeys', () => {
  it('writes sorted pairs in the layout of Traefik', () => {
    const configuration = load(`
http:
  routers:
    shop: {rule: Host(\`a\`), entryPoints: [web, websecure], tls: {}, edge: {local: true}}
    "[7]": {rule: x}
  services:
    shop: {weighted: {services: [{name: a, weight: 2}], healthCheck: {}}}
  middlewares:
    long: {chain: {middlewares: [${[...Array(11).keys()].map((i) => `m${i}`).join(', ')}]}}
    empty: {}
`);
    const { pairs, problems } = encodeKeys(configuration, 'edge/one');
    expect(problems).toEqual([]);
    expect(pairs.filter(([key]) => !key.includes('/long/'))).toEqual([
      ['edge/one/http/middlewares/empty', ''],
      ['edge/one/http/routers/7/rule', 'x'],
      ['edge/one/http/routers/shop/entryPoints/0', 'web'],
      ['edge/one/http/routers/shop/entryPoints/1', 'websecure'],
      ['edge/one/http/routers/shop/rule', 'Host(`a`)'],
      ['edge/one/http/routers/shop/tls', 'true'],
      ['edge/one/http/services/shop/weighted/healthCheck', 'true'],
      ['edge/one/http/services/shop/weighted/services/0/name', 'a'],
      ['edge/one/http/services/shop/weighted/services/0/weight', '2'],
    ]);
    const { edge: _, ...shop } = configuration.http!.routers!.shop!;
    expect(decodeKeys('edge/one', pairs).configuration).toEqual({
      http: { ...configuration.http, routers: { ...configuration.http!.routers, shop } },
    });
  });

  it.each([
    ['a name that is an index', 'routers', { '7': { rule: 'x' } }],
    ['a name with a slash', 'routers', { 'a/b': { rule: 'x' } }],
    ['an item with a comma', 'middlewares', { m: { stripPrefixRegex: { regex: ['a{1,2}'] } } }],
    ['an item with blanks', 'middlewares', { m: { chain: { middlewares: [' a'] } } }],
    ['a header that is a number', 'middlewares', { m: { headers: { customRequestHeaders: { '1': 'x' } } } }],
    ['an empty list that would be a default', 'middlewares', { m: { compress: { encodings: [] } } }],
    ['a server without options', 'services', { s: { loadBalancer: { servers: [{}] } } }],
    ['a failover that heeds health', 'services', { s: { failover: { service: 'a', healthCheck: {} } } }],
    ['what only providers make', 'middlewares', { m: { requestHeaderModifier: { remove: ['a'] } } }],
  ])('leaves out an object with %s, and says so', (_, kind, objects) => {
    const { pairs, problems } = encodeKeys({ http: { [kind]: { ...objects, good: {} } } } as never, 't');
    expect(pairs).toEqual([[`t/http/${kind}/good`, '']]);
    expect(problems.map((problem) => problem.code)).toEqual(['config.unsupported']);
  });

  it('never prints a secret', () => {
    const { problems } = encodeKeys({ http: { middlewares: { m: { basicAuth: { users: ['geheim,x'] } } } } } as never, 't');
    expect(problems).toHaveLength(1);
    expect(problems[0]?.message).not.toContain('geheim');
  });
});
