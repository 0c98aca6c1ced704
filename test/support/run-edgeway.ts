import { spawn } from 'node:child_process';
import { join } from 'node:path';

export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const BIN = join(import.meta.dirname, '../../bin/edgeway');

/** Runs the program to its end, as a user does. */
export async function runEdgeway(
  args: readonly string[],
  { cwd, env = {}, input = '' }: { readonly cwd: string; readonly env?: Record<string, string>; readonly input?: string },
): Promise<Finished> {
  const child = spawn(BIN, args, { cwd, env: { PATH: process.env.PATH!, HOME: cwd, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += String(chunk)));
  child.stderr.on('data', (chunk: Buffer) => (stderr += String(chunk)));
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  return new Promise((resolve) => child.on('close', (code) => resolve({ code: code ?? -1, stdout, stderr })));
}
