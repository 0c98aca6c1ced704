import { type ChildProcess, spawn } from 'node:child_process';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createEdgeSecrets } from '../../src/cli/edge-secrets.ts';
import { bundleWorker, edgeBindings, localWorker, startLocalEdge } from '../../src/cli/local-edge.ts';
import { ROOT } from '../../src/cli/root.ts';
import { createCode } from '../../src/config/codes.ts';
import { HEALTH_KEY, POINTER_KEY } from '../../src/config/kv-layout.ts';

/**
 * The edge as one program, in place of a proxy: Worker, hub and KV in miniflare at the port of the entry point `web`, and two agents that
 * find servers by the other flags. `edge-subject.ts FOLDER FLAGS…`. A message `restart` stops the agents by SIGTERM and starts them again,
 * one after the other; `published` asks for what stands in KV.
 */
const [folder, ...flags] = process.argv.slice(2) as [string, ...string[]];
const port = Number(
  flags
    .find((flag) => flag.startsWith('--entryPoints.web.address='))!
    .split(':')
    .at(-1),
);
const providers = flags.filter((flag) => flag.startsWith('--providers.'));
const SITES = ['east', 'west'];
/** Nothing is published while servers come and go, so it matters at the start only. */
const FRESHNESS_MS = 1_000;

// Before anything that takes time: messages that come without a listener are lost.
const ready = Promise.withResolvers<void>();
process.on('message', async (message) => {
  await ready.promise;
  if (message === 'restart') {
    for (const site of SITES) {
      await stop(site);
      await start(site);
    }
    process.send!({ restarted: true });
  }
  if (message === 'published') process.send!({ published: await published() });
});

const secrets = await createEdgeSecrets();
const env = edgeBindings({ ...secrets, EDGEWAY_CONTROL_HOST: 'localhost', EDGEWAY_FRESHNESS_MS: String(FRESHNESS_MS) });
const edge = await startLocalEdge({
  workers: [localWorker({ name: 'edgeway', script: await bundleWorker(), env, durableObjects: ['Hub'] })],
  port,
  onLog: (line) => console.log(`edge | ${line}`),
});
const agents = new Map<string, { child: ChildProcess; gone: Promise<unknown> }>();
process.once('exit', () => {
  for (const { child } of agents.values()) child.kill('SIGKILL');
});
for (const site of SITES) await start(site);
let pointer = '';
while (!SITES.every((site) => pointer.includes(`"${site}"`))) {
  await delay(50);
  pointer = await published();
}
// By then the Worker asks for the news.
await delay(FRESHNESS_MS);
ready.resolve();

/** Resolves when the agent serves what the clients ask for. */
async function start(site: string): Promise<void> {
  const index = SITES.indexOf(site);
  const code = await createCode(secrets.EDGEWAY_ADMIN_KEY, { purpose: 'enrol', now: Date.now(), lifetimeMs: 600_000 });
  const relay = port + 100 + index;
  const child = spawn(
    join(ROOT, 'bin/edgeway'),
    [
      ...['agent', `--entryPoints.web.address=:${port + 200 + index}`, '--log.level=INFO', ...providers],
      ...['--edge.entryPoints.web=http', `--edge.hub.url=http://localhost:${port}`, `--edge.site=${site}`, '--edge.threads=1'],
      ...[`--edge.stateDirectory=${join(folder, site)}`, `--edge.relay.address=127.0.0.1:${relay}`],
      `--edge.relay.publicUrl=http://127.0.0.1:${relay}`,
    ],
    { env: { ...process.env, EDGEWAY_EDGE_CODE: code }, stdio: ['ignore', 'inherit', 'inherit'] },
  );
  agents.set(site, { child, gone: new Promise((resolve) => child.once('exit', resolve)) });
  while (!(await answers(port + 200 + index))) await delay(20);
}

function answers(at: number): Promise<boolean> {
  return new Promise((resolve) => {
    request({ port: at, headers: { host: 'whoami' }, agent: false }, (response) => resolve(response.resume().statusCode === 200))
      .on('error', () => resolve(false))
      .end();
  });
}

async function stop(site: string): Promise<void> {
  const { child, gone } = agents.get(site)!;
  child.kill('SIGTERM');
  await gone;
}

/** All that Workers would read. */
async function published(): Promise<string> {
  const kv = await edge.kv('EDGEWAY_KV', 'edgeway');
  return `${await kv.get(POINTER_KEY)} ${await kv.get(HEALTH_KEY)}`;
}

process.once('SIGTERM', async () => {
  await Promise.all(SITES.map(stop));
  await edge.stop();
  process.exit(0);
});
