import { describe, expect, it } from 'vitest';
import { type FoldOptions, fold } from '../../src/config/fold.ts';
import type { RuntimeConfiguration } from '../../src/config/runtime.ts';
import { runtimeOf } from '../support/runtime.ts';

const AGENT: FoldOptions = { entryPoints: { web: 'http', websecure: 'https' }, agent: {} };
const BLOG = `
http:
  routers:
    blog: { rule: "Host(\`blog.test\`)", service: blog, middlewares: [strip] }
    hidden: { rule: "Host(\`hidden.test\`)", service: hidden, entryPoints: [private] }
  services:
    blog: { loadBalancer: { servers: [{ url: "http://10.1.2.3:8080" }, { url: "http://10.1.2.4:8080" }] } }
    hidden: { loadBalancer: { servers: [{ url: "http://10.9.9.9" }] } }
  middlewares:
    strip: { stripPrefix: { prefixes: [/blog] } }
    unused: { stripPrefix: { prefixes: [/x] } }
`;

describe('what becomes public', () => {
  it('is routers of named entry points, with what they need; addresses of servers stay', () => {
    const { objects, hosts, notes } = fold(runtimeOf(BLOG), AGENT);
    expect(Object.keys(objects.routers)).toEqual(['blog@file']);
    expect(objects.routers['blog@file']).toMatchObject({
      config: { entryPoints: ['http'], service: 'blog@file', middlewares: ['strip@file'] },
    });
    expect(objects.services).toEqual({ 'blog@file': { config: {}, folded: { weight: 1, digest: expect.anything() } } });
    expect(objects.middlewares).toEqual({ 'strip@file': { kind: 'stripPrefix', options: { prefixes: ['/blog'] } } });
    expect(hosts).toEqual(['blog.test']);
    expect(notes).toEqual([]);
    expect(JSON.stringify(objects)).not.toContain('10.');
  });

  it('is nothing where no entry point is named', () => {
    const { objects, hosts } = fold(runtimeOf(BLOG), { entryPoints: {}, agent: {} });
    expect(objects).toEqual({ routers: {}, services: {}, middlewares: {}, serversTransports: {} });
    expect(hosts).toEqual([]);
  });

  it('is the same when a server comes or goes', () => {
    const fewer = runtimeOf(BLOG.replace(', { url: "http://10.1.2.4:8080" }', ''));
    expect(reveal(fold(fewer, AGENT).objects)).toEqual(reveal(fold(runtimeOf(BLOG), AGENT).objects));
  });

  it('is different when an option of the load balancer changes', () => {
    const sticky = runtimeOf(
      BLOG.replace('{ servers: [{ url: "http://10.1.2.3', '{ sticky: { cookie: { name: c } }, servers: [{ url: "http://10.1.2.3'),
    );
    const { objects } = fold(sticky, AGENT);
    expect(objects.services['blog@file']).toMatchObject({ folded: { stickyCookie: 'c_site' } });
    expect(reveal(objects)).not.toEqual(reveal(fold(runtimeOf(BLOG), AGENT).objects));
  });

  const one = (router: string, more = ''): RuntimeConfiguration =>
    runtimeOf(`
http:
  routers:
    r: { service: s, ${router} }
    ${more}
  services: { s: { loadBalancer: { servers: [{ url: "http://10.0.0.1" }] } } }
tls: { options: { strict: { sniStrict: true } } }
`);

  it.each([
    ['plain on http', 'rule: "Host(`a.test`)", entryPoints: [web]', ['http']],
    ['tls on https', 'rule: "Host(`a.test`)", entryPoints: [websecure], tls: {}', ['https']],
    ['plain on an entry point without any TLS router, https at the edge', 'rule: "Host(`a.test`)", entryPoints: [websecure]', ['https']],
    ['plain on both', 'rule: "Host(`a.test`)", entryPoints: [web, websecure, other]', ['http', 'https']],
    ['tls on both', 'rule: "Host(`a.test`)", entryPoints: [web, websecure], tls: {}', ['https']],
    ['tls on http', 'rule: "Host(`a.test`)", entryPoints: [web], tls: {}', undefined],
  ])('%s', (_, router, schemes) => {
    const { objects } = fold(one(router), AGENT);
    expect((objects.routers['r@file'] as { config?: { entryPoints: string[] } })?.config?.entryPoints).toEqual(schemes);
  });

  it('is not a router without tls where others on its entry point have it', () => {
    const { objects, notes } = fold(
      one(
        'rule: "Host(`a.test`)", entryPoints: [web, websecure]',
        'tls: { rule: "Host(`b.test`)", service: s, entryPoints: [websecure], tls: {} }',
      ),
      AGENT,
    );
    expect(objects.routers['r@file']).toMatchObject({ config: { entryPoints: ['http'] } });
    expect(notes).toEqual([{ object: 'http.routers.r@file', message: expect.stringContaining('write tls: {}') }]);
  });

  it.each([
    ['Host(`b.test`) || Host(`a.test`)', ['a.test', 'b.test']],
    ['Host(`*.a.test`) && PathPrefix(`/x`)', ['*.a.test']],
    ['PathPrefix(`/x`)', ['*']],
    ['!Host(`a.test`)', ['*']],
    ['HostRegexp(`^a`)', ['*']],
  ])('the hosts of %s are told', (rule, hosts) => {
    expect(fold(one(`rule: "${rule}"`), AGENT).hosts).toEqual(hosts);
  });

  it.each([
    ['RequireAndVerifyClientCert', true],
    ['RequireAnyClientCert', true],
    ['VerifyClientCertIfGiven', undefined],
    ['NoClientCert', undefined],
    ['', true],
  ])('a router whose TLS options say %j is marked: %j', (clientAuthType, marked) => {
    const runtime = one('rule: "Host(`a.test`)", entryPoints: [websecure], tls: { options: strict }');
    Object.assign(runtime.tls.options['strict@file']!, { clientAuth: { clientAuthType, caFiles: ['ca.pem'] } });
    expect(fold(runtime, AGENT).objects.routers['r@file']).toMatchObject(
      marked === undefined ? { config: {} } : { clientCertificate: marked },
    );
    expect('clientCertificate' in fold(runtime, AGENT).objects.routers['r@file']!).toBe(marked === true);
  });

  it('a router whose TLS options nobody knows is marked', () => {
    const router = 'rule: "Host(`a.test`)", entryPoints: [websecure], tls: { options: gone }, middlewares: [elsewhere@central]';
    expect(fold(one(router), AGENT).objects.routers['r@file']).toMatchObject({ clientCertificate: true });
  });

  it('the default TLS options count too', () => {
    const runtime = one('rule: "Host(`a.test`)", entryPoints: [websecure], tls: {}');
    Object.assign(runtime.tls.options, { default: { clientAuth: { clientAuthType: 'RequireAnyClientCert' } } });
    expect(fold(runtime, AGENT).objects.routers['r@file']).toMatchObject({ clientCertificate: true });
  });
});

describe('what stays at the agent', () => {
  it('is whatever is internal', () => {
    const runtime = runtimeOf(
      'http: { routers: { api: { rule: "Host(`api.test`)", service: api@internal } } }',
      'entryPoints: { web: { address: ":80" } }\nping: { entryPoint: web }\napi: {}\n',
    );
    const { objects, notes } = fold(runtime, AGENT);
    expect(objects.routers).toEqual({});
    expect(notes).toEqual([{ object: 'http.routers.api@file', message: expect.stringContaining("'api@internal'") }]);
  });

  it('is a disabled router, but for names that another publisher may have', () => {
    const runtime = runtimeOf(`
http:
  routers:
    elsewhere: { rule: "Host(\`a.test\`)", service: s, middlewares: [auth@central] }
    broken: { rule: "Host(\`b.test\`)", service: s, middlewares: [bad, auth@central] }
    wrong: { rule: "Hos(\`c.test\`)", service: s }
  services: { s: { loadBalancer: { servers: [{ url: "http://10.0.0.1" }] } } }
  middlewares: { bad: { chain: { middlewares: [bad] } } }
`);
    expect(Object.keys(fold(runtime, AGENT).objects.routers)).toEqual(['elsewhere@file']);
  });

  it('is a router behind a redirection of the whole entry point', () => {
    const runtime = runtimeOf(
      BLOG,
      `entryPoints:
  web: { address: ":80", http: { redirections: { entryPoint: { to: websecure } } }, asDefault: true }
  websecure: { address: ":443" }
  private: { address: ":8000" }`,
    );
    const { objects, notes } = fold(runtime, AGENT);
    expect(objects.routers).toEqual({});
    expect(notes).toEqual([{ object: 'http.routers.blog@file', message: expect.stringContaining('Always Use HTTPS') }]);
  });

  it('is a word that cannot run at the edge: the edge gets its fingerprint', () => {
    const { objects } = fold(
      runtimeOf(`
http:
  routers: { r: { rule: "Host(\`a.test\`)", service: s, middlewares: [few, auth] } }
  services: { s: { loadBalancer: { servers: [{ url: "http://10.0.0.1" }] } } }
  middlewares:
    few: { inFlightReq: { amount: 5 } }
    auth: { forwardAuth: { address: "http://192.168.7.7/auth" } }
`),
      AGENT,
    );
    expect(objects.middlewares['auth@file']).toEqual({ kind: 'forwardAuth', withheld: expect.any(String), digest: expect.anything() });
    expect(JSON.stringify(objects)).not.toContain('192.168');
    expect(objects.middlewares['few@file']).toMatchObject({ kind: 'inFlightReq', withheld: expect.stringContaining('counts') });
    expect(JSON.stringify(objects)).not.toContain('amount');
  });

  it('counting words are published for a router with edge.local', () => {
    const { objects } = fold(
      runtimeOf(`
http:
  routers:
    far: { rule: "Host(\`b.test\`)", service: s, middlewares: [both] }
    near: { rule: "Host(\`a.test\`)", service: s, middlewares: [both], edge: { local: true } }
  services: { s: { loadBalancer: { servers: [{ url: "http://10.0.0.1" }] } } }
  middlewares:
    both: { chain: { middlewares: [few] } }
    few: { inFlightReq: { amount: 5 } }
`),
      AGENT,
    );
    expect(objects.middlewares['few@file']).toMatchObject({ kind: 'inFlightReq', options: { amount: 5 }, withheld: expect.any(String) });
  });

  it('mirrors and fail-overs as a whole; weighted services are divided at the edge', () => {
    const runtime = runtimeOf(
      `
http:
  routers:
    a: { rule: "Host(\`a.test\`)", service: split }
    b: { rule: "Host(\`b.test\`)", service: twice }
  services:
    split: { weighted: { services: [{ name: one, weight: 3 }, { name: two }] } }
    twice: { mirroring: { service: one, mirrors: [{ name: two, percent: 10 }] } }
    one: { loadBalancer: { servers: [{ url: "http://10.0.0.1" }] } }
    two: { loadBalancer: { servers: [{ url: "http://10.0.0.2" }] } }
`.replace('weighted', 'weighted'),
    );
    const { objects } = fold(runtime, AGENT);
    expect(objects.services['split@file']).toMatchObject({
      config: { weighted: { services: [{ name: 'one', weight: 3 }, { name: 'two' }] } },
    });
    expect(objects.services['twice@file']).toMatchObject({ config: {}, folded: { weight: 1 } });
    expect(Object.keys(objects.services).sort()).toEqual(['one@file', 'split@file', 'twice@file', 'two@file']);
  });
});

describe('direct services', () => {
  const direct = (url: string, edge = 'edge: { direct: true },') =>
    runtimeOf(`
http:
  routers: { r: { rule: "Host(\`a.test\`)", service: s } }
  services: { s: { ${edge} loadBalancer: { servers: [{ url: "${url}" }], healthCheck: { path: /up }, serversTransport: t } } }
  serversTransports: { t: { insecureSkipVerify: true, rootCAs: [ca.pem], forwardingTimeouts: { dialTimeout: 5s } } }
`);

  it.each([
    ['with edge.direct', AGENT, undefined],
    ['without an agent', { entryPoints: AGENT.entryPoints }, ''],
  ])('keep their servers %s', (_, options, edge) => {
    const { objects } = fold(direct('https://origin.example.com:8443', edge), options);
    expect(objects.services['s@file']).toMatchObject({
      config: { loadBalancer: { passHostHeader: false, servers: [{ url: 'https://origin.example.com:8443' }] } },
    });
    expect(JSON.stringify(objects)).not.toMatch(/healthCheck|ca\.pem|insecure/);
    expect(objects.serversTransports['t@file']).toMatchObject({ config: { forwardingTimeouts: { dialTimeout: '5s' } } });
  });

  it.each([
    'http://10.0.0.1',
    'http://[fd00::1]:80',
    'http://web:8080',
    'http://db.internal',
    'http://x.svc.cluster.local',
    'h2c://origin.example.com',
  ])('that a Worker cannot reach are broken, and %s is not told', (url) => {
    const { objects, notes } = fold(direct(url), AGENT);
    expect(objects.services['s@file']).toEqual({ broken: expect.stringContaining('A Worker cannot reach') });
    expect(notes).toEqual([{ object: 'http.services.s@file', message: expect.stringContaining('write a public host name') }]);
    expect(JSON.stringify({ objects, notes })).not.toContain(url.replace('h2c://', ''));
  });

  it('an agent is needed where a chain cannot run at the edge', () => {
    const { objects, notes } = fold(
      runtimeOf(`
http:
  routers:
    far: { rule: "Host(\`a.test\`)", service: s, middlewares: [few] }
    near: { rule: "Host(\`b.test\`)", service: s, middlewares: [few], edge: { local: true } }
  services: { s: { loadBalancer: { servers: [{ url: "https://origin.example.com" }] } } }
  middlewares: { few: { inFlightReq: { amount: 5 } } }
`),
      { entryPoints: AGENT.entryPoints },
    );
    expect(Object.keys(objects.routers)).toEqual(['near@file']);
    expect(notes).toEqual([{ object: 'http.routers.far@file', message: expect.stringContaining('needs an agent') }]);
  });
});

describe('the limit', () => {
  const many = (count: number): RuntimeConfiguration => {
    const runtime = runtimeOf(BLOG);
    const { config, ...rest } = runtime.http.routers['blog@file']!;
    const routers = Object.fromEntries(
      Array.from({ length: count }, (_, i) => [`r${i}@file`, { ...rest, config: { ...config, rule: `Host(\`h${i}.test\`)` } }]),
    );
    return { ...runtime, http: { ...runtime.http, routers } };
  };

  it('is 10,000 routers', () => {
    expect(fold(many(10_000), AGENT).hosts).toHaveLength(10_000);
    expect(() => fold(many(10_001), AGENT)).toThrow(/10001 routers .* 10000; publish fewer/);
  });
});

/** With the values behind the fingerprints. */
const reveal = (objects: unknown): unknown =>
  JSON.parse(
    JSON.stringify(objects, (_, value) =>
      typeof value?.digest?.reveal === 'function' ? { ...value, digest: value.digest.reveal() } : value,
    ),
  );
