import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { run } from '../../scripts/vectors/static.ts';
import { describe as print } from '../../src/base/errors.ts';
import { loadStart, loadStatic } from '../../src/config/static-sources.ts';

const load = (words: string[], environment: Record<string, string> = {}, files: Record<string, string> = {}) =>
  loadStatic({ arguments: words, environment, readFile: (path) => files[path.replace(/^\.\//, '')] });

describe('loadStatic', () => {
  it('answers what Traefik answers', async () => {
    const outcome = await run(fileURLToPath(new URL('../vectors/static', import.meta.url)));
    expect(outcome.different).toEqual([]);
    expect(outcome.equal).toBeGreaterThan(110);
  });

  it.each([
    ['a word after an option below a name', ['--entrypoints.web.address', ':81'], { entryPoints: { web: { address: ':81' } } }],
    ['true after a switch', ['--api.insecure', 'true', '--api.debug'], { api: { insecure: true, debug: true } }],
    [
      'a list given twice below a name',
      ['--entrypoints.w.http.middlewares=a', '--entrypoints.w.http.middlewares=b'],
      { entryPoints: { w: { http: { middlewares: ['a', 'b'] } } } },
    ],
    [
      'more than ten indexes',
      [...Array(11).keys()].map((i) => `--entrypoints.w.http.tls.domains[${i}].main=${i}`),
      { entryPoints: { w: { http: { tls: { domains: [...Array(11).keys()].map((i) => ({ main: String(i) })) } } } } },
    ],
  ])('flags: %s', (_, words, expected) => {
    const { configuration, problems } = load(words);
    expect(problems).toEqual([]);
    expect(configuration).toMatchObject(expected);
  });

  it.each([
    ['a word that belongs to nothing', ['--api.insecure', 'false'], "'false' after --api.insecure is no flag; write --api.insecure=false"],
    ['an option nobody knows', ['--entrypoints.web.adress=:80'], "did you mean 'address'?"],
    [
      'docker in Swarm mode',
      ['--providers.docker.swarmmode', '--providers.docker.endpoint=tcp://a:1'],
      "write '--providers.swarm.endpoint=tcp://a:1'",
    ],
    ['a namespace', ['--providers.consul.namespace=x'], "write '--providers.consul.namespaces=x'"],
    ['an unknown entry point at the edge', ['--entrypoints.web.address=:80', '--edge.entrypoints.wep=http'], "did you mean 'web'?"],
    ['a secret is not shown', ['--edge.code=a', '--providers.docker.password.x=geheim'], 'providers.docker.password'],
  ])('refuses %s', (_, words, message) => {
    const { configuration, problems } = load(words);
    expect(configuration).toBeUndefined();
    const text = problems.map(print).join('\n');
    expect(text).toContain(message);
    expect(text).not.toContain('geheim');
  });

  it('says the line to write in the way of the file', () => {
    const { problems } = load([], {}, { 'traefik.yml': 'providers:\n  docker:\n    swarmMode: true\n    network: web\n' });
    expect(problems.map(print)).toEqual([
      "providers.docker.swarmMode (./traefik.yml:3): was removed in version 3, Swarm is a provider of its own; write 'providers.swarm.network: web'",
    ]);
  });

  it('spreads edge over the sources, flags first', () => {
    const { configuration, source } = load(
      ['--edge.site=flag'],
      { EDGEWAY_EDGE_CODE: 'c', TRAEFIK_EDGE_SITE: 'variable', EDGEWAY_EDGE_HUB_URL: 'https://variable' },
      { 'traefik.yml': 'entryPoints: {web: {address: ":80"}}\nedge: {site: file, hub: {url: "https://file"}, entryPoints: {web: http}}\n' },
    );
    expect(source).toEqual({ kind: 'file', path: './traefik.yml' });
    expect(configuration?.edge).toMatchObject({ site: 'flag', code: 'c', hub: { url: 'https://variable' }, entryPoints: { web: 'http' } });
  });

  it('prefers EDGEWAY_ variables', () => {
    const { configuration } = load([], { TRAEFIK_LOG_LEVEL: 'DEBUG', EDGEWAY_LOG_LEVEL: 'WARN' });
    expect(configuration?.log?.level).toBe('WARN');
  });

  it('says which sources are not read beside a file', () => {
    const { warnings } = load(['--ping'], { TRAEFIK_API: 'true' }, { 'traefik.yml': 'log: {}\n' });
    expect(warnings.map((warning) => warning.message)).toEqual([
      'flags are not read because this file is (ping); write them there',
      'variables are not read because this file is (api); write them there',
    ]);
  });

  it('names options that nobody acts on, once, and only those that were written', () => {
    const { warnings } = load([
      '--core.defaultrulesyntax=v2',
      '--entrypoints.web.address=:80',
      '--entrypoints.web.http3',
      '--global.checknewversion=false',
    ]);
    expect(warnings.map(print)).toEqual([
      'core.defaultrulesyntax (command line): is deprecated, rules are written in v3; `migrate` rewrites them too; remove it',
      'entrypoints.web.http3 (command line): is not acted on: HTTP/3 is not served, and advertised nowhere.',
      'global.checknewversion (command line): is not acted on: no such question is asked.',
    ]);
  });

  it('tells the line of a syntax error', () => {
    const { problems } = load([], {}, { 'traefik.yml': 'log: {}\nping: [\n' });
    expect(problems[0]?.place.line).toBeGreaterThan(1);
  });
});

describe('a store that holds the static configuration', () => {
  const keys = (pairs: Record<string, string>) => ({ name: 'redis at r', root: 'edgeway/static', pairs: Object.entries(pairs) });
  const withStore = (pairs: Record<string, string>, words: string[] = [], environment = {}, files: Record<string, string> = {}) =>
    loadStatic({ arguments: words, environment, readFile: (path) => files[path.replace(/^\.\//, '')], store: keys(pairs) });
  const web = { 'edgeway/static/entryPoints/web/address': ':81' };

  it('is asked for wherever edge.bootstrap is said, and nothing else is judged before', () => {
    const url = 'redis://h';
    for (const [loaded, stateDirectory] of [
      [load([`--edge.bootstrap=${url}`]), './edgeway-state'],
      [load([], { EDGEWAY_EDGE_BOOTSTRAP: url, EDGEWAY_EDGE_STATEDIRECTORY: '/state' }), '/state'],
      [load([], {}, { 'traefik.yml': `edge: {bootstrap: "${url}", stateDirectory: here}` }), 'here'],
    ] as const)
      expect([loaded.bootstrap, loaded.configuration, loaded.problems]).toEqual([{ url, stateDirectory }, undefined, []]);
  });

  it('is read as flags are', () => {
    const { configuration, problems, source } = withStore({
      ...web,
      'edgeway/static/entrypoints/web/http/middlewares/0': 'a@file',
      'edgeway/static/entryPoints/web/http/middlewares/1': 'b@file',
      'edgeway/static/providers/redis': 'true',
      'edgeway/static/log/level': 'DEBUG',
      'edgeway/staticx/log/level': 'no',
    });
    expect(problems).toEqual([]);
    expect(source).toEqual({ kind: 'store', path: 'redis at r' });
    expect(configuration).toMatchObject({
      entryPoints: { web: { address: ':81', http: { middlewares: ['a@file', 'b@file'] } } },
      providers: { redis: { endpoints: ['127.0.0.1:6379'] } },
      log: { level: 'DEBUG' },
    });
  });

  it('comes after flags and variables', () => {
    const { configuration } = withStore(
      { ...web, 'edgeway/static/edge/site': 'store', 'edgeway/static/log/level': 'DEBUG' },
      ['--log.level=ERROR'],
      {
        TRAEFIK_ENTRYPOINTS_WEB_ADDRESS: ':82',
        EDGEWAY_EDGE_SITE: 'variable',
      },
    );
    expect(configuration).toMatchObject({ log: { level: 'ERROR' }, entryPoints: { web: { address: ':82' } }, edge: { site: 'variable' } });
  });

  it.each<[string, Record<string, string>, Record<string, string>, string]>([
    ['nothing in it', {}, {}, "has no static configuration below 'edgeway/static/'"],
    ['a wrong name', { 'edgeway/static/entryPoints/web/adress': ':80' }, {}, "did you mean 'address'?"],
    ['a file beside it', web, { 'traefik.yml': 'entryPoints: {web: {address: ":80"}}' }, 'says more than edge, and so does redis at r'],
    ['a removed option', { ...web, 'edgeway/static/providers/docker/swarmMode': 'true' }, {}, "write 'providers/swarm"],
  ])('is refused with %s', (_, pairs, files, message) => {
    const { configuration, problems } = withStore(pairs, [], {}, files);
    expect(configuration).toBeUndefined();
    expect(problems.map(print).join('\n')).toContain(message);
  });
});

it('refuses to start with a PROXY protocol that believes nobody', () => {
  const { problems } = loadStart({ arguments: ['--entrypoints.web.proxyProtocol'], environment: {}, readFile: () => undefined });
  expect(problems.map(print)).toEqual([expect.stringContaining('write trustedIPs, or insecure: true')]);
});
