import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../support/agent-process.ts';

const root = join(import.meta.dirname, '../..');

/** What a stranger does: clone into an empty folder, one command. The packages are installed from the lock file there. */
describe('a fresh clone', () => {
  const folder = mkdtempSync(join(tmpdir(), 'edgeway-clone-'));
  const clone = join(folder, 'edgeway');

  beforeAll(() => {
    execFileSync('git', ['clone', '--quiet', '--no-local', root, clone]);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('installs itself, starts everything, answers all that it prints, and stops', { timeout: 300_000 }, () => {
    // Without our own Node in the PATH, so that it must bring its own.
    const path = (process.env.PATH ?? '')
      .split(':')
      .filter((part) => !part.startsWith(root))
      .join(':');
    const { status, stdout, stderr } = spawnSync('npm', ['start', '--', '--try'], {
      cwd: clone,
      encoding: 'utf8',
      env: { ...process.env, PATH: path },
    });
    expect(`${stdout}\n${stderr}`).toContain('Everything answers.');
    expect(stdout.match(/ok {3}/g)).toHaveLength(6);
    expect(stdout).not.toContain('FAIL');
    expect(status).toBe(0);
    // ≤ 15 s from the start of the program; the install has its own line before.
    const seconds = Number(/\[ *([\d.]+) s\] Everything answers/.exec(stdout)![1]);
    console.log(`ready after ${seconds} s`);
  });

  it('ends everything it started on Ctrl-C', { timeout: 120_000 }, async () => {
    const child = spawn(join(clone, 'bin/edgeway'), ['dev'], { cwd: clone, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk));
    let code: number | null | undefined;
    child.on('exit', (status) => (code = status));
    await until(() => output.includes('Ctrl-C ends everything'), 90_000);
    expect(await Promise.all(PORTS.map(isOpen))).toEqual(PORTS.map(() => true));
    // As a terminal does: to all processes of the foreground.
    process.kill(-child.pid!, 'SIGINT');
    await until(() => code !== undefined, 30_000);
    expect(code).toBe(0);
    expect(output).not.toContain('crash');
    expect(await Promise.all(PORTS.map(isOpen))).toEqual(PORTS.map(() => false));
  });
});

/** Edge, agent, its API, relay, demo servers. */
const PORTS = [8787, 8000, 8080, 8443, 9001, 9002];

const isOpen = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
