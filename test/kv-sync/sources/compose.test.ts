import { describe, expect, it } from 'vitest';
import { parseDocument } from '../../../src/config/document.ts';
import { readCompose } from '../../../src/kv-sync/sources/compose.ts';

const read = (text: string, environment: Record<string, string> = {}, root = 'traefik') =>
  readCompose(parseDocument(text, 'yaml', 'stack.yml'), root, environment);
const service = (labels: string, more = ''): string => `services:\n  shop:\n    image: shop\n${more}    labels:\n${labels}`;
const ROUTER = '      - traefik.http.routers.shop.rule=Host(`shop.test`)\n';

describe('readCompose', () => {
  it('makes of labels what the Docker provider makes of a container', () => {
    const { parts, warnings } = read(service(ROUTER, '    expose: [8080]\n'));
    expect(warnings).toEqual([]);
    expect(parts).toMatchObject([
      {
        provider: 'docker',
        problems: [],
        configuration: {
          http: {
            routers: { shop: { rule: 'Host(`shop.test`)', service: 'shop' } },
            services: { shop: { loadBalancer: { servers: [{ url: 'http://shop:8080' }] } } },
          },
        },
      },
    ]);
    expect(parts[0]!.places.get('http.routers.shop')).toEqual({ source: 'stack.yml', line: 6 });
  });

  it.each([
    ['the port of a label', '      - traefik.http.services.s.loadbalancer.server.port=81\n', 'http://shop:81'],
    ['the port inside of a mapping', '', 'http://shop:80'],
  ])('knows %s', (_, labels, url) => {
    const { parts } = read(service(ROUTER + labels, '    ports: ["8000:80"]\n'));
    expect(Object.values(parts[0]!.configuration.http!.services!)).toMatchObject([{ loadBalancer: { servers: [{ url }] } }]);
  });

  it.each([
    ['without a label of ours', service('      - other=x\n')],
    ['that are switched off', service(`${ROUTER}      - traefik.enable=false\n`)],
  ])('leaves services out %s', (_, text) => {
    expect(read(text).parts.flatMap(({ configuration }) => Object.keys(configuration))).toEqual([]);
  });

  it('reads labels below deploy as those of a Swarm', () => {
    const { parts } = read('services: { shop: { deploy: { labels: { traefik.http.routers.a.rule: Host(`a`) } } } }');
    expect(parts).toMatchObject([{ provider: 'swarm', configuration: { http: { routers: { a: { service: 'shop' } } } } }]);
  });

  it('names the line of a bad label', () => {
    const { parts } = read(service(`${ROUTER}      - traefik.http.routers.shop.prioritty=1\n`));
    expect(parts[0]!.problems).toMatchObject([{ place: { source: 'stack.yml', line: 6, object: 'http.routers.shop' } }]);
  });

  it.each([
    [`$${'{DOMAIN}'}`, 'b.test', []],
    [`$${'{OTHER:-c.test}'}`, 'c.test', []],
    ['$$x', '$x', []],
    [`$${'{OTHER}'}`, `$${'{OTHER}'}`, [5]],
  ])('takes %s from the environment, as %s', (written, value, lines) => {
    const { parts, warnings } = read(service(`      - traefik.http.routers.r.rule=Path(\`/${written}\`)\n`), { DOMAIN: 'b.test' });
    expect(parts[0]!.configuration.http!.routers!.r!.rule).toBe(`Path(\`/${value}\`)`);
    expect(warnings.map(({ place }) => place.line)).toEqual(lines);
  });

  it('reads labels of another root', () => {
    const { parts } = read(
      service('      - edge.http.routers.r.rule=Host(`r`)\n      - traefik.http.routers.no.rule=Host(`no`)\n'),
      {},
      'edge',
    );
    expect(Object.keys(parts[0]!.configuration.http!.routers!)).toEqual(['r']);
  });
});
