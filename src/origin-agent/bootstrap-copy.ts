import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from '../base/log.ts';
import type { Pair } from '../config/keys.ts';
import { writePrivateFile } from '../kv-sync/private-file.ts';

/** What a store said at the last start that came about. */
export interface KeptKeys {
  readonly pairs: readonly Pair[];
  /** When that was, in milliseconds since 1970. */
  readonly at: number;
}

export interface BootstrapCopy {
  readonly path: string;
  /** Undefined when there is none, or one of another store. */
  read(): KeptKeys | undefined;
  /** It may hold passwords: only the owner may read the file. A failure is told in the log, and is no other fault. */
  write(kept: KeptKeys): void;
}

const FILE = 'bootstrap.json';

/** The copy in a state folder of what `identity`, a store and a place in it, says. */
export function openBootstrapCopy(directory: string, identity: string, log: Logger): BootstrapCopy {
  const path = join(directory, FILE);
  return {
    path,
    read() {
      try {
        const { store, pairs, at } = JSON.parse(readFileSync(path, 'utf8')) as KeptKeys & { store: string };
        chmodSync(path, 0o600);
        return store === identity ? { pairs, at } : undefined;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
          log.warn('The copy of the static configuration cannot be read', { file: path, error: (error as Error).message });
        return undefined;
      }
    },
    write(kept) {
      try {
        writePrivateFile(path, `${JSON.stringify({ store: identity, ...kept }, null, 2)}\n`);
      } catch (error) {
        log.warn(
          'The static configuration cannot be kept for a start without its store; set edge.stateDirectory to a folder that can be written',
          {
            file: path,
            error: (error as Error).message,
          },
        );
      }
    },
  };
}
