import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '../base/errors.ts';
import { ROOT } from './root.ts';

/** Sets secrets of the deployed Worker. They go through standard input: neither the command line nor a file shows them. */
export async function setWorkerSecrets(
  secrets: Readonly<Record<string, string | null>>,
  {
    worker,
    env,
    cwd,
  }: { readonly worker: string | undefined; readonly env: Readonly<Record<string, string | undefined>>; readonly cwd: string },
): Promise<void> {
  const args = ['secret', 'bulk', ...(worker === undefined ? [] : ['--name', worker])];
  const { code, output } = await runWrangler(args, JSON.stringify(secrets), env, cwd);
  if (code !== 0)
    throw new ConfigError(
      'config.io',
      `wrangler could not set the secrets (exit code ${code}); run 'wrangler login' and deploy the Worker first, or use --print:\n${output.trim()}`,
    );
}

function runWrangler(
  args: string[],
  input: string,
  env: Readonly<Record<string, string | undefined>>,
  cwd: string,
): Promise<{ code: number; output: string }> {
  const own = join(ROOT, 'node_modules/.bin/wrangler');
  const command = env.EDGEWAY_WRANGLER ?? (existsSync(own) ? own : 'wrangler');
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...env, WRANGLER_SEND_METRICS: 'false' } as NodeJS.ProcessEnv,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += String(chunk)));
    child.on('error', () => reject(new ConfigError('config.io', `There is no '${command}' here; install wrangler, or use --print`)));
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
    // One that ends before it has read all is told by its exit code.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}
