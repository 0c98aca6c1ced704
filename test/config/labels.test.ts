import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { fuzz } from '../../scripts/fuzz/labels.ts';
import { run } from '../../scripts/vectors/labels.ts';
import { describe as print } from '../../src/base/errors.ts';
import { decodeLabels, encodeLabels } from '../../src/config/labels.ts';

const read = (labels: Record<string, string>, root?: string) => {
  const { configuration, problems, warnings } = decodeLabels(labels, root);
  return { configuration, problems: problems.map(print), warnings: warnings.map(print) };
};

describe('decodeLabels', () => {
  it('answers what Traefik answers', async () => {
    const outcome = await run(fileURLToPath(new URL('../vectors/labels', import.meta.url)));
    expect(outcome.different).toEqual([]);
    expect(outcome.equal).toBeGreaterThan(145);
  });

  it('refuses the object of a wrong label only, and names the label', () => {
    const { configuration, problems } = read({
      'traefik.http.routers.good.rule': 'Host(`a`)',
      'traefik.http.routers.Bad.rule': 'Host(`b`)',
      'traefik.http.routers.bad.priority': 'high',
      'traefik.http.services.good.loadbalancer.server.port': '80',
    });
    expect(Object.keys(configuration.http?.routers ?? {})).toEqual(['good']);
    expect(configuration.http?.services?.good?.loadBalancer?.servers).toEqual([{ port: '80' }]);
    expect(problems).toEqual(["http.routers.Bad (traefik.http.routers.bad.priority): priority 'high' is no whole number"]);
  });

  it.each([
    ['an extra dot', 'traefik.http.routers.shop..middlewares', 'take the extra dot away'],
    ['another root', 'TRAEFIK.http.routers.shop.middlewares', "write 'traefik'"],
    ['a lone bracket', 'traefik.http.routers.shop.middlewares]', 'no opening bracket'],
    ['a bracket in front', 'traefik.http.routers.shop.[0]', 'begins with a bracket'],
    ['a kind that is none', 'traefik.http.router.shop.middlewares', "did you mean 'routers'?"],
    ['an option that is none', 'traefik.http.routers.shop.middleware', "did you mean 'middlewares'?"],
  ])('takes a router that lost its guard by %s out of service', (_, label, message) => {
    const { configuration, problems } = read({
      'traefik.http.routers.shop.rule': 'Host(`a`)',
      'traefik.http.routers.other.rule': 'Host(`b`)',
      [label]: 'auth',
    });
    expect(Object.keys(configuration.http?.routers ?? {})).toEqual(['other']);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(message);
    expect(problems[0]).toContain(label);
  });

  it('reads edgeway.* beside traefik.*, and prefers it', () => {
    const { configuration, problems } = read({
      'traefik.http.routers.a.rule': 'Host(`a`)',
      'traefik.http.routers.a.priority': '1',
      'edgeway.http.routers.a.priority': '2',
      'edgeway.http.routers.a.edge.local': 'true',
    });
    expect(problems).toEqual([]);
    expect(configuration.http?.routers?.a).toEqual({ rule: 'Host(`a`)', priority: 2, edge: { local: true } });
  });

  it.each([
    [
      'weighted',
      { 'services[0].name': 'a', 'services[0].weight': '3', 'sticky.cookie.name': 'c' },
      { services: [{ name: 'a', weight: 3 }], sticky: { cookie: { name: 'c' } } },
    ],
    ['highestRandomWeight', { 'services[0].name': 'a' }, { services: [{ name: 'a', weight: 1 }] }],
    [
      'mirroring',
      { service: 'a', 'mirrors[0].name': 'b', 'mirrors[0].percent': '10' },
      { service: 'a', mirrors: [{ name: 'b', percent: 10 }] },
    ],
    ['failover', { service: 'a', fallback: 'b' }, { service: 'a', fallback: 'b' }],
  ])('reads a %s service', (kind, options, expected) => {
    const labels = Object.fromEntries(Object.entries(options).map(([name, text]) => [`traefik.http.services.s.${kind}.${name}`, text]));
    expect(read(labels)).toMatchObject({ configuration: { http: { services: { s: { [kind]: expected } } } }, problems: [] });
  });

  it.each([
    ['a list by index', { 'traefik.http.routers.a.entrypoints[0]': 'web' }, 'write entrypoints=web'],
    ['a list of objects without index', { 'traefik.http.routers.a.tls.domains.main': 'a' }, 'write domains[0].main'],
    ['a text that switches off', { 'traefik.http.routers.a.tls': 'yes' }, 'write true or false'],
    ['what labels cannot set', { 'traefik.http.routers.a.parentrefs': 'b' }, 'write it in a file'],
    ['what is deprecated', { 'traefik.http.routers.a.rulesyntax': 'v2' }, 'deprecated'],
  ])('warns of %s', (_, labels, message) => {
    const { problems, warnings } = read(labels);
    expect(problems).toEqual([]);
    expect(warnings.join()).toContain(message);
  });

  it('refuses labels without end', () => {
    const { problems } = read({ [`traefik.http.routers.${'a.'.repeat(500_000)}`]: 'x' });
    expect(problems[0]).toContain('more than 100 parts');
  });

  it('holds for anything', async () => expect(await fuzz(300)).toBeUndefined());
});

describe('encodeLabels', () => {
  it('writes what reads back', () => {
    const { configuration } = decodeLabels({
      'traefik.http.routers.a.rule': 'Host(`a`)',
      'traefik.http.routers.a.tls': 'true',
      'traefik.http.routers.a.tls.domains[0].main': 'a.test',
      'traefik.http.services.a.loadbalancer.healthcheck.interval': '90s',
      'traefik.http.services.a.loadbalancer.server.port': '80',
    });
    const { labels, problems } = encodeLabels(configuration);
    expect(problems).toEqual([]);
    expect(labels['traefik.http.services.a.loadBalancer.healthCheck.interval']).toBe('1m30s');
    expect(decodeLabels(labels).configuration).toEqual(configuration);
  });

  it.each([
    ['two servers', { services: { s: { loadBalancer: { servers: [{ url: 'a' }, { url: 'b' }] } } } }],
    ['a name with a dot', { routers: { 'a.b': { rule: 'x' } } }],
    ['names that differ in letter case', { routers: { a: {}, A: { rule: 'x' } } }],
    ['an item with a comma', { middlewares: { m: { stripPrefixRegex: { regex: ['a{1,2}'] } } } }],
    ['what labels cannot set', { routers: { a: { parentRefs: ['b'] } } }],
    ['what only providers make', { services: { s: { weighted: { services: [{ name: 'a', status: 500 }] } } } }],
  ])('leaves out an object with %s', (_, http) => {
    const { labels, problems } = encodeLabels({ http } as never);
    expect(problems).toHaveLength(1);
    expect(Object.values(labels).filter((text) => text !== '')).toEqual([]);
  });
});
