import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

/**
 * Deploy, set up, publish, roll back: once through docs/deploy.md on a real account, with times. Needs `wrangler login`, a control
 * host and a second host that lead to the Worker, and a public server.
 */
const USAGE = `Usage: node scripts/smoke-real-account.ts --hub https://CONTROL-HOST --host DATA-HOST --origin https://SERVER [options]

  --hub URL           control host of the Worker
  --host NAME         a host name whose requests reach the Worker; nobody else may use it now
  --origin URL        a public server that answers GET / with 2xx
  --skip-deploy       the Worker is deployed already
  --admin-token TOKEN the keys are set already; sign on with this token of 'edgeway edge init'
  --connect HOST:PORT send requests for the data host there, without TLS (for a local edge)

Leaves the Worker deployed and without any publisher of its own.
`;

const { values } = parseArgs({
  options: {
    hub: { type: 'string' },
    host: { type: 'string' },
    origin: { type: 'string' },
    'skip-deploy': { type: 'boolean' },
    'admin-token': { type: 'string' },
    connect: { type: 'string' },
  },
});
const { hub, host, origin } = values;
if (hub === undefined || host === undefined || origin === undefined) {
  process.stderr.write(USAGE);
  process.exit(2);
}

const ROOT = join(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'edgeway-smoke-'));
const NAME = `smoke-${process.pid}`;
/** docs/deploy.md promises 90 s; a second look costs nothing. */
const VISIBLE_MS = 180_000;

async function main(): Promise<void> {
  if (!values['skip-deploy']) await step('wrangler deploy', () => run(join(ROOT, 'node_modules/.bin/wrangler'), ['deploy'], ROOT));
  const token = values['admin-token'] ?? (await setUp());
  await step('edgeway edge login', () => edgeway(['edge', 'login', '--hub', hub!, '--as', NAME], { EDGEWAY_ADMIN_TOKEN: token }));
  const code = (await step('edgeway edge codes', () => edgeway(['edge', 'codes', '--name', NAME]))).trim();

  await publish('/', code);
  await step(`GET ${host}/ is answered by ${origin}`, () => until('/', (status) => status >= 200 && status < 300));
  await publish('/smoke');
  await step(`GET ${host}/ is no router's any more`, () => until('/', (status) => status === 404));
  const before = revisionOf(await edgeway(['edge', 'status', '--json']));
  await step('edgeway edge rollback', () => edgeway(['edge', 'rollback', String(before - 1)]));
  await step(`GET ${host}/ is answered again`, () => until('/', (status) => status >= 200 && status < 300));
  await step('edgeway edge release', () => edgeway(['edge', 'release']));
  process.stdout.write(await edgeway(['edge', 'history', '--limit', '5']));
  await step('edgeway edge remove', () => edgeway(['edge', 'remove', NAME]));
}

/** Sets new keys: whoever was enrolled before pins them with the next ping. */
async function setUp(): Promise<string> {
  const output = await step('edgeway edge init', () => edgeway(['edge', 'init', '--codes', '0'], {}, ROOT));
  const token = /login' within a day:\n\s+(\S+)/.exec(output)?.[1];
  if (token === undefined) throw new Error(`'edgeway edge init' printed no admin token:\n${output}`);
  return token;
}

async function publish(path: string, code?: string): Promise<void> {
  const file = join(folder, 'smoke.yml');
  writeFileSync(
    file,
    `http:
  routers: { smoke: { rule: "Host(\`${host}\`) && PathPrefix(\`${path}\`)", service: smoke } }
  services: { smoke: { loadBalancer: { servers: [{ url: "${origin}" }] } } }
`,
  );
  const scheme = values.connect === undefined ? 'https' : 'http';
  const args = ['sync', file, '--to', 'edge', '--hub', hub!, '--name', NAME, '--entry-point', `edge=${scheme}`, '--apply'];
  await step(`edgeway sync (PathPrefix ${path})`, () => edgeway(args, code === undefined ? {} : { EDGEWAY_EDGE_CODE: code }));
}

const revisionOf = (json: string): number => (JSON.parse(json) as { revision: number }).revision;

async function step<T>(title: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  try {
    const result = await work();
    process.stdout.write(`ok   ${title} (${((performance.now() - started) / 1000).toFixed(1)} s)\n`);
    return result;
  } catch (error) {
    process.stdout.write(`FAIL ${title}: ${(error as Error).message}\n`);
    throw error;
  }
}

const edgeway = (args: string[], env: Record<string, string> = {}, cwd = folder): Promise<string> =>
  run(join(ROOT, 'bin/edgeway'), args, cwd, env);

function run(command: string, args: string[], cwd: string, env: Record<string, string> = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env, WRANGLER_SEND_METRICS: 'false' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [output, errors] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (output += String(chunk)));
    child.stderr.on('data', (chunk: Buffer) => (errors += String(chunk)));
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve(output) : reject(new Error(`exit code ${code}\n${output}${errors}`))));
  });
}

/** Asks again every second: the edge is behind KV by up to a minute and a half. */
async function until(path: string, isWanted: (status: number) => boolean): Promise<void> {
  const end = Date.now() + VISIBLE_MS;
  for (;;) {
    const status = await statusOf(path).catch((error: Error) => error.message);
    if (typeof status === 'number' && isWanted(status)) return;
    if (Date.now() > end) throw new Error(`after ${VISIBLE_MS / 1000} s the answer still is ${status}`);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}

function statusOf(path: string): Promise<number> {
  const [name, port] = (values.connect ?? host!).split(':');
  const request = values.connect === undefined ? tlsRequest : plainRequest;
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: name, port, path, headers: { Host: host! }, timeout: 10_000 }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in 10 s')));
    outgoing.on('error', reject);
    outgoing.end();
  });
}

try {
  await main();
} catch {
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
