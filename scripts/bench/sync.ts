import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from '../servers.ts';
import { followEdits } from './support/follow.ts';
import { freePort } from './support/machine.ts';

const EDGEWAY = join(import.meta.dirname, '../../bin/edgeway');
const ROUTERS = 10_000;

/** 10,000 routers from a file of keys into a real Redis: time and memory of the whole command. */
export async function bench(): Promise<object[]> {
  const path = findProgram('redis-server');
  if (path === undefined) {
    console.log('sync: needs redis-server (Debian package redis-server)');
    return [];
  }
  const folder = mkdtempSync(join(tmpdir(), 'edgeway-bench-'));
  const port = await freePort();
  const redis = spawn(path, ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    await new Promise<void>((resolve) => {
      redis.stdout.on('data', (chunk: Buffer) => {
        if (String(chunk).includes('Ready to accept')) resolve();
      });
    });
    const file = join(folder, 'keys.csv');
    const sync = (title: string, ...more: string[]): Promise<object> =>
      measure(title, ['sync', file, `redis://127.0.0.1:${port}`, ...more], folder);
    writeFileSync(file, keysOf('h'));
    const rows = [
      await sync('plan of all that is new'),
      await sync('all that is new', '--apply'),
      await sync('nothing changed', '--apply'),
    ];
    writeFileSync(file, keysOf('h').replace('h5000.example.com', 'changed.example.com'));
    rows.push(await sync('one line changed', '--apply', '--prune'));
    writeFileSync(file, keysOf('other'));
    rows.push(await sync('every rule changed', '--apply', '--prune'));
    console.table(rows);
    console.log(`One line of ${ROUTERS} routers saved, with --watch and two agents`);
    return await followEdits({ url: `redis://127.0.0.1:${port}`, provider: 'redis' }, folder, followedKeys);
  } finally {
    redis.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
}

function keysOf(host: string): string {
  const lines: string[] = [];
  for (let i = 0; i < ROUTERS; i++) {
    lines.push(`traefik/http/routers/r${i}/rule,Host(\`${host}${i}.example.com\`) && PathPrefix(\`/${i % 7}\`)`);
    lines.push(`traefik/http/routers/r${i}/service,s${i}`, `traefik/http/routers/r${i}/entryPoints/0,web`);
    lines.push(`traefik/http/services/s${i}/loadBalancer/servers/0/url,http://10.0.0.1:8${i % 1000}`);
  }
  return `${lines.join('\n')}\n`;
}

/** One of the routers is asked. */
const followedKeys = (host: string, serverUrl: string): string =>
  keysOf('h')
    .replace(/(routers\/r5000\/rule),.*/, `$1,Host(\`${host}\`)`)
    .replace(/(services\/s5000\/.*),.*/, `$1,${serverUrl}`);

/** Runs the program, and asks the system what it took. */
async function measure(title: string, args: readonly string[], cwd: string): Promise<object> {
  const start = performance.now();
  const child = spawn('/usr/bin/env', ['time', '-f', '%M %U', EDGEWAY, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  const [memory, cpu] = (stderr.trim().split('\n').at(-1) ?? '').split(' ').map(Number);
  const last = stdout.trim().split('\n').at(-1);
  if (code !== 0) throw new Error(`${title}: ${stderr}`);
  return {
    what: title,
    seconds: +((performance.now() - start) / 1000).toFixed(2),
    'CPU s': cpu,
    'MB at most': Math.round(memory! / 1024),
    said: last,
  };
}
