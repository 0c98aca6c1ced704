import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Why no network namespace can be made here, or undefined. */
export const NO_NAMESPACE: string | undefined = (() => {
  if (process.getuid?.() !== 0) return 'not root';
  const name = `edgeway-probe-${process.pid}`;
  if (spawnSync('ip', ['netns', 'add', name]).status !== 0) return 'network namespaces cannot be made';
  spawnSync('ip', ['netns', 'del', name]);
  return spawnSync('nsenter', ['--version']).status === 0 ? undefined : 'nsenter is not installed';
})();

/** A network of its own with a loopback only, and a folder for logs. */
export interface Namespace {
  readonly folder: string;
  /** Runs a command in it. */
  readonly enter: (command: readonly string[], log: string) => ChildProcess;
  /** What was logged so far. */
  readonly read: (log: string) => string;
  /** Ends what was started, then everything. */
  remove(): Promise<void>;
}

let count = 0;

/** `sysctls` such as `net.ipv4.tcp_migrate_req=1` hold in it alone. */
export function makeNamespace(...sysctls: string[]): Namespace {
  const name = `edgeway-net-${process.pid}-${count++}`;
  const folder = mkdtempSync(join(tmpdir(), 'edgeway-net-'));
  execFileSync('ip', ['netns', 'add', name]);
  const inside = ['nsenter', `--net=/run/netns/${name}`] as const;
  execFileSync('ip', ['-n', name, 'link', 'set', 'lo', 'up']);
  for (const sysctl of sysctls) execFileSync(inside[0], [inside[1], 'sysctl', '-qw', sysctl]);
  const running = new Set<ChildProcess>();
  return {
    folder,
    enter(command, log) {
      const output = openSync(join(folder, log), 'a');
      const child = spawn(inside[0], [inside[1], ...command], { cwd: folder, stdio: ['ignore', output, output, 'ipc'] });
      running.add(child);
      child.once('exit', () => running.delete(child));
      return child;
    },
    read: (log) => readFileSync(join(folder, log), 'utf8'),
    async remove() {
      const left = [...running].map((child) => new Promise((resolve) => child.once('exit', resolve)));
      for (const child of running) child.kill('SIGKILL');
      await Promise.all(left);
      spawnSync('ip', ['netns', 'del', name]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
