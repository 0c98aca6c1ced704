import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from '../base/log.ts';
import { readProblem, writePrivateFile } from '../kv-sync/private-file.ts';

export interface StateCopyOptions {
  /** `edge.stateDirectory`. */
  readonly directory: string;
  readonly file: string;
  /** Tells what is copied from others; a copy of another one counts as none. */
  readonly identity: string;
  /** As messages name what is copied: `static configuration`. */
  readonly what: string;
  readonly log: Logger;
}

/** What an earlier run of this agent knew, for a start at which it cannot be had. It may hold secrets. */
export interface StateCopy {
  readonly path: string;
  /** The text, and when it was written in milliseconds since 1970; undefined when there is none that can be read. */
  read<T>(parse: (text: string) => T): { readonly value: T; readonly at: number } | undefined;
  /** True when it is written. */
  write(text: string, at: number): boolean;
}

/** The first line of the file; what follows is the text. */
interface Head {
  readonly source: string;
  readonly at: number;
}

/** Only the owner may read the file. A failure is told in the log, of several to write the first, and is no other fault. */
export function openStateCopy({ directory, file, identity, what, log }: StateCopyOptions): StateCopy {
  const path = join(directory, file);
  let isFailing = false;
  return {
    path,
    read(parse) {
      try {
        const all = readFileSync(path, 'utf8');
        chmodSync(path, 0o600);
        const end = all.indexOf('\n');
        const { source, at } = JSON.parse(all.slice(0, end)) as Head;
        return source === identity ? { value: parse(all.slice(end + 1)), at } : undefined;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
          log.warn(`The copy of the ${what} cannot be read`, { file: path, error: readProblem(error as Error) });
        return undefined;
      }
    },
    write(text, at) {
      try {
        const head: Head = { source: identity, at: Math.round(at) };
        writePrivateFile(path, `${JSON.stringify(head)}\n${text}\n`);
        isFailing = false;
      } catch (error) {
        const message = `The ${what} cannot be kept for a start without its source; set edge.stateDirectory to a folder that can be written`;
        if (!isFailing) log.warn(message, { file: path, error: (error as Error).message });
        isFailing = true;
      }
      return !isFailing;
    },
  };
}
