import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { run } from '../../src/cli/explain.ts';
import { runCommand } from '../support/command.ts';

const FILES = {
  'static.yml': `entryPoints:
  web: {address: ":80"}
  websecure: {address: ":443", http: {tls: {}}}
edge: {entryPoints: {websecure: https}}
providers: {file: {filename: dynamic.yml}}
`,
  'dynamic.yml': `http:
  routers:
    api: {rule: "Host(\`shop.test\`) && PathPrefix(\`/api\`)", service: api, middlewares: [c, limit], entryPoints: [websecure]}
    all: {rule: "Host(\`shop.test\`)", service: w, entryPoints: [websecure]}
    admin: {rule: "Host(\`shop.test\`) && PathPrefix(\`/api/admin\`) && ClientIP(\`10.0.0.0/8\`)", service: api, entryPoints: [websecure]}
    broken: {rule: "Host(\`shop.test\`) && PathPrefix(\`/api/x\`)", service: nope, entryPoints: [websecure]}
    other: {rule: "Host(\`other.test\`)", service: api, entryPoints: [websecure]}
    top: {rule: "PathPrefix(\`/\`)", entryPoints: [web], middlewares: [strip]}
    low: {rule: "Header(\`X-A\`, \`1\`)", service: api, parentRefs: [top]}
  middlewares:
    c: {chain: {middlewares: [strip]}}
    strip: {stripPrefix: {prefixes: [/api]}}
    limit: {inFlightReq: {amount: 10}}
  services:
    api: {loadBalancer: {servers: [{url: "http://10.0.0.1"}]}}
    w: {weighted: {services: [{name: api, weight: 1}]}}
tcp:
  routers:
    db: {rule: "HostSNI(\`db.test\`)", service: db, tls: {passthrough: true}, entryPoints: [websecure]}
  services:
    db: {loadBalancer: {servers: [{address: "10.0.0.9:5432"}]}}
`,
};

describe('explain', () => {
  it('says who takes a request, why not the others, the chain, the place, the servers', async () => {
    const { stdout, status } = await runCommand(run, ['static.yml', 'GET', 'https://shop.test/api/x?a=1'], FILES);
    expect(stdout).toBe(`GET https://shop.test/api/x?a=1

Entry point websecure (:443)
  Routers, in the order in which they are asked:
    admin@file (priority 71): no: PathPrefix(\`/api/admin\`)
    api@file (priority 39): takes it
      Host(\`shop.test\`) && PathPrefix(\`/api\`)
    all@file (priority 17): would match too
      Host(\`shop.test\`)
    broken@file (priority 41): would match, but is disabled: There is no service 'nope@file'
      Host(\`shop.test\`) && PathPrefix(\`/api/x\`)
    and 1 of other hosts (--all shows them)
  Taken by api@file
  Chain:
    1. strip@file (stripPrefix, of api@file)
    2. limit@file (inFlightReq, of api@file); not at the edge: it counts requests, and an isolate sees only its own
  Runs at the agent, to which the edge hands the request over: 'limit@file' cannot run at the edge: it counts requests, and an isolate sees only its own
  Service:
    api@file (loadBalancer)
      http://10.0.0.1
`);
    expect(status).toBe(0);
  });

  it.each([
    ['the client', ['--client', '10.1.2.3', 'static.yml', 'GET', 'https://shop.test/api/admin'], 'Taken by admin@file'],
    ['a path that is cleaned first', ['static.yml', 'GET', 'https://shop.test/x/../api'], 'Taken by api@file'],
    ['a Host header', ['static.yml', 'GET', 'https://localhost/', '-H', 'Host: shop.test'], 'Taken by all@file'],
    [
      'services of services',
      ['static.yml', 'GET', 'https://shop.test/'],
      '    w@file (weighted)\n      api@file (loadBalancer)\n        http://10.0.0.1',
    ],
    ['a place at the edge', ['static.yml', 'GET', 'https://shop.test/'], 'Runs at the edge'],
    [
      'children of a parent',
      ['static.yml', 'GET', 'http://any.test/', '-H', 'X-A: 1'],
      '  Routers below top@file:\n    low@file (priority 18): takes it',
    ],
    ['an entry point by name', ['--entry-point=web', 'static.yml', 'GET', 'http://any.test:9999/', '-H', 'X-A: 1'], 'Taken by low@file'],
    ['routers of other hosts', ['--all', 'static.yml', 'GET', 'https://shop.test/'], 'other@file (priority 18): no: Host(`other.test`)'],
    ['a TLS connection', ['static.yml', '--tcp', 'tls://db.test:443'], 'Taken by db@file'],
    ['what stays at the agent', ['static.yml', '--tcp', 'tls://db.test:443'], 'Runs at the agent: the edge carries HTTP only'],
  ])('heeds %s', async (_, args, text) => {
    const { stdout, status } = await runCommand(run, args, FILES);
    expect(stdout).toContain(text);
    expect(status).toBe(0);
  });

  it.each([
    ['nobody takes it', ['static.yml', 'GET', 'https://nobody.test/'], 1, 'Nobody takes it: 404'],
    ['no child takes it', ['static.yml', 'GET', 'http://any.test/'], 1, 'low@file (priority 18): no: Header(`X-A`, `1`)'],
    ['the path is malformed', ['static.yml', 'GET', 'https://shop.test/%zz'], 1, 'The entry point answers 400'],
    ['the TCP name is another', ['static.yml', '--tcp', 'tls://x.test:443'], 1, 'Nobody takes it'],
  ])('ends with 1 when %s', async (_, args, status, text) => {
    const ran = await runCommand(run, args, FILES);
    expect(ran.stdout).toContain(text);
    expect(ran.status).toBe(status);
  });

  it.each([
    ['no URL', ['static.yml', 'GET', 'shop.test']],
    ['no source', ['GET', 'https://shop.test/']],
    ['an unknown entry point', ['--entry-point', 'x', 'static.yml', 'GET', 'https://shop.test/']],
    ['a header without colon', ['static.yml', 'GET', 'https://shop.test/', '-H', 'x']],
  ])('ends with 2 for %s', async (_, args) => {
    expect((await runCommand(run, args, FILES)).status).toBe(2);
  });

  it('writes JSON', async () => {
    const { stdout } = await runCommand(run, ['--json', 'static.yml', 'GET', 'https://shop.test/'], FILES);
    expect(JSON.parse(stdout)).toMatchObject({
      entryPoints: [{ entryPoint: 'websecure', router: 'all@file', service: { name: 'w@file' } }],
    });
  });

  it('asks a running API', async () => {
    const answers: Record<string, unknown> = {
      '/api/rawdata': {
        routers: {
          'r@docker': {
            entryPoints: ['web'],
            service: 's',
            rule: 'Host(`a.test`)',
            priority: 14,
            status: 'enabled',
            using: ['web'],
            middlewares: ['m@docker'],
          },
          'x@docker': {
            entryPoints: ['web'],
            service: 's',
            rule: 'Host(`a.test`)',
            priority: 99,
            status: 'disabled',
            error: ['no'],
            using: ['web'],
          },
        },
        middlewares: { 'm@docker': { stripPrefix: { prefixes: ['/a'] }, status: 'enabled', usedBy: ['r@docker'] } },
        services: {
          's@docker': {
            loadBalancer: { servers: [{ url: 'http://10.0.0.1' }], strategy: 'wrr' },
            status: 'enabled',
            serverStatus: { 'http://10.0.0.1': 'UP' },
          },
        },
      },
      '/api/entrypoints': [{ name: 'web', address: ':80', http: {} }],
    };
    const server = createServer((request, response) => {
      const answer = answers[request.url!];
      response.writeHead(answer === undefined ? 404 : 200, { 'Content-Type': 'application/json' }).end(JSON.stringify(answer ?? {}));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const { stdout, status } = await runCommand(run, [
        `http://127.0.0.1:${(server.address() as AddressInfo).port}/dashboard/`,
        'GET',
        'http://a.test/',
      ]);
      expect(stdout).toContain('Taken by r@docker\n  Chain:\n    1. m@docker (stripPrefix, of r@docker)');
      expect(stdout).toContain('x@docker (priority 99): would match, but is disabled: no');
      expect(stdout).toContain('    s@docker (loadBalancer)\n      http://10.0.0.1');
      expect(status).toBe(0);
    } finally {
      server.close();
    }
    const gone = await runCommand(run, ['http://127.0.0.1:1', 'GET', 'http://a.test/']);
    expect(gone.status).toBe(1);
    expect(gone.stderr).toContain('The API cannot be read');
  });
});
