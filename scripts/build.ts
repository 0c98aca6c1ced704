import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

/**
 * `npm run build`: what is published and deployed. `dist/cli.mjs` with the threads beside it is the command without TypeScript
 * (packages stay outside); `dist/worker/index.js` is what `wrangler deploy` uploads.
 */
const root = join(import.meta.dirname, '..');
rmSync(join(root, 'dist'), { recursive: true, force: true });

await build({
  entryPoints: {
    cli: join(root, 'src/cli/main.ts'),
    'data-thread': join(root, 'src/origin-agent/data-thread.ts'),
    'bcrypt-thread': join(root, 'src/origin-agent/bcrypt-thread.ts'),
  },
  outdir: join(root, 'dist'),
  outExtension: { '.js': '.mjs' },
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  packages: 'external',
  sourcemap: true,
  define: { 'import.meta.main': 'false' },
  logLevel: 'warning',
});

const { status, stdout, stderr } = spawnSync('wrangler', ['deploy', '--dry-run', '--outdir', 'dist/worker'], {
  cwd: root,
  encoding: 'utf8',
  env: { ...process.env, WRANGLER_SEND_METRICS: 'false', CI: 'true' },
});
if (status !== 0) {
  console.error(stdout + stderr);
  process.exit(1);
}
const worker = readFileSync(join(root, 'dist/worker/index.js'));
console.log(`dist/cli.mjs, dist/data-thread.mjs, dist/worker/index.js (${Math.round(gzipSync(worker).length / 1024)} KiB gzip)`);
