import { spawn } from 'node:child_process';

/** All static nets, side by side; the output of one that fails is shown whole. */
const NETS: readonly (readonly [string, string, ...string[]])[] = [
  ['types', 'tsc', '-b', '--force'],
  ['format and lint', 'biome', 'check', '--error-on-warnings', '.'],
  ['unused code', 'knip', '--no-progress'],
];

/** Seconds and outcome of each net are printed; the exit code is 1 when any failed. */
export async function check(): Promise<boolean> {
  const results = await Promise.all(NETS.map(([name, command, ...args]) => run(name, command, args)));
  return results.every(Boolean);
}

function run(name: string, command: string, args: string[]): Promise<boolean> {
  const started = Date.now();
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const output: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
    child.on('error', (error) => output.push(Buffer.from(`${error.message}\n`)));
    child.on('close', (code) => {
      console.log(`${code === 0 ? 'ok  ' : 'FAIL'} ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
      if (code !== 0) process.stdout.write(Buffer.concat(output));
      resolve(code === 0);
    });
  });
}

if (import.meta.main) process.exitCode = (await check()) ? 0 : 1;
