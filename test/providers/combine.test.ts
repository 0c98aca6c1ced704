import { describe, expect, it } from 'vitest';
import type { DynamicConfiguration } from '../../src/config/dynamic.ts';
import { combine } from '../../src/providers/combine.ts';

/** Parts by name, each the HTTP section. */
const combineHttp = (parts: Record<string, object>) =>
  combine(Object.entries(parts).map(([name, http]) => ({ name, configuration: { http } as DynamicConfiguration })));

const service = (...servers: object[]) => ({ services: { s: { loadBalancer: { passHostHeader: true, servers } } } });
const serversOf = ({ configuration }: ReturnType<typeof combine>) => configuration.http?.services?.s?.loadBalancer?.servers;

describe('combine', () => {
  it.each<[string, object[], object[], object[]]>([
    ['joins servers', [{ url: 'a' }], [{ url: 'b' }], [{ url: 'a' }, { url: 'b' }]],
    ['keeps the first of two with one address', [{ url: 'a', weight: 1 }], [{ url: 'a', weight: 2 }], [{ url: 'a', weight: 1 }]],
    ['takes a live server before one that stops, on the same address', [{ url: 'a', fenced: true }], [{ url: 'a' }], [{ url: 'a' }]],
    ['leaves a live server alive', [{ url: 'a' }], [{ url: 'a', fenced: true }], [{ url: 'a' }]],
    ['joins addresses', [{ address: 'a:1' }], [{ address: 'b:1' }, { address: 'a:1' }], [{ address: 'a:1' }, { address: 'b:1' }]],
    ['takes servers where one has none', [], [{ url: 'b' }], [{ url: 'b' }]],
  ])('%s', (_, first, second, expected) => {
    const combined = combineHttp({ a: service(...first), b: service(...second) });
    expect(serversOf(combined)).toEqual(expected);
    expect(combined.problems).toEqual([]);
  });

  it('visits by name', () => {
    expect(serversOf(combineHttp({ b: service({ url: 'b' }), a: service({ url: 'a' }) }))).toEqual([{ url: 'a' }, { url: 'b' }]);
  });

  it.each<[string, object, object]>([
    ['routers', { routers: { r: { rule: 'a' } } }, { routers: { r: { rule: 'b' } } }],
    ['middlewares', { middlewares: { r: { addPrefix: { prefix: '/a' } } } }, { middlewares: { r: { addPrefix: { prefix: '/b' } } } }],
    [
      'services that differ in more than servers',
      { services: { r: { loadBalancer: { passHostHeader: true } } } },
      { services: { r: { loadBalancer: { passHostHeader: false } } } },
    ],
    ['services of different kinds', { services: { r: { loadBalancer: {} } } }, { services: { r: { weighted: {} } } }],
  ])('drops %s that are not the same, and says who has them', (_, first, second) => {
    const { configuration, problems } = combineHttp({ a: first, b: second, c: first, good: { routers: { good: { rule: 'g' } } } });
    expect(configuration).toEqual({ http: { routers: { good: { rule: 'g' } } } });
    expect(problems).toHaveLength(1);
    expect(problems[0]!.message).toContain("'r' is not the same in a, b, c, so nobody has it");
    expect(problems[0]!.place.object).toMatch(/^http\.\w+\.r$/);
  });

  it('takes equal objects once, and names like __proto__ as they are', () => {
    const routers = JSON.parse('{"__proto__": {"rule": "a"}}') as object;
    const { configuration } = combineHttp({ a: { routers }, b: { routers } });
    expect(Object.keys(configuration.http!.routers!)).toEqual(['__proto__']);
  });

  it('shortens a long list of owners', () => {
    const parts = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`c${i}`, { routers: { r: { rule: String(i) } } }]));
    expect(combineHttp(parts).problems[0]!.message).toContain('c0, c1, c2, c3 and 5 more');
  });
});
