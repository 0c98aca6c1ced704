import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { sleep } from '../base/clock.ts';
import { createCode } from '../config/codes.ts';
import { systemClock } from '../origin-agent/clock.ts';
import { startDemoServers } from './demo-servers.ts';
import { commandLine, runTry, tries } from './dev-tries.ts';
import { readOrCreateEdgeSecrets } from './edge-secrets.ts';
import type { Command, Io } from './io.ts';
import { bundleWorker, edgeBindings, type LocalEdge, localWorker, startLocalEdge } from './local-edge.ts';
import { ROOT } from './root.ts';

export const usage = `Usage: edgeway dev [--try] [--config FILE]

Runs everything on this machine: the Worker with hub and KV in miniflare (kept under .edgeway/), an agent, and two demo servers.
Ends what it started on Ctrl-C.

  --try            run all printed commands, check their answers, stop; exit code 0 or 1
  --config FILE    static configuration of the agent (default: examples/demo/traefik.yml, with demo servers)
`;

const EDGE_PORT = 8787;
const RELAY_PORT = 8443;
const DEMO_PORTS = [9001, 9002];
/** After the install everything shall answer within this time. */
const READY_MS = 60_000;

export const run: Command = async (args, io) => {
  const { values } = parseArgs({
    args,
    options: { try: { type: 'boolean' }, config: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help) {
    io.stdout.write(usage);
    return 0;
  }
  const config = values.config === undefined ? join(ROOT, 'examples/demo/traefik.yml') : resolve(io.cwd, values.config);
  if (!existsSync(config)) {
    io.stderr.write(`edgeway: there is no file '${config}'\n`);
    return 2;
  }
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort());
  const cleanups: (() => Promise<void>)[] = [];
  try {
    return await runAll({
      config,
      isDemo: values.config === undefined,
      tryAll: values.try === true,
      io,
      stopping: stopping.signal,
      cleanups,
    });
  } catch (error) {
    io.stderr.write(`edgeway: ${(error as Error).message}\n`);
    return 1;
  } finally {
    for (const cleanup of cleanups.reverse()) await cleanup();
  }
};

interface Run {
  readonly config: string;
  readonly isDemo: boolean;
  readonly tryAll: boolean;
  readonly io: Io;
  readonly stopping: AbortSignal;
  readonly cleanups: (() => Promise<void>)[];
}

async function runAll({ config, isDemo, tryAll, io, stopping, cleanups }: Run): Promise<number> {
  const started = performance.now();
  const say = (text: string): void =>
    void io.stdout.write(`[${((performance.now() - started) / 1000).toFixed(1).padStart(5)} s] ${text}\n`);
  const state = join(io.cwd, '.edgeway');

  say('Building the Worker and starting the local edge …');
  const secrets = await readOrCreateEdgeSecrets(join(state, 'secrets.json'));
  const edge = await startEdge(state, secrets, io, stopping);
  cleanups.push(() => edge.stop());
  say(`Worker, hub and KV at http://localhost:${EDGE_PORT} (state: ${join(state, 'edge')})`);

  if (isDemo) {
    const servers = await startDemoServers(DEMO_PORTS);
    cleanups.push(() => servers.close());
    say(`Demo servers at ${DEMO_PORTS.map((port) => `http://127.0.0.1:${port}`).join(' and ')}`);
  }

  const code = await createCode(secrets.EDGEWAY_ADMIN_KEY, { purpose: 'enrol', now: Date.now(), lifetimeMs: 600_000 });
  const agent = startAgentProcess(config, code, state, io);
  cleanups.push(() => agent.stop());
  say(`Agent with ${config}`);

  const addresses = { edge: `http://127.0.0.1:${EDGE_PORT}`, agent: 'http://127.0.0.1:8000', api: 'http://127.0.0.1:8080' };
  const things = isDemo ? tries(addresses) : [];
  await waitUntilServed(things, agent, stopping);
  if (stopping.aborted) return 0;
  say('Everything answers.');
  for (const [index, thing] of things.entries()) io.stdout.write(`\n  ${index + 1}. ${thing.title}:\n     ${commandLine(thing)}\n`);
  if (isDemo) {
    io.stdout.write(`\nDashboard: ${addresses.api}/dashboard/\n`);
    io.stdout.write('Edit examples/demo/dynamic.yml: the agent serves it at once, the local edge within two seconds. Or break it.\n');
  }
  if (tryAll) return runTries(things, say);
  io.stdout.write('Ctrl-C ends everything.\n\n');
  await Promise.race([agent.ended, new Promise<void>((done) => stopping.addEventListener('abort', () => done(), { once: true }))]);
  return stopping.aborted ? 0 : 1;
}

async function startEdge(state: string, secrets: object, io: Io, stopping: AbortSignal): Promise<LocalEdge> {
  const variables = { ...secrets, EDGEWAY_CONTROL_HOST: 'localhost', EDGEWAY_FRESHNESS_MS: '500' };
  const script = await bundleWorker();
  try {
    return await startLocalEdge({
      workers: [localWorker({ name: 'edgeway', script, env: edgeBindings(variables as Record<string, string>), durableObjects: ['Hub'] })],
      port: EDGE_PORT,
      stateDirectory: join(state, 'edge'),
      onLog: (line) => {
        // A terminal's Ctrl-C ends workerd too, which is no crash then.
        if (!stopping.aborted) io.stderr.write(`edge | ${line}\n`);
      },
    });
  } catch (cause) {
    throw new Error(`The local edge does not start on port ${EDGE_PORT}: ${(cause as Error).message}`, { cause });
  }
}

interface AgentChild {
  /** Resolves when the process is gone. */
  readonly ended: Promise<void>;
  readonly hasEnded: () => boolean;
  stop(): Promise<void>;
}

function startAgentProcess(config: string, code: string, state: string, io: Io): AgentChild {
  const flags = [
    `--configFile=${config}`,
    `--edge.hub.url=http://localhost:${EDGE_PORT}`,
    `--edge.site=this-machine`,
    `--edge.stateDirectory=${join(state, 'agent')}`,
    `--edge.relay.address=127.0.0.1:${RELAY_PORT}`,
    `--edge.relay.publicUrl=http://127.0.0.1:${RELAY_PORT}`,
  ];
  // The demo's files are named relative to the project. The code is a secret: not on the command line.
  const child: ChildProcess = spawn(join(ROOT, 'bin/edgeway'), ['agent', ...flags], {
    cwd: ROOT,
    env: { ...process.env, EDGEWAY_EDGE_CODE: code },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  for (const stream of [child.stdout!, child.stderr!])
    stream.on('data', (chunk: Buffer) => io.stderr.write(String(chunk).replace(/^(?=.)/gm, 'agent | ')));
  let gone = false;
  const ended = new Promise<void>((done) =>
    child.once('exit', () => {
      gone = true;
      done();
    }),
  );
  return {
    ended,
    hasEnded: () => gone,
    async stop() {
      if (!gone) child.kill('SIGTERM');
      await ended;
    },
  };
}

async function waitUntilServed(things: ReturnType<typeof tries>, agent: AgentChild, stopping: AbortSignal): Promise<void> {
  const end = Date.now() + READY_MS;
  for (const thing of things) {
    for (;;) {
      if (stopping.aborted) return;
      if (agent.hasEnded()) throw new Error('The agent ended; the lines above say why');
      const missing = await runTry(thing).catch((error: Error) => error.message);
      if (missing === undefined) break;
      if (Date.now() > end) throw new Error(`Not ready after ${READY_MS / 1000} s: ${thing.title}: ${missing}`);
      await sleep(systemClock, 50, stopping);
    }
  }
}

async function runTries(things: ReturnType<typeof tries>, say: (text: string) => void): Promise<number> {
  let failed = 0;
  for (const thing of things) {
    const missing = await runTry(thing).catch((error: Error) => error.message);
    say(`${missing === undefined ? 'ok  ' : 'FAIL'} ${thing.title}${missing === undefined ? '' : `: ${missing}`}`);
    if (missing !== undefined) failed += 1;
  }
  return failed === 0 ? 0 : 1;
}
