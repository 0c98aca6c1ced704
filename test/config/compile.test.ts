import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CompileInput, compileSnapshot } from '../../src/config/compile.ts';
import type { PublicationObjects } from '../../src/config/publication.ts';
import { canonicalJson } from '../../src/config/snapshot.ts';
import { inputOf } from '../support/publications.ts';

/** A router with a chain of its own and a service. */
const app = ({ rule = 'Host(`a.test`)', name = 'app', prefix = '/x', more = '', service = '' } = {}): string => `
http:
  routers: { ${name}: { rule: "${rule}", service: ${name}, middlewares: [strip]${more} } }
  services: { ${name}: { loadBalancer: { servers: [{ url: "http://10.0.0.1" }]${service} } } }
  middlewares: { strip: { stripPrefix: { prefixes: [${prefix}] } } }
`;

const http = (...inputs: CompileInput[]) => compileSnapshot(inputs).snapshot.http;

describe('one publisher', () => {
  it('becomes routers, a service at its site, and the chain', async () => {
    const { snapshot, conflicts, problems } = compileSnapshot([await inputOf('berlin', app(), { weight: 3 })]);
    expect(problems).toEqual([]);
    expect(conflicts).toEqual([]);
    expect(snapshot).toMatchObject({
      schema: 1,
      sites: { berlin: { agent: 'berlin', link: { type: 'https', address: 'https://berlin.example.com' } } },
      http: {
        routers: {
          'app@file': { entryPoints: ['http'], rule: 'Host(`a.test`)', service: 'app@file', middlewares: ['strip@file'], priority: 14 },
        },
        services: { 'app@file': { sites: { sites: { berlin: { name: 'app@file', weight: 3 } } } } },
        middlewares: { 'strip@file': { stripPrefix: { prefixes: ['/x'] } } },
      },
    });
    expect(snapshot.http.routers['app@file']).not.toHaveProperty('handOver');
    expect(snapshot.http.routers['app@file']).not.toHaveProperty('tls');
  });

  it('a router on both schemes is two', async () => {
    const routers = http(await inputOf('berlin', app({ more: ', entryPoints: [web, websecure]' }))).routers;
    expect(routers['app@file']).toMatchObject({ entryPoints: ['http'] });
    expect(routers['app@file']).not.toHaveProperty('tls');
    expect(routers['https-app@file']).toMatchObject({ entryPoints: ['https'], tls: {}, service: 'app@file' });
  });

  it('keeps priorities beyond what a number holds', async () => {
    const input = await inputOf('berlin', app({ more: ', priority: 9007199254740993' }));
    expect(http(input).routers['app@file']!.priority).toBe(9_007_199_254_740_993n);
  });

  it('a router whose chain cannot run at the edge is handed over, and the chain stays', async () => {
    const yaml = `
http:
  routers: { r: { rule: "Host(\`a.test\`)", service: s, middlewares: [strip, few] } }
  services: { s: { loadBalancer: { servers: [{ url: "http://10.0.0.1" }] } } }
  middlewares: { strip: { stripPrefix: { prefixes: [/x] } }, few: { inFlightReq: { amount: 3 } } }
`;
    const { routers, middlewares, services } = http(await inputOf('berlin', yaml), await inputOf('paris', yaml));
    expect(routers['r@file']).toMatchObject({ handOver: { berlin: 'r@file', paris: 'r@file' } });
    expect(middlewares).toEqual({});
    expect(services).toEqual({});
    const local = http(await inputOf('berlin', yaml.replace('service: s,', 'service: s, edge: { local: true },')));
    expect(local.routers['r@file']).not.toHaveProperty('handOver');
    expect(local.middlewares['few@file']).toEqual({ inFlightReq: { amount: 3 } });
  });

  it('a router that is handed over chooses its site as its service would', async () => {
    const yaml = `
http:
  routers: { r: { rule: "Host(\`a.test\`)", service: s, middlewares: [few] } }
  services: { s: { loadBalancer: { sticky: { cookie: { name: seen } }, servers: [{ url: "http://10.0.0.1" }] } } }
  middlewares: { few: { inFlightReq: { amount: 3 } } }
`;
    const plain = yaml.replace('sticky: { cookie: { name: seen } }, ', '');
    const [heavy, light] = [await inputOf('berlin', yaml, { weight: 3 }), await inputOf('paris', yaml)];
    expect(http(heavy, light).routers['r@file']!.handOverChoice).toEqual({
      weights: { berlin: 3 },
      stickyCookie: expect.stringContaining('seen'),
    });
    expect(http(await inputOf('berlin', plain)).routers['r@file']).not.toHaveProperty('handOverChoice');
  });

  it('a weighted service keeps the names of its children as they were written: cookies are made of them', async () => {
    const yaml = `
http:
  routers: { r: { rule: "Host(\`a.test\`)", service: split } }
  services:
    split: { weighted: { services: [{ name: one, weight: 3 }, { name: two@file, weight: 1 }] } }
    one: { loadBalancer: { servers: [{ url: "http://10.0.0.1" }] } }
    two: { loadBalancer: { servers: [{ url: "http://10.0.0.2" }] } }
`;
    const { services } = http(await inputOf('berlin', yaml));
    expect(services['split@file']).toMatchObject({
      weighted: {
        services: [
          { name: 'one', weight: 3 },
          { name: 'two@file', weight: 1 },
        ],
      },
    });
    expect(Object.keys(services)).toEqual(['one@file', 'split@file', 'two@file']);
  });

  it('children of a router come along, and go with it to the agent', async () => {
    const yaml = (middleware: string): string => `
http:
  routers:
    parent: { rule: "Host(\`a.test\`)" }
    child: { rule: "Path(\`/c\`)", service: s, parentRefs: [parent], middlewares: [m] }
  services: { s: { loadBalancer: { servers: [{ url: "http://10.0.0.1" }] } } }
  middlewares: { m: { ${middleware} } }
`;
    const local = http(await inputOf('berlin', yaml('stripPrefix: { prefixes: [/x] }'))).routers;
    expect(local['child@file']).toMatchObject({ parentRefs: ['parent@file'], entryPoints: [] });
    expect(local['parent@file']).not.toHaveProperty('handOver');
    const far = http(await inputOf('berlin', yaml('inFlightReq: { amount: 1 }'))).routers;
    expect(far).toEqual({ 'parent@file': expect.objectContaining({ handOver: { berlin: 'parent@file' } }) });
  });
});

describe('several publishers', () => {
  it('equal definitions are one, and its service is at both sites', async () => {
    const { routers, services, middlewares } = http(await inputOf('berlin', app()), await inputOf('paris', app(), { weight: 2 }));
    expect(Object.keys(routers)).toEqual(['app@file']);
    expect(Object.keys(middlewares)).toEqual(['strip@file']);
    expect(services['app@file']!.sites!.sites).toEqual({ berlin: { name: 'app@file', weight: 1 }, paris: { name: 'app@file', weight: 2 } });
  });

  it('servers do not count, other options of a load balancer do', async () => {
    const other = app({ service: ', healthCheck: { path: /up }' });
    const { services } = http(await inputOf('berlin', app()), await inputOf('paris', other));
    expect(services['app@file']!.sites!.sites).toEqual({ berlin: { name: 'app@file', weight: 1 } });
    // The router of paris changed as late as that of berlin; its name comes second.
    expect(services['app~paris@file']).toBeUndefined();
  });

  it('unequal definitions stand side by side as the publishers own', async () => {
    const { routers, middlewares, services } = http(
      await inputOf('berlin', app()),
      await inputOf('paris', app({ rule: 'Host(`b.test`)', prefix: '/y' })),
    );
    expect(routers['app@file']).toMatchObject({ rule: 'Host(`a.test`)', middlewares: ['strip@file'] });
    expect(routers['app~paris@file']).toMatchObject({ rule: 'Host(`b.test`)', middlewares: ['strip~paris@file'], service: 'app@file' });
    expect(middlewares['strip@file']).toEqual({ stripPrefix: { prefixes: ['/x'] } });
    expect(middlewares['strip~paris@file']).toEqual({ stripPrefix: { prefixes: ['/y'] } });
    expect(Object.keys(services['app@file']!.sites!.sites)).toEqual(['berlin', 'paris']);
  });

  it('routers that read alike but mean different chains are not the same', async () => {
    const { conflicts } = compileSnapshot([await inputOf('berlin', app()), await inputOf('paris', app({ prefix: '/y' }))]);
    expect(conflicts).toHaveLength(1);
  });

  it('a name that the publisher lacks is looked for across', async () => {
    const central = `
http:
  routers: { c: { rule: "Host(\`c.test\`)", service: c, middlewares: [auth] } }
  services: { c: { loadBalancer: { servers: [{ url: "https://c.example.com" }] } } }
  middlewares: { auth: { stripPrefix: { prefixes: [/central] } } }
`;
    const user = app({ more: '' }).replace('[strip]', '[auth@central]');
    const { snapshot, problems } = compileSnapshot([await inputOf('ci', { central }, { agent: false }), await inputOf('berlin', user)]);
    expect(problems).toEqual([]);
    expect(snapshot.http.routers['app@file']).toMatchObject({ middlewares: ['auth@central'] });
    expect(snapshot.http.routers['app@file']).not.toHaveProperty('handOver');
    expect(snapshot.sites).not.toHaveProperty('ci');
    expect(snapshot.http.services['c@central']).toMatchObject({ loadBalancer: { passHostHeader: false } });
  });

  it('an agent that lacks part of a chain is not asked to run it', async () => {
    const central = `
http:
  routers: { c: { rule: "Host(\`c.test\`)", service: c, middlewares: [few] } }
  services: { c: { loadBalancer: { servers: [{ url: "http://10.0.0.1" }] } } }
  middlewares: { few: { inFlightReq: { amount: 1 } } }
`;
    const { snapshot, problems } = compileSnapshot([
      await inputOf('main', { central }),
      await inputOf('berlin', app().replace('[strip]', '[few@central]')),
    ]);
    expect(Object.keys(snapshot.http.routers)).toEqual(['c@central']);
    expect(problems).toEqual([
      { publisher: 'berlin', object: 'http.routers.app@file', message: expect.stringContaining('no agent has all of it') },
    ]);
  });

  it('a name that the publisher has broken is not replaced by another publisher’s', async () => {
    const paris = await inputOf('paris', app());
    const berlin = await inputOf('berlin', app({ rule: 'Host(`b.test`)' }));
    const { snapshot, problems } = compileSnapshot([breakObject(berlin, 'middlewares', 'strip@file'), paris]);
    expect(Object.keys(snapshot.http.routers)).toEqual(['app@file']);
    expect(problems.map(({ publisher, object }) => [publisher, object])).toEqual([
      ['berlin', 'http.routers.app@file'],
      ['berlin', 'http.middlewares.strip@file'],
    ]);
  });
});

describe('conflicts: the same rule, priority and entry point', () => {
  const at = (sequence: number) => ({ changedAt: () => sequence });
  const other = app({ name: 'other' });

  it.each([
    ['the first', 2, 1, 'app@file'],
    ['the second', 1, 2, 'other@file'],
  ])('%s wins when it changed last', async (_, first, second, winner) => {
    const { snapshot, conflicts } = compileSnapshot([await inputOf('berlin', app(), at(first)), await inputOf('paris', other, at(second))]);
    expect(Object.keys(snapshot.http.routers)).toEqual([winner]);
    const loser = winner === 'app@file' ? 'other@file' : 'app@file';
    expect(conflicts).toEqual([
      {
        entryPoint: 'http',
        rule: 'Host(`a.test`)',
        priority: '14',
        winner: { router: winner, publishers: [winner === 'app@file' ? 'berlin' : 'paris'] },
        losers: [{ router: loser, publishers: [winner === 'app@file' ? 'paris' : 'berlin'] }],
      },
    ]);
  });

  it.each([
    ['another priority', { more: ', priority: 5' }],
    ['another entry point', { more: ', entryPoints: [websecure], tls: {}' }],
    ['another rule', { rule: 'Host(`a.test`) && Path(`/`)' }],
  ])('%s is none', async (_, change) => {
    const { snapshot, conflicts } = compileSnapshot([
      await inputOf('berlin', app()),
      await inputOf('paris', app({ name: 'other', ...change })),
    ]);
    expect(conflicts).toEqual([]);
    expect(Object.keys(snapshot.http.routers)).toHaveLength(2);
  });

  it('on one of two entry points takes only that', async () => {
    const both = app({ name: 'other', more: ', entryPoints: [web, websecure]' });
    const { snapshot, conflicts } = compileSnapshot([await inputOf('berlin', app(), at(2)), await inputOf('paris', both, at(1))]);
    expect(Object.keys(snapshot.http.routers).sort()).toEqual(['app@file', 'https-other@file']);
    expect(conflicts).toHaveLength(1);
  });

  it('within one publisher is none: provider and name decide, as in Traefik', async () => {
    const { snapshot, conflicts } = compileSnapshot([await inputOf('berlin', { file: app(), docker: app({ name: 'other' }) })]);
    expect(conflicts).toEqual([]);
    expect(Object.keys(snapshot.http.routers)).toHaveLength(2);
  });
});

describe('objects that are wrong take no other down', () => {
  const planted = (kind: keyof PublicationObjects, name: string, object: object) => async () => {
    const input = await inputOf('berlin', app());
    return {
      ...input,
      shards: [...input.shards, { routers: {}, services: {}, middlewares: {}, serversTransports: {}, [kind]: { [name]: object } }],
    };
  };
  const router = { rule: 'Host(`z.test`)', entryPoints: ['http'], middlewares: [], service: 'app@file', priority: 9 };

  it.each([
    ['a rule', planted('routers', 'z@x', { config: { ...router, rule: 'Hots(`z`)' } }), "'Hots'"],
    ['an entry point', planted('routers', 'z@x', { config: { ...router, entryPoints: ['web'] } }), "'web' is no entry point of the edge"],
    ['no entry point', planted('routers', 'z@x', { config: { ...router, entryPoints: [] } }), 'on no entry point'],
    ['an unknown option', planted('routers', 'z@x', { config: { ...router, colour: 'red' } }), 'colour'],
    ['a missing service', planted('routers', 'z@x', { config: { ...router, service: 'gone@x' } }), "There is no service 'gone@x'"],
    ['an internal name', planted('routers', 'z@internal', { config: router }), 'never published'],
    [
      'a private server',
      planted('services', 'z@x', { config: { loadBalancer: { servers: [{ url: 'http://10.0.0.1' }] } } }),
      'by its IP address',
    ],
    ['a secret in the clear', planted('middlewares', 'z@x', { kind: 'basicAuth', options: { users: ['joe:pw'] } }), 'in the clear'],
    [
      'a text that looks sealed',
      planted('middlewares', 'z@x', { kind: 'stripPrefix', options: { prefixes: ['sealed:x'] } }),
      "begins with 'sealed:'",
    ],
    [
      'an option of the wrong form',
      planted('middlewares', 'z@x', { kind: 'stripPrefix', options: { forceSlash: 'perhaps' } }),
      'no boolean',
    ],
    ['a weight', planted('services', 'z@x', { config: {}, folded: { weight: -1, digest: 'd' } }), 'weight -1'],
    ['a circle', planted('middlewares', 'z@x', { kind: 'chain', options: { middlewares: ['z'] } }), 'contains itself'],
    ['no form at all', planted('routers', 'z@x', {}), 'on no entry point'],
  ])('%s', async (_, make, message) => {
    const { snapshot, problems } = compileSnapshot([await make()]);
    expect(Object.keys(snapshot.http.routers)).toEqual(['app@file']);
    expect(problems).toEqual([
      { publisher: 'berlin', object: expect.stringMatching(/^http\.\w+\.z@/), message: expect.stringContaining(message) },
    ]);
  });

  it('a publisher without an agent has no folded services', async () => {
    const input = await inputOf('berlin', app());
    const { snapshot, problems } = compileSnapshot([{ ...input, link: undefined }]);
    expect(snapshot.http.routers).toEqual({});
    expect(problems.map(({ object }) => object).sort()).toEqual(['http.routers.app@file', 'http.services.app@file']);
  });
});

describe('the same publications give the same bytes', () => {
  it('in whatever order they and their shards come', async () => {
    const inputs = [
      await inputOf('berlin', app()),
      await inputOf('paris', app({ rule: 'Host(`b.test`)', prefix: '/y' })),
      await inputOf('rome', app({ name: 'other' })),
      await inputOf('oslo', { file: app(), docker: app({ name: 'third', more: ', entryPoints: [web, websecure]' }) }),
      await inputOf('ci', app({ rule: 'Host(`c.test`)' }).replace('http://10.0.0.1', 'https://c.example.com'), { agent: false }),
    ];
    const expected = canonicalJson(compileSnapshot(inputs).snapshot);
    fc.assert(
      fc.property(
        fc.shuffledSubarray(inputs, { minLength: inputs.length }),
        fc.array(fc.nat(), { minLength: 1, maxLength: 9 }),
        (order, keys) => {
          const turned = order.map((input) => ({
            ...input,
            shards: input.shards
              .map((shard, i) => ({ shard, key: keys[i % keys.length]! }))
              .sort((a, b) => a.key - b.key)
              .map(({ shard }) => shard),
          }));
          expect(canonicalJson(compileSnapshot(turned).snapshot)).toBe(expected);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('and publishers that agree need no sequence', async () => {
    const inputs = await Promise.all(['a', 'b', 'c'].map((name, i) => inputOf(name, app(), { changedAt: () => i })));
    const turned = inputs.map((input, i) => ({ ...input, changedAt: () => 10 - i }));
    expect(canonicalJson(compileSnapshot(turned).snapshot)).toBe(canonicalJson(compileSnapshot(inputs).snapshot));
  });
});

describe('size', () => {
  it('10,000 routers of two publishers are compiled in seconds', async () => {
    const [berlin, paris] = [await inputOf('berlin', app()), await inputOf('paris', app())];
    const routers = Object.fromEntries(
      Array.from({ length: 10_000 }, (_, i) => {
        const config = {
          rule: `Host(\`h${i}.test\`)`,
          entryPoints: ['http'],
          middlewares: ['strip@file'],
          service: 'app@file',
          priority: 20,
        };
        return [`r${i}@file`, { config }];
      }),
    );
    const more = () => ({ routers: structuredClone(routers), services: {}, middlewares: {}, serversTransports: {} });
    const inputs = [berlin, paris].map((input) => ({ ...input, shards: [...input.shards, more()] }));
    const before = process.cpuUsage();
    const { snapshot } = compileSnapshot(inputs);
    const { user, system } = process.cpuUsage(before);
    const cpuMs = (user + system) / 1000;
    expect(Object.keys(snapshot.http.routers)).toHaveLength(10_001);
    // A Durable Object has 30 s of CPU for a request.
    expect(cpuMs).toBeLessThan(8_000);
    console.log(`2 × 10,000 routers were compiled in ${Math.round(cpuMs)} ms of CPU`);
  });
});

function breakObject(input: CompileInput, kind: keyof PublicationObjects, name: string): CompileInput {
  return {
    ...input,
    shards: input.shards.map((shard) =>
      name in shard[kind] ? { ...shard, [kind]: { ...shard[kind], [name]: { broken: 'planted' } } } : shard,
    ),
  };
}
