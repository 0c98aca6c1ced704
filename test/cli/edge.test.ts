import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { run as runEdge } from '../../src/cli/edge.ts';
import type { Command, Io } from '../../src/cli/io.ts';
import { run as runSync } from '../../src/cli/sync.ts';
import type { HubStatus } from '../../src/config/hub-protocol.ts';
import { POINTER_KEY } from '../../src/config/kv-layout.ts';
import { parsePointer } from '../../src/config/shards.ts';
import { type LocalHub, startLocalHub } from '../support/hub/local-hub.ts';
import { runEdgeway } from '../support/run-edgeway.ts';

// Each process takes a second, and many more where many tests share a core.
vi.setConfig({ testTimeout: 60_000 });

/** In the order of docs/deploy.md: init, login, codes, enrol, publish, operate. */
let folder: string;
let local: LocalHub;
let adminToken: string;
let firstCode: string;

/** The same without a process of its own, for tables of rows. */
async function call(run: Command, args: string, env: Record<string, string> = {}) {
  let stdout = '';
  let stderr = '';
  const io: Io = {
    stdout: { write: (text) => void (stdout += text) },
    stderr: { write: (text) => void (stderr += text) },
    stdin: (async function* () {})(),
    cwd: folder,
    env,
    isTty: false,
  };
  const code = await run(args === '' ? [] : args.split(' '), io);
  return { code, stdout, stderr };
}
const edge = (args: string, options: { input?: string; env?: Record<string, string> } = {}) =>
  runEdgeway(['edge', ...args.split(' ')], { cwd: folder, ...options });
const inProcess = (args: string) => call(runEdge, args);
const syncInProcess = (args: string) => call(runSync, args, { EDGEWAY_EDGE_HUB_URL: local.target.url });
const sync = (args: string) => runEdgeway(['sync', ...args.split(' ')], { cwd: folder, env: { EDGEWAY_EDGE_HUB_URL: local.target.url } });
const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
const routers = async (): Promise<string[]> => {
  const { values } = (await local.tell({})).kv;
  return Object.keys(parsePointer(values[POINTER_KEY]!).pointer.snapshot!.http.routers);
};
const app = (host: string, more = ''): string => `
http:
  routers: { app: { rule: "Host(\`${host}\`)", service: app }${more} }
  services: { app: { loadBalancer: { servers: [{ url: "https://origin.example.com" }] } } }
`;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'edgeway-cli-'));
  const { stdout, stderr, code } = await edge('init --print --codes 1 --name berlin');
  expect(code).toBe(0);
  adminToken = /login' within a day:\n {2}(\S+)/.exec(stderr)![1]!;
  firstCode = /berlin: (\S+)/.exec(stderr)![1]!;
  local = await startLocalHub(JSON.parse(stdout) as Record<string, string>);
});
afterAll(async () => {
  await local?.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe('edgeway edge init', () => {
  it('gives the secrets to wrangler on its standard input', async () => {
    const wrangler = join(folder, 'wrangler');
    writeFileSync(wrangler, `#!/bin/sh\necho "$@" > ${folder}/called\ncat > ${folder}/secrets.json\n`);
    chmodSync(wrangler, 0o755);
    const { code, stdout } = await edge('init --worker my-edge', { env: { EDGEWAY_WRANGLER: wrangler } });
    expect(code).toBe(0);
    expect(readFileSync(join(folder, 'called'), 'utf8')).toBe('secret bulk --name my-edge\n');
    const secrets = JSON.parse(readFileSync(join(folder, 'secrets.json'), 'utf8')) as Record<string, string>;
    expect(Object.keys(secrets).sort()).toEqual(['EDGEWAY_ADMIN_KEY', 'EDGEWAY_GRANT_KEY', 'EDGEWAY_SEAL_KEY']);
    expect(JSON.parse(secrets.EDGEWAY_GRANT_KEY!)).toMatchObject({
      kty: 'OKP',
      crv: 'Ed25519',
      d: expect.any(String),
      kid: expect.any(String),
    });
    for (const secret of Object.values(secrets)) expect(stdout).not.toContain(secret);
    expect(stdout).toContain("Admin token, for one 'edgeway edge login'");
  });

  it.each([
    ['seal', ['EDGEWAY_SEAL_KEY']],
    ['next-grant', ['EDGEWAY_NEXT_GRANT_KEY']],
    ['admin', ['EDGEWAY_ADMIN_KEY']],
  ])('makes the %s key alone anew', async (name, keys) => {
    const { stdout, stderr } = await call(runEdge, `init --print --only ${name}`);
    expect(Object.keys(JSON.parse(stdout) as object)).toEqual(keys);
    expect(stderr.includes('Admin token')).toBe(name === 'admin');
  });

  it('says what to do when wrangler fails', async () => {
    const wrangler = join(folder, 'failing');
    writeFileSync(wrangler, '#!/bin/sh\necho "You are not logged in" >&2\nexit 1\n');
    chmodSync(wrangler, 0o755);
    const { code, stderr } = await edge('init', { env: { EDGEWAY_WRANGLER: wrangler } });
    expect(code).toBe(1);
    expect(stderr).toMatch(/run 'wrangler login' and deploy the Worker first, or use --print:\nYou are not logged in/);
  });
});

describe('wrong usage', () => {
  it.each([
    ['nothing', '', 'Usage: edgeway edge COMMAND'],
    ['an unknown command', 'fly', "there is no command 'fly'"],
    ['an unknown option', 'status --colour', '--colour'],
    ['an unknown key', 'init --print --only master', "there is no key 'master'"],
    ['no revision', 'rollback', 'name a revision'],
    ['a revision that is none', 'rollback last', "'last' is no number"],
    ['no hub', 'login --token x', 'give the control host'],
    ['a hub without TLS', 'login --hub http://hub.example.com --token x', 'write https://hub.example.com', 1],
    ['a name that is none', 'enrol --hub https://x --name Berlin --code x', 'small letters'],
  ])('%s is refused', async (_, args, message, exitCode = 2) => {
    const { code, stdout, stderr } = await call(runEdge, args);
    expect(stdout + stderr).toContain(message);
    expect(code).toBe(exitCode);
  });
});

describe('from an empty account to a request for a roll-back', () => {
  it('nobody is logged in at first', async () => {
    const { code, stderr } = await inProcess('status');
    expect(code).toBe(1);
    expect(stderr).toContain("run 'edgeway edge login --hub URL'");
  });

  it('login takes the admin token once', async () => {
    const { code, stdout } = await edge(`login --hub ${local.target.url} --as ann`, { input: `${adminToken}\n` });
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('Logged in at') });
    expect(statSync(join(folder, 'edgeway-state/operator.json')).mode & 0o777).toBe(0o600);
    const again = await inProcess(`login --hub ${local.target.url} --token ${adminToken} --state other`);
    expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('used already') });
  });

  it('enrol pins a key with a code that init printed', async () => {
    const { code, stdout } = await edge(`enrol --hub ${local.target.url} --name berlin --code ${firstCode} --state berlin-state`);
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining("'berlin' is enrolled") });
    const again = await inProcess(`enrol --hub ${local.target.url} --name paris --code ${firstCode} --state paris-state`);
    expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining("The code is for 'berlin'") });
  });

  it('sync prints a plan, and changes nothing without --apply', async () => {
    write('app.yml', app('a.test'));
    const { code, stdout } = await sync('app.yml --to edge --entry-point web=https');
    expect(code).toBe(0);
    expect(stdout).toBe(`+ http.routers.app@file  Host(\`a.test\`) by https → app@file
+ http.services.app@file  https://origin.example.com
2 to add, 0 to change, 0 to remove.
`);
    expect((await local.tell({})).kv.counts.writes).toBe(0);
  });

  it('sync --apply publishes, and the same again writes nothing', async () => {
    const { stdout } = await edge('codes --name ci');
    const applied = await sync(`app.yml --to edge --entry-point web=https --name ci --code ${stdout.trim()} --apply`);
    expect(applied).toMatchObject({ code: 0, stdout: expect.stringContaining('Revision 1 is in KV') });
    expect(await routers()).toEqual(['app@file']);
    const { counts } = (await local.tell({})).kv;
    const again = await syncInProcess('app.yml --to edge --entry-point web=https --name ci --apply');
    expect(again).toMatchObject({ code: 0, stdout: 'Nothing to do.\n' });
    expect((await local.tell({})).kv.counts.writes).toBe(counts.writes);
  });

  it('sync shows what changes, and keeps what left the files until it prunes', async () => {
    await local.tell({ kv: { advanceMs: 2_000 } });
    write('app.yml', app('b.test', ', extra: { rule: "Host(`x.test`)", service: app }'));
    expect((await syncInProcess('app.yml --to edge --entry-point web=https --name ci --apply')).stdout).toMatch(
      /~ http\.routers\.app@file .*\n {4}config\.rule: "Host\(`a\.test`\)" → "Host\(`b\.test`\)"\n\+ http\.routers\.extra@file/,
    );
    write('app.yml', app('b.test'));
    await local.tell({ kv: { advanceMs: 2_000 } });
    expect((await syncInProcess('app.yml --to edge --entry-point web=https --name ci --apply')).stdout).toContain(
      '--prune removes them: http.routers.extra@file',
    );
    expect(await routers()).toEqual(['app@file', 'extra@file']);
    expect((await syncInProcess('app.yml --to edge --entry-point web=https --name ci --apply --prune')).stdout).toContain(
      '- http.routers.extra@file',
    );
    expect(await routers()).toEqual(['app@file']);
  });

  it('sync refuses to apply what has a problem, and says where', async () => {
    write('bad.yml', `${app('c.test')}  middlewares: { m: { stripPrefix: { prefixs: [/x] } } }\n`);
    const { code, stderr } = await syncInProcess('bad.yml --to edge --entry-point web=https --name ci --apply');
    expect(code).toBe(1);
    expect(stderr).toMatch(/http\.middlewares\.m \(.*bad\.yml:5\).*did you mean 'prefixes'/);
    expect(stderr).toContain('Nothing was applied');
    expect(await routers()).toEqual(['app@file']);
  });

  it.each([
    ['no target', 'app.yml', 'name a target'],
    ['another target', 'app.yml --to moon', "there is no target 'moon'"],
    ['no public entry point', 'app.yml --to edge', 'nothing is public'],
    ['an entry point without scheme', 'app.yml --to edge --entry-point web', 'write NAME=http'],
    ['no file', '--to edge', 'name at least one source'],
  ])('sync with %s is wrong usage', async (_, args, message) => {
    const { code, stderr } = await call(runSync, args, { EDGEWAY_EDGE_HUB_URL: local.target.url });
    expect(stderr).toContain(message);
    expect(code).toBeGreaterThan(0);
  });

  it('status, history and diff tell who did what', async () => {
    const status = await edge('status');
    expect(status.stdout).toMatch(/^Revision 3 is in force\.\n\nPUBLISHER +KIND +LEASE/);
    expect(status.stdout).toMatch(/ci +sync +none +\d+ s ago +1/);
    const { publishers } = JSON.parse((await inProcess('status --json')).stdout) as HubStatus;
    expect(publishers).toMatchObject([
      { name: 'berlin', kind: 'agent' },
      { name: 'ci', kind: 'sync', routers: 1 },
    ]);
    expect((await inProcess('history')).stdout).toMatch(/^REVISION.*\n3 .* publish +ci +-routers\/extra@file\n2 /);
    expect((await inProcess('diff 1 3')).stdout).toMatch(
      /^~ routers\/app@file\n(?: {4}hosts: .*\n)? {4}rule: "Host\(`a\.test`\)" → "Host\(`b\.test`\)"\n$/,
    );
    expect((await inProcess('diff 3')).stdout).toBe('Revisions 3 and 3 are the same.\n');
  });

  it('rollback pins, release ends it', async () => {
    await local.tell({ kv: { advanceMs: 2_000 } });
    expect((await inProcess('rollback 1')).stdout).toMatch(/Revision 4 is in force\.\nIt has what revision 1 had: ann rolled back/);
    expect((await inProcess('release')).stdout).toContain('Revision 5 is in force.');
    expect(await inProcess('release')).toMatchObject({ code: 1, stderr: expect.stringContaining('No revision is pinned') });
    expect(await inProcess('rollback 77')).toMatchObject({ code: 1, stderr: expect.stringContaining('Revision 77 is not kept') });
  });

  it('remove takes a publisher out', async () => {
    await local.tell({ kv: { advanceMs: 2_000 } });
    expect((await inProcess('remove ci')).stdout).not.toContain('ci ');
    expect(await routers()).toEqual([]);
  });
});

describe('edgeway sync --watch', () => {
  it('goes on until it is told to stop, and plans again when a file changes', async () => {
    write('watched.yml', app('one.test'));
    const child = spawn(
      join(import.meta.dirname, '../../bin/edgeway'),
      ['sync', 'watched.yml', '--to', 'edge', '--hub', local.target.url, '--entry-point', 'web=https', '--watch', '--state', 'watching'],
      { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
    let output = '';
    const printed = (text: string) =>
      new Promise<void>((resolve, reject) => {
        const look = (): void => void (output.includes(text) && resolve());
        child.stdout.on('data', look);
        child.on('close', () => reject(new Error(`It ended without '${text}': ${output}`)));
        look();
      });
    child.stdout.on('data', (chunk: Buffer) => (output += String(chunk)));
    await printed('Host(`one.test`)');
    write('watched.yml', app('two.test'));
    await printed('Host(`two.test`)');
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
  });
});

describe('a hub that is away', () => {
  it('is told as such', async () => {
    const { code, stderr } = await call(runEdge, 'login --hub http://127.0.0.1:9 --token x');
    expect(code).toBe(1);
    expect(stderr).toContain('The hub cannot be reached');
  });
});
