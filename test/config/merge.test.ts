import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { run } from '../../scripts/vectors/merge.ts';
import { decode } from '../../src/base/decode.ts';
import { ConfigError } from '../../src/base/errors.ts';
import { type DynamicConfiguration, dynamicConfiguration } from '../../src/config/dynamic.ts';
import { createMerger, type Say } from '../../src/config/merge.ts';
import { loadStatic } from '../../src/config/static-sources.ts';

const FLAGS = ['--entrypoints.web.address=:80', '--entrypoints.websecure.address=:443'];

function merger(flags: readonly string[] = []) {
  const { configuration, problems } = loadStatic({ arguments: [...FLAGS, ...flags], environment: {}, readFile: () => undefined });
  expect(problems).toEqual([]);
  return createMerger(configuration!);
}

const say = (tree: object, problems: ConfigError[] = []): Say => ({
  configuration: decode(dynamicConfiguration, tree).value as DynamicConfiguration,
  problems,
});
const server = { loadBalancer: { servers: [{ url: 'http://10.0.0.1' }] } };
const merge = (http: object, flags: readonly string[] = [], problems: ConfigError[] = []) =>
  merger(flags).merge(new Map([['file', say({ http }, problems)]]));
const errorsOf = (objects: Readonly<Record<string, { readonly status: string; readonly errors: readonly string[] }>>, name: string) => [
  objects[name]?.status,
  ...(objects[name]?.errors ?? []),
];

describe('createMerger', () => {
  it('answers what Traefik answers', async () => {
    const { equal, different } = await run(fileURLToPath(new URL('../vectors/merge', import.meta.url)));
    expect(different).toEqual([]);
    expect(equal).toBeGreaterThan(50);
  });

  it('shows what a provider refused, and disables what uses it', () => {
    const { http } = merge(
      { routers: { r: { rule: 'Host(`a`)', service: 's' }, ok: { rule: 'Host(`b`)', service: 't' } }, services: { t: server } },
      [],
      [
        new ConfigError('config.bad-value', 'weight is no whole number', { source: 'a.yml', line: 7, object: 'http.services.s' }),
        new ConfigError('config.unknown-option', 'no option here', { object: 'http.routers.gone' }),
      ],
    );
    expect(errorsOf(http.services, 's@file')).toEqual(['disabled', 'weight is no whole number (a.yml:7)']);
    expect(errorsOf(http.routers, 'gone@file')).toEqual(['disabled', 'no option here']);
    expect(errorsOf(http.routers, 'r@file')).toEqual(['disabled', "The service 's@file' is broken: weight is no whole number (a.yml:7)"]);
    expect(errorsOf(http.routers, 'ok@file')).toEqual(['enabled']);
  });

  it.each([
    [
      'a circle of services',
      { a: { weighted: { services: [{ name: 'b' }] } }, b: { weighted: { services: [{ name: 'a' }] } } },
      'a',
      'contains itself: a@file → b@file → a@file',
    ],
    [
      'a service that needs the health of another',
      { a: { failover: { service: 'b', fallback: 'b' } }, b: server },
      'a',
      "'b@file' has no healthCheck",
    ],
    [
      'fail-over by status',
      { a: { failover: { service: 'b', fallback: 'b', errors: { status: ['500-599'] } } }, b: server },
      'a',
      undefined,
    ],
    ['an address without scheme', { a: { loadBalancer: { servers: [{ url: '10.0.0.1:80' }] } } }, 'a', 'write http://10.0.0.1:80'],
    ['an unknown strategy', { a: { loadBalancer: { strategy: 'wrrr', servers: [{ url: 'http://a' }] } } }, 'a', "did you mean 'wrr'?"],
    ['a transport that nobody asks for', { a: { loadBalancer: { serversTransport: 'x', servers: [] } } }, 'a', undefined],
  ])('judges services: %s', (_, services, name, message) => {
    const { http } = merge({ routers: { r: { rule: 'Path(`/`)', service: name } }, services });
    const [status, ...errors] = errorsOf(http.services, `${name}@file`);
    expect(status).toBe(message === undefined ? 'enabled' : 'disabled');
    if (message !== undefined) expect(errors.join('\n')).toContain(message);
    expect(http.routers['r@file']!.status).toBe(status);
  });

  it('warns of addresses that fail at run time', () => {
    const { http } = merge({ services: { a: { loadBalancer: { servers: [{ url: 'ftp://a' }] } } } });
    expect(errorsOf(http.services, 'a@file')).toEqual([
      'warning',
      "The address 'ftp://a' of a server is no http://host:port; its requests fail",
    ]);
  });

  it('ends in an error where services stand too deep', () => {
    const services: Record<string, object> = {};
    for (let i = 19_999; i > 0; i--) services[`s${i}`] = { weighted: { services: [{ name: `s${i - 1}` }] } };
    const { http } = merge({ services: { ...services, s0: server } });
    expect(errorsOf(http.services, 's19999@file')[1]).toContain('deep within others');
    expect(http.services['s50@file']!.status).toBe('enabled');
    expect(Object.keys(http.services)).toHaveLength(20_001);
  });

  it('follows a long line of parents', () => {
    const routers: Record<string, object> = { r0: { rule: 'Path(`/`)' } };
    for (let i = 1; i < 5_000; i++)
      routers[`r${i}`] = { rule: 'Path(`/`)', parentRefs: [`r${i - 1}`], ...(i === 4_999 && { service: 's' }) };
    const { http } = merge({ routers, services: { s: server } });
    expect(Object.values(http.routers).every(({ status }) => status === 'enabled')).toBe(true);
  });

  it('cuts circles of routers', () => {
    const { http } = merge({
      routers: {
        root: { rule: 'PathPrefix(`/`)' },
        a: { rule: 'PathPrefix(`/a`)', parentRefs: ['root', 'b'] },
        b: { rule: 'PathPrefix(`/b`)', parentRefs: ['a'] },
        c: { rule: 'PathPrefix(`/c`)', parentRefs: ['b'], service: 's' },
      },
      services: { s: server },
    });
    expect(errorsOf(http.routers, 'b@file')).toEqual(['warning', 'The routers form a circle, which is cut here: a@file → b@file → a@file']);
    expect(http.routers['a@file']!.config.parentRefs).toEqual(['root@file']);
  });

  it('names the parts of split parents', () => {
    const { http } = merge(
      {
        routers: { top: { rule: 'PathPrefix(`/`)' }, low: { rule: 'Path(`/a`)', service: 's', parentRefs: ['top', 'nope'] } },
        services: { s: server },
      },
      ['--entrypoints.web.http.tls'],
    );
    expect(http.routers['low@file']!.config.parentRefs).toEqual(['web-top@file', 'top@file', 'nope@file']);
    expect(errorsOf(http.routers, 'low@file')).toEqual(['disabled', "There is no router 'nope@file', which parentRefs names"]);
  });

  it('follows parents that a conflict of TLS options renamed, and lets them keep a service', () => {
    const { http } = merger().merge(
      new Map([
        [
          'file',
          say({
            http: {
              routers: {
                top: { rule: 'Host(`x`)', tls: { options: 'o' }, service: 's' },
                other: { rule: 'Host(`x`)', tls: {}, service: 's' },
                low: { rule: 'Path(`/a`)', service: 's', parentRefs: ['top'] },
              },
              services: { s: server },
            },
            tls: { options: { o: { sniStrict: true } } },
          }),
        ],
      ]),
    );
    expect(http.routers['low@file']).toMatchObject({
      status: 'enabled',
      config: { parentRefs: ['web-conflicted-top@file', 'websecure-conflicted-top@file'] },
    });
    expect(errorsOf(http.routers, 'web-conflicted-top@file').join()).toContain('is the parent of low@file');
    expect(http.routers['web-conflicted-top@file']!.status).toBe('warning');
  });

  it('keeps two routers apart that would get one name', () => {
    const { http } = merge(
      {
        routers: { r: { rule: 'Path(`/1`)', service: 's' }, 'web-r': { rule: 'Path(`/2`)', service: 's', entryPoints: ['websecure'] } },
        services: { s: server },
      },
      ['--entrypoints.web.http.tls'],
    );
    expect(
      Object.values(http.routers)
        .map(({ config }) => config.rule)
        .sort(),
    ).toEqual(['Path(`/1`)', 'Path(`/1`)', 'Path(`/2`)']);
    expect(http.routers['web-r@file']!.config.rule).toBe('Path(`/2`)');
    expect(http.routers['web-r-2@file']!.config.entryPoints).toEqual(['web']);
  });

  it('says what a redirection lacks', () => {
    const { http } = merge({}, ['--entrypoints.web.http.redirections.entrypoint.to=websecur']);
    expect(errorsOf(http.routers, 'web-to-websecur@internal')).toEqual([
      'disabled',
      "The redirection of the entry point 'web' names 'websecur', which does not exist; write an entry point or ':443'",
    ]);
  });

  it('leaves ACME paths to the user where the entry point says so', () => {
    const flags = ['--certificatesresolvers.le.acme.httpchallenge.entrypoint=web'];
    expect(merge({}, flags).http.routers['acme-http@internal']!.config.priority).toBe(2n ** 63n - 1n);
    const bypass = merge({}, [
      ...flags,
      '--entrypoints.web.allowacmebypass',
      '--entrypoints.web.http.redirections.entrypoint.to=websecure',
    ]);
    expect(bypass.http.routers['acme-http-bypass@internal']!.config.priority).toBe(42);
    expect(bypass.http.routers['web-to-websecure@internal']!.config.rule).toContain('!PathPrefix(`/.well-known/acme-challenge/`)');
  });

  it('refuses priorities that are ours', () => {
    const { http } = merge({
      routers: { r: { rule: 'Path(`/`)', service: 's', priority: 9223372036854775807n } },
      services: { s: server },
    });
    expect(http.routers['r@file']).toMatchObject({ status: 'disabled', errors: [expect.stringContaining('9223372036854775807')] });
  });

  it('says of what stays as it was why it does not change, until it does', () => {
    const { merge: again } = merger();
    const tree = {
      http: {
        routers: { r: { rule: 'Path(`/`)', service: 's', middlewares: ['m'], tls: {} } },
        services: { s: server },
        middlewares: { m: { inFlightReq: { amount: 10 } } },
      },
      tls: { options: { default: { sniStrict: true } } },
    };
    const problems = ['http.routers.r', 'http.services.s', 'http.middlewares.m', 'tls.options.default'].map(
      (object) => new ConfigError('config.unknown-option', 'x is no option here', { source: 'a.yml', line: 3, object }),
    );
    const sound = again(new Map([['file', say(tree)]]));
    const { http, tls } = again(new Map([['file', say(tree, problems)]]));
    const kept = ['warning', 'Refused, and a sound definition stays in force: x is no option here (a.yml:3)'];
    expect(errorsOf(http.routers, 'r@file')).toEqual(kept);
    expect(errorsOf(http.services, 's@file')).toEqual(kept);
    expect(errorsOf(http.middlewares, 'm@file')).toEqual(kept);
    expect([http.routers['r@file']!.config, tls.options.default]).toEqual([
      sound.http.routers['r@file']!.config,
      { ...tls.options.default, sniStrict: true },
    ]);
    expect(again(new Map([['file', say(tree)]]))).toEqual(sound);
  });

  it('gives the same references for what is the same', () => {
    const { merge: again } = merger(['--entrypoints.websecure.http.tls']);
    const tree = (rule: string) => ({
      http: {
        routers: { r: { rule, service: 's' }, q: { rule: 'Host(`q`)', service: 's', tls: { options: 'o' } } },
        services: { s: server, t: { loadBalancer: { serversTransport: 'x', servers: [{ url: 'http://a' }] } } },
        serversTransports: { x: {} },
      },
      tls: { options: { o: { sniStrict: true } } },
    });
    const one = again(new Map([['file', say(tree('Host(`a`)'))]]));
    const same = again(new Map([['file', say(tree('Host(`a`)'))]]));
    expect(same.http.routers).toBe(one.http.routers);
    expect(same.http.services).toBe(one.http.services);
    expect(same.tls).toBe(one.tls);
    const other = again(new Map([['file', say(tree('Host(`b`)'))]]));
    const changed = Object.keys(other.http.routers).filter((name) => other.http.routers[name] !== one.http.routers[name]);
    expect(changed.sort()).toEqual(['r@file', 'websecure-r@file']);
    expect(other.http.services).toBe(one.http.services);
    const less = again(new Map());
    expect(Object.keys(less.http.routers)).toEqual([]);
    expect(Object.keys(less.http.services)).toEqual(['noop@internal']);
  });

  it('takes a conflict back when its reason is gone', () => {
    const { merge: again } = merger();
    const tree = (second: object) => ({
      http: { routers: { a: { rule: 'Host(`x`)', service: 's', tls: { options: 'o' } }, ...second }, services: { s: server } },
      tls: { options: { o: { sniStrict: true } } },
    });
    const names = (second: object) => Object.keys(again(new Map([['file', say(tree(second))]])).http.routers).sort();
    const conflicting = { b: { rule: 'Host(`x`)', service: 's', tls: {} } };
    expect(names({})).toEqual(['a@file']);
    expect(names(conflicting)).toEqual([
      'web-conflicted-a@file',
      'web-conflicted-b@file',
      'websecure-conflicted-a@file',
      'websecure-conflicted-b@file',
    ]);
    expect(names({})).toEqual(['a@file']);
  });
});

describe('middlewares that need something of a platform', () => {
  const { configuration } = loadStatic({ arguments: FLAGS, environment: {}, readFile: () => undefined });
  const files: Record<string, string> = {};
  const readFile = (path: string): string => {
    if (files[path] !== undefined) return files[path];
    throw new ConfigError('config.io', `'${path}' cannot be read`);
  };
  const http = {
    middlewares: { u: { basicAuth: { usersFile: '/u' } }, l: { rateLimit: { average: 1, redis: { endpoints: ['r:1'] } } } },
    routers: { r: { rule: 'Path(`/`)', service: 's', middlewares: ['u', 'l'] } },
    services: { s: server },
  };
  const said = new Map([['file', say({ http })]]);

  it('are not judged by it where there is none', () => {
    const { middlewares, routers } = createMerger(configuration!).merge(said).http;
    expect([errorsOf(middlewares, 'u@file'), errorsOf(middlewares, 'l@file'), errorsOf(routers, 'r@file')]).toEqual([
      ['enabled'],
      ['enabled'],
      ['enabled'],
    ]);
  });

  it('are judged anew each time where files are read', () => {
    const withFiles = createMerger(configuration!, { platform: { readFile, redis: () => ({ evaluate: async () => 0 }) } });
    expect(errorsOf(withFiles.merge(said).http.middlewares, 'u@file')).toEqual(['disabled', "'/u' cannot be read"]);
    files['/u'] = 'bob:{SHA}x';
    expect(errorsOf(withFiles.merge(said).http.middlewares, 'u@file')).toEqual(['enabled']);
  });
});
