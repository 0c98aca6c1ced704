import { describe, expect, it } from 'vitest';
import { run } from '../../src/cli/check.ts';
import { runCommand } from '../support/command.ts';

const STATIC = `entryPoints:
  web:
    address: ":80"
  websecure:
    address: ":443"
providers:
  file:
    filename: dynamic.yml
`;
const SERVICE = `  services:
    s:
      loadBalancer:
        servers:
          - url: http://10.0.0.1
`;
const routers = (text: string) => `http:\n  routers:\n${text}${SERVICE}`;

describe('check', () => {
  it('finds nothing in a sound configuration', async () => {
    const ran = await runCommand(run, ['traefik.yml'], {
      'traefik.yml': STATIC,
      'dynamic.yml': routers('    r:\n      rule: Host(`a.test`)\n      service: s\n'),
    });
    expect(ran).toMatchObject({ status: 0, stdout: 'No problem found.\n', stderr: '' });
  });

  it('is the static configuration of the folder without any name', async () => {
    const ran = await runCommand(run, [], { 'traefik.yml': `${STATIC}nosuch: 1\nping: {entryPont: web}\n` });
    expect(ran.status).toBe(1);
    expect(ran.stdout).toBe("./traefik.yml:10: error: ping.entryPont is no option here; did you mean 'entryPoint'?\n1 error, 0 warnings\n");
  });

  it.each([
    [
      'an unknown option',
      '    r:\n      rule: Host(`a`)\n      service: s\n      midlewares: [x]\n',
      1,
      "dynamic.yml:6: error: http.routers.r midlewares is no option here; did you mean 'middlewares'?",
    ],
    [
      'a rule',
      '    r:\n      rule: Hots(`a`)\n      service: s\n',
      1,
      'dynamic.yml:3: error: http.routers.r Rule "Hots(`a`)", column 1: unknown matcher \'Hots\'; did you mean Host?',
    ],
    [
      'a reference',
      '    r:\n      rule: Host(`a`)\n      service: t\n',
      1,
      "dynamic.yml:3: error: http.routers.r There is no service 't@file'",
    ],
    [
      'a reference elsewhere',
      '    r:\n      rule: Host(`a`)\n      service: t@docker\n',
      0,
      "dynamic.yml:3: warning: http.routers.r There is no service 't@docker' among what was read",
    ],
    [
      'a covered router',
      '    a:\n      rule: Host(`a`)\n      service: s\n      priority: 99\n    b:\n      rule: Host(`a`) && Path(`/x`)\n      service: s\n',
      0,
      "dynamic.yml:7: warning: http.routers.b never matches, as 'a@file' (priority 99) takes all that it would take; give it a priority above 99",
    ],
    [
      'equal priorities',
      '    a:\n      rule: Host(`a`) && Path(`/x`)\n      service: s\n    b:\n      rule: Host(`a`) && Method(`G`)\n      priority: 23\n      service: s\n',
      0,
      "dynamic.yml:6: warning: http.routers.b has the same priority (23) as 'a@file'",
    ],
    [
      'TLS on a plain entry point',
      '    a:\n      rule: Host(`a`)\n      service: s\n      entryPoints: [web]\n      tls: {}\n',
      0,
      "dynamic.yml:3: warning: http.routers.a takes TLS connections only, but clients speak plain HTTP on the entry point 'web' (:80) and get 404; write entryPoints: [websecure]",
    ],
    [
      'an entry point',
      '    a:\n      rule: Host(`a`)\n      service: s\n      entryPoints: [wep]\n',
      1,
      "dynamic.yml:3: error: http.routers.a There is no entry point 'wep'; known are web, websecure",
    ],
    [
      'a certificate resolver',
      '    a:\n      rule: Host(`a`)\n      service: s\n      entryPoints: [websecure]\n      tls: {certResolver: le}\n',
      0,
      "names the certificate resolver 'le', which does not exist; there is none",
    ],
  ])('names %s', async (_, text, status, line) => {
    const ran = await runCommand(run, ['traefik.yml'], { 'traefik.yml': STATIC, 'dynamic.yml': routers(text) });
    expect(ran.stdout).toContain(line);
    expect(ran.status).toBe(status);
  });

  it('says once what a broken service does to its routers', async () => {
    const text = `http:
  routers:
    a: {rule: Host(\`a\`), service: s}
    b: {rule: Host(\`b\`), service: s}
  services:
    s: {loadBalancer: {servers: [{url: "10.0.0.1:80"}]}}
`;
    const ran = await runCommand(run, ['dynamic.yml'], { 'dynamic.yml': text });
    expect(ran.stdout).toBe(
      "dynamic.yml:6: error: http.services.s The address '10.0.0.1:80' of a server has no scheme; write http://10.0.0.1:80\n1 error, 0 warnings\n",
    );
  });

  it('knows middlewares that nobody uses, chains and entry points apart', async () => {
    const files = {
      'traefik.yml': STATIC.replace('address: ":80"', 'address: ":80"\n    http: {middlewares: [entry@file]}'),
      'dynamic.yml': `${routers('    r:\n      rule: Host(`a.test`)\n      service: s\n      middlewares: [chain]\n')}  middlewares:
    entry: {stripPrefix: {prefixes: [/a]}}
    chain: {chain: {middlewares: [inner]}}
    inner: {stripPrefix: {prefixes: [/b]}}
    lost: {stripPrefix: {prefixes: [/c]}}
`,
    };
    const ran = await runCommand(run, ['traefik.yml'], files);
    expect(ran.stdout).toContain('http.middlewares.lost is used by nobody');
    expect(ran.stdout).toContain('0 errors, 1 warning');
  });

  it('reads labels of compose and stack files', async () => {
    const text = `services:
  blog:
    image: blog
    labels:
      - traefik.http.routers.blog.rule=HostRegexp(\`^blog$$\`)
      - traefik.http.services.blog.loadbalancer.server.port=80x
  shop:
    image: shop
    deploy:
      labels:
        traefik.http.routers.shop.rule: Host(\`shop\`)
        traefik.http.routers.shop.middelwares: a
  off:
    image: off
    labels: {traefik.enable: "false", traefik.http.routers.off.rule: nonsense}
`;
    const ran = await runCommand(run, ['stack.yml'], { 'stack.yml': text });
    expect(ran.stdout.split('\n')).toEqual([
      "stack.yml:6: error: http.services.blog The address 'http://blog:80x' of a server has no port after the colon, but '80x'",
      "stack.yml:12: error: http.routers.shop middelwares is no option here; did you mean 'middlewares'? (service shop)",
      '2 errors, 0 warnings',
      '',
    ]);
  });

  it('reads keys from standard input, as annotations', async () => {
    const keys =
      'traefik/http/routers/a/rule=Host(`a`)\ntraefik/http/routers/a/service=b\ntraefik/http/services/b/loadbalancer/srvers/0/url=http://x\n';
    const ran = await runCommand(run, ['--format=github', '-'], {}, keys);
    expect(ran.stdout).toBe(
      "::error file=<stdin>,line=3,title=http.services.b::http.services.b loadbalancer.srvers is no option here; did you mean 'servers'? (key traefik/http/services/b/loadbalancer/srvers/0/url)\n",
    );
  });

  it('writes JSON', async () => {
    const ran = await runCommand(run, ['--format', 'json', 'dynamic.toml'], {
      'dynamic.toml': '[http.routers.r]\nrule = "Host(`a`"\nservice = "api@internal"\n',
    });
    expect(JSON.parse(ran.stdout)).toMatchObject({
      errors: 1,
      warnings: 0,
      findings: [{ level: 'error', file: 'dynamic.toml', object: 'http.routers.r' }],
    });
  });

  it('warns of options that nobody acts on, and says what replaces removed ones', async () => {
    const ran = await runCommand(run, ['traefik.toml'], {
      'traefik.toml': '[entryPoints.web]\naddress = ":80"\n[entryPoints.web.http3]\n[providers.docker]\nswarmMode = true\n',
    });
    expect(ran.stdout).toContain('traefik.toml:5: error: providers.docker.swarmMode was removed in version 3');
    expect(ran.status).toBe(1);
  });

  it('reads folders, and knows objects that are defined twice', async () => {
    const text = routers('    r:\n      rule: Host(`a.test`)\n      service: s\n');
    const ran = await runCommand(run, ['conf'], { 'conf/a.yml': text, 'conf/sub/b.yml': text });
    expect(ran.stdout).toContain('conf/sub/b.yml:3: warning: http.routers.r is defined before (conf/a.yml:3); this one is passed over');
    expect(ran.status).toBe(0);
  });

  it.each([
    ['a file that does not exist', ['nosuch.yml'], 2],
    ['an option that does not exist', ['--nosuch'], 2],
    ['a format that does not exist', ['--format=xml', 'a.yml'], 2],
    ['help', ['--help'], 0],
  ])('ends for %s', async (_, args, status) => {
    expect((await runCommand(run, args)).status).toBe(status);
  });
});
