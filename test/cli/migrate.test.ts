import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse as parseToml } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { run as check } from '../../src/cli/check.ts';
import { unifiedDiff } from '../../src/cli/migrate/diff.ts';
import { migrateText, run } from '../../src/cli/migrate.ts';
import { runCommand } from '../support/command.ts';

const YAML = `# the edge
entryPoints:
  web:
    address: ":80" # plain
providers:
  docker:
    swarmMode: true
    network: web
  consul:
    namespace: team
experimental:
  http3: true
`;

describe('migrate', () => {
  it('prints the changes of a static file as a diff', async () => {
    const { stdout, stderr, status } = await runCommand(run, ['traefik.yml'], { 'traefik.yml': YAML });
    expect(stdout).toBe(`--- traefik.yml
+++ traefik.yml
@@ -3,10 +3,8 @@
   web:
     address: ":80" # plain
 providers:
-  docker:
-    swarmMode: true
+  swarm:
     network: web
   consul:
-    namespace: team
-experimental:
-  http3: true
+    namespaces:
+      - team
`);
    expect(stderr).toContain('traefik.yml: providers.docker.swarmMode rewritten: Swarm is a provider of its own');
    expect(status).toBe(0);
  });

  it('writes what check accepts', async () => {
    const migrated = await runCommand(run, ['--output', 'new.yml', 'traefik.yml'], { 'traefik.yml': YAML });
    const text = readFileSync(join(migrated.folder, 'new.yml'), 'utf8');
    const checked = await runCommand(check, ['new.yml'], { 'new.yml': text });
    expect(checked.stdout).toBe('No problem found.\n');
  });

  it.each([
    [
      'rules in YAML',
      'd.yml',
      'http:\n  routers:\n    r:\n      rule: "Host(`a`, `b`)" # two\n      ruleSyntax: v2\n',
      'http:\n  routers:\n    r:\n      rule: "Host(`a`) || Host(`b`)" # two\n',
    ],
    ['rules that say v3', 'd.yml', 'http:\n  routers:\n    r:\n      rule: HostRegexp(`{x:a}`)\n      ruleSyntax: v3\n', undefined],
    [
      'words in YAML',
      'd.yml',
      'http:\n  middlewares:\n    m:\n      ipWhiteList:\n        sourceRange: [10.0.0.0/8]\n',
      'http:\n  middlewares:\n    m:\n      ipAllowList:\n        sourceRange: [10.0.0.0/8]\n',
    ],
    [
      'rules in TOML',
      'd.toml',
      '# a\n[http.routers.r]\n  rule = "Path(`/{x:[0-9]+}`)" # b\n  ruleSyntax = "v2"\n  service = "s"\n',
      '# a\n[http.routers.r]\n  rule = "PathRegexp(`^/[0-9]+$`)" # b\n  service = "s"\n',
    ],
    [
      'an inline table of TOML',
      'd.toml',
      'providers.consul = { namespace = "x", endpoints = ["a:1"] }\n',
      'providers.consul = { endpoints = ["a:1"], namespaces = ["x"] }\n',
    ],
    [
      'a table of TOML',
      'd.toml',
      '[providers.consul]\n  endpoints = [\n    "a:1",\n  ]\n  namespace = "x"\n\n[api]\n',
      '[providers.consul]\n  endpoints = [\n    "a:1",\n  ]\n  namespaces = ["x"]\n\n[api]\n',
    ],
    [
      'JSON',
      'd.json',
      '{\n "tcp": {"routers": {"r": {"rule": "HostSNI(`a`, `b`)"}}}\n}\n',
      '{\n "tcp": {\n  "routers": {\n   "r": {\n    "rule": "HostSNI(`a`) || HostSNI(`b`)"\n   }\n  }\n }\n}\n',
    ],
    [
      'keys',
      'keys.txt',
      'traefik/http/routers/r/rule=Host(`a`,`b`)\ntraefik/http/middlewares/m/ipWhiteList/sourceRange/0=::1\n',
      'traefik/http/routers/r/rule=Host(`a`) || Host(`b`)\ntraefik/http/middlewares/m/ipAllowList/sourceRange/0=::1\n',
    ],
    [
      'labels and flags of a compose file',
      'compose.yml',
      'services:\n  t:\n    image: t\n    command:\n      - --providers.docker.swarmMode=true\n      - --ping\n  b:\n    image: b\n    labels:\n      - "traefik.http.routers.b.rule=HostRegexp(`{x:[a-z]+}.test`)"\n      - traefik.http.middlewares.w.ipwhitelist.sourcerange=::1\n',
      'services:\n  t:\n    image: t\n    command:\n      - --ping\n      - --providers.swarm.endpoint=unix:///var/run/docker.sock\n  b:\n    image: b\n    labels:\n      - "traefik.http.routers.b.rule=HostRegexp(`^[a-z]+\\\\.test$$`)"\n      - traefik.http.middlewares.w.ipAllowList.sourcerange=::1\n',
    ],
    [
      'objects of Kubernetes',
      'm.yaml',
      'apiVersion: v1\nkind: ConfigMap\n---\napiVersion: traefik.containo.us/v1alpha1\nkind: IngressRoute\nspec:\n  routes:\n    - match: Headers(`A`, `1`) # x\n',
      'apiVersion: v1\nkind: ConfigMap\n---\napiVersion: traefik.io/v1alpha1\nkind: IngressRoute\nspec:\n  routes:\n    - match: Header(`A`, `1`) # x\n',
    ],
  ])('rewrites %s', (_, name, before, after) => {
    const { text } = migrateText(name, before);
    expect(text).toBe(after ?? before);
    if (name.endsWith('.toml')) parseToml(text);
  });

  it('moves the termination delay of TCP into a transport', () => {
    const { text } = migrateText(
      'd.yml',
      'tcp:\n  services:\n    s:\n      loadBalancer:\n        terminationDelay: 100\n        servers: []\n',
    );
    expect(text).toBe(
      'tcp:\n  services:\n    s:\n      loadBalancer:\n        servers: []\n        serversTransport: s\n  serversTransports:\n    s:\n      terminationDelay: 100ms\n',
    );
  });

  it('says what is left to a person', async () => {
    const ran = await runCommand(run, ['d.yml'], {
      'd.yml':
        'http:\n  routers:\n    r: {rule: "HostRegexp(`^a.*$`)"}\n  middlewares:\n    h: {headers: {sslRedirect: true, frameDeny: true}}\n',
    });
    expect(ran.stderr).toContain('d.yml: http.routers.r needs your eye: the rule HostRegexp(`^a.*$`) has no braces');
    expect(ran.stderr).toContain(
      'd.yml: http.middlewares.h.headers.sslRedirect needs your eye: removed: write a middleware redirectScheme',
    );
    expect(ran.stdout).toContain('+    h: {headers: {frameDeny: true}}');
    expect(ran.status).toBe(1);
  });

  it('writes several files into a folder, and standard input to standard output', async () => {
    const ran = await runCommand(run, ['-o', 'out', 'a.yml', 'b.yml'], { 'a.yml': 'api: {}\n', 'b.yml': 'pilot: {}\napi: {}\n' });
    expect(readFileSync(join(ran.folder, 'out/a.yml'), 'utf8')).toBe('api: {}\n');
    expect(readFileSync(join(ran.folder, 'out/b.yml'), 'utf8')).toBe('api: {}\n');
    const piped = await runCommand(run, ['--output=-', '-'], {}, 'pilot: {}\napi: {}\n');
    expect(piped.stdout).toBe('api: {}\n');
  });

  it.each([
    ['a file that does not exist', ['nosuch.yml'], 1],
    ['no file', [], 2],
    ['help', ['--help'], 0],
  ])('ends for %s', async (_, args, status) => {
    expect((await runCommand(run, args)).status).toBe(status);
  });
});

describe('unifiedDiff', () => {
  it.each([
    ['nothing', 'a\n', 'a\n', ''],
    ['a line', 'a\nb\nc\n', 'a\nx\nc\n', '--- f\n+++ f\n@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n'],
    [
      'two places far apart',
      '1\n2\n3\n4\n5\n6\n7\n8\n9\n',
      'x\n2\n3\n4\n5\n6\n7\n8\ny\n',
      '--- f\n+++ f\n@@ -1,4 +1,4 @@\n-1\n+x\n 2\n 3\n 4\n@@ -6,4 +6,4 @@\n 6\n 7\n 8\n-9\n+y\n',
    ],
    [
      'two places close together',
      '1\n2\n3\n4\n5\n6\n7\n',
      'x\n2\n3\n4\n5\n6\ny\n',
      '--- f\n+++ f\n@@ -1,7 +1,7 @@\n-1\n+x\n 2\n 3\n 4\n 5\n 6\n-7\n+y\n',
    ],
    ['lines at the end', 'a\n', 'a\nb\n', '--- f\n+++ f\n@@ -1 +1,2 @@\n a\n+b\n'],
  ])('shows %s', (_, before, after, expected) => expect(unifiedDiff(before, after, 'f', 'f')).toBe(expected));
});
