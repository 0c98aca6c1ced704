import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ConfigError, describe } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { StaticConfiguration } from '../config/static.ts';
import { awaitSuccessor, findPredecessor, type Predecessor } from './takeover.ts';

/** Sources that cannot be read by then cannot be read: the agent that serves knows more. */
const SOURCES_MS = 30_000;

export interface SuccessionOptions {
  readonly edge: StaticConfiguration['edge'];
  readonly cwd: string;
  readonly log: Logger;
}

/** An agent's place in the line of those that serve the same ports (`edge.takeover`), from start to end. */
export interface Succession {
  /** The agent that serves now; undefined when none awaits a successor, or without the option. */
  readonly predecessor: Predecessor | undefined;
  /** Addresses that are taken over. */
  readonly held: ReadonlySet<string>;
  /** Rejects with ConfigError when the sources are not read in time. */
  inTime(sources: Promise<void>): Promise<void>;
  /** Sends the predecessor away, when this agent listens, and awaits a successor from then on. `leave` as in takeover.ts. */
  takeOver(own: { readonly addresses: readonly string[]; readonly leave: () => Promise<void> }): Promise<void>;
  close(): void;
}

/** Throws ConfigError. */
export async function openSuccession({ edge, cwd, log }: SuccessionOptions): Promise<Succession> {
  const path = join(resolve(cwd, edge.stateDirectory), 'takeover.sock');
  const predecessor = edge.takeover ? await findPredecessor(path) : undefined;
  const told = (error: unknown): undefined => void log.error(describe(error));
  let waiting: { close(): void } | undefined;
  return {
    predecessor,
    held: new Set(predecessor?.addresses),
    async inTime(sources) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<never>((_, reject) => {
        const message = `Not every provider could be read within ${SOURCES_MS / 1000} s: the running agent (process ${predecessor?.pid}) goes on`;
        timer = setTimeout(() => reject(new ConfigError('config.io', message, { object: 'edge.takeover' })), SOURCES_MS);
      });
      await Promise.race([sources, late]).finally(() => clearTimeout(timer));
    },
    async takeOver({ addresses, leave }) {
      if (predecessor !== undefined) {
        if (!migrates()) log.warn('Connections that nobody has accepted yet may be lost; set the sysctl net.ipv4.tcp_migrate_req=1');
        await predecessor.leave();
        log.info('Took over', { predecessor: predecessor.pid });
      }
      if (!edge.takeover) return;
      const awaiting = awaitSuccessor({
        path,
        addresses,
        leave() {
          log.info('A successor takes over; connections that are open go on');
          return leave();
        },
      });
      // With the predecessor gone, the ports matter more than whoever comes one day.
      waiting = predecessor === undefined ? await awaiting : await awaiting.catch(told);
    },
    close() {
      predecessor?.release();
      waiting?.close();
    },
  };
}

/** Whether the kernel hands connections in the queue of a closed listener to another one of the same port. */
function migrates(): boolean {
  try {
    return readFileSync('/proc/sys/net/ipv4/tcp_migrate_req', 'utf8').trim() === '1';
  } catch {
    return false;
  }
}
