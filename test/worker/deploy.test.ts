import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { COMPATIBILITY_DATE } from '../../src/cli/local-edge.ts';

const LIMIT_KIB = 1024;

it('deploys as one bundle of at most 1 MiB, with the bindings that the Worker expects', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'edgeway-deploy-'));
  const run = promisify(execFile)(process.execPath, ['node_modules/wrangler/bin/wrangler.js', 'deploy', '--dry-run', '--outdir', folder], {
    env: { ...process.env, WRANGLER_SEND_METRICS: 'false', CI: 'true', NO_COLOR: '1' },
  });
  const { stdout, stderr } = await run.finally(() => rm(folder, { recursive: true, force: true }));
  const size = Number(/gzip: ([\d.]+) KiB/.exec(stdout)?.[1]);
  console.log(`The Worker is ${size} KiB of gzip; the limit is ${LIMIT_KIB} KiB.`);
  expect(size).toBeLessThanOrEqual(LIMIT_KIB);
  expect(stdout).toMatch(/env\.HUB \(Hub\)/);
  expect(stdout).toMatch(/env\.EDGEWAY_KV/);
  expect(stdout + stderr).not.toMatch(/WARNING|\[ERROR]/i);
});

it('runs locally at the date of the deployment', async () => {
  expect(await readFile('wrangler.toml', 'utf8')).toContain(`compatibility_date = "${COMPATIBILITY_DATE}"`);
});
