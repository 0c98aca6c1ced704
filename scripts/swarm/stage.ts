import { type ChildProcess, spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Engine } from './engine.ts';

/** Servers called `whoami`, and what is done to them while clients ask. */
export interface Stage {
  readonly name: string;
  readonly engine: Engine;
  /** Flags with which a proxy finds the servers. */
  readonly flags: readonly string[];
  readonly steps: readonly Step[];
  /** As many servers as in the beginning. */
  readonly reset: () => Promise<void>;
  /** Runs a command where the servers are reached. */
  readonly enter: (command: readonly string[], log: string) => ChildProcess;
}

/** A proxy that runs. */
export interface Running {
  /** Sends a message to its process; resolves with the answer. */
  readonly ask: (message: string) => Promise<Record<string, unknown>>;
  /** Starts the same command beside it, which takes over; resolves when the old process is gone. */
  readonly replace: () => Promise<void>;
}

export interface Step {
  readonly name: string;
  /** It has happened when this resolves. */
  readonly act: (proxy: Running) => Promise<unknown>;
  /** A server is killed: requests that it was answering are lost with it. */
  readonly kills?: boolean;
}

/** Options of `docker run` and `docker service create` that bring our Node and the server into a container of the small image. */
export const WHOAMI_MOUNTS: readonly string[] = Object.entries({
  '/lib': '/lib',
  '/lib64': '/lib64',
  '/usr/lib': '/usr/lib',
  [process.execPath]: '/bin/node',
  [fileURLToPath(new URL('./whoami.ts', import.meta.url))]: '/whoami.ts',
}).flatMap(([source, target]) => ['--mount', `type=bind,source=${source},target=${target},readonly`]);

export const WHOAMI_COMMAND: readonly string[] = ['/bin/node', '--disable-warning=MODULE_TYPELESS_PACKAGE_JSON', '/whoami.ts'];

/** `nsenter` with these options before the command; its output goes to a log of the engine's folder. */
export const enterBy =
  (engine: Engine, ...options: string[]): Stage['enter'] =>
  (command, log) => {
    const output = openSync(join(engine.folder, log), 'a');
    return spawn('nsenter', [...options, ...command], { stdio: ['ignore', output, output, 'ipc'] });
  };
