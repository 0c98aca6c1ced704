import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createEdgeSecrets } from '../../src/cli/edge-secrets.ts';
import { bundleWorker, edgeBindings, type LocalEdge, localWorker, startLocalEdge } from '../../src/cli/local-edge.ts';
import { createCode } from '../../src/config/codes.ts';
import { type Origin, startOrigin } from '../support/edge/origin.ts';

let edge: LocalEdge;
let origin: Origin;
let token: string;

beforeAll(async () => {
  const secrets = await createEdgeSecrets();
  origin = await startOrigin('origin');
  const variables = { ...secrets, EDGEWAY_CONTROL_HOST: 'localhost', EDGEWAY_FRESHNESS_MS: '200' };
  // What the Worker calls a public server is one on this machine.
  const egress = `export default { fetch: (request) => fetch(new Request(new URL(new URL(request.url).pathname, '${origin.url}'), request)) }`;
  edge = await startLocalEdge({
    workers: [
      localWorker({
        name: 'edgeway',
        script: await bundleWorker(),
        env: edgeBindings(variables),
        durableObjects: ['Hub'],
        outbound: { worker: 'egress' },
      }),
      localWorker({ name: 'egress', script: egress }),
    ],
  });
  token = await createCode(secrets.EDGEWAY_ADMIN_KEY, { purpose: 'admin', now: Date.now(), lifetimeMs: 600_000 });
});
afterAll(async () => {
  await edge?.stop();
  await origin?.stop();
});

it('the script for a real account passes against the local edge: publish, serve, change, roll back, release', {
  timeout: 60_000,
}, async () => {
  const local = `127.0.0.1:${edge.url.port}`;
  const args = ['--hub', `http://localhost:${edge.url.port}`, '--host', 'data.example.com', '--origin', 'https://origin.example.com'];
  const child = spawn(
    process.execPath,
    [
      join(import.meta.dirname, '../../scripts/smoke-real-account.ts'),
      ...args,
      '--skip-deploy',
      '--admin-token',
      token,
      '--connect',
      local,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += String(chunk)));
  const code = await new Promise((resolve) => child.on('close', resolve));
  expect(output).not.toContain('FAIL');
  expect(output.match(/^ok /gm)).toHaveLength(10);
  expect(code).toBe(0);
  expect(origin.count()).toBeGreaterThanOrEqual(2);
});
