import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { DynamicConfiguration } from '../config/dynamic.ts';
import { formatDynamic, parseDynamic } from '../config/dynamic-text.ts';
import { canonicalJson } from '../config/snapshot.ts';
import { readProblem, writePrivateFile } from '../kv-sync/private-file.ts';
import type { LastGood } from '../providers/last-good.ts';

export interface ConfigurationCopyOptions {
  readonly stateDirectory: string;
  /** False: it is written only. */
  readonly isRead: boolean;
  /** Asked before it is written. */
  readonly isWritten: () => boolean;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Between two writes. */
const PAUSE_MS = 10_000;

/** The first line of the file; what follows is the configuration. */
interface Head {
  readonly source: unknown;
  /** When it was written, in milliseconds since 1970. */
  readonly at: number;
}

/**
 * What each provider said last, in the state folder; by its suffix, and by what tells its source from others. A file may hold passwords and
 * private keys: only the owner may read it. A failure is told in the log, and is no other fault.
 */
export const configurationCopies =
  (options: ConfigurationCopyOptions) =>
  (provider: string, source: Readonly<Record<string, unknown>>): LastGood =>
    openCopy(provider, source, { ...options, log: options.log.with({ providerName: provider }) });

function openCopy(
  provider: string,
  source: Readonly<Record<string, unknown>>,
  { stateDirectory, isRead, isWritten, clock, log }: ConfigurationCopyOptions,
): LastGood {
  const path = join(stateDirectory, `provider-${encodeURIComponent(provider)}.json`);
  const identity = canonicalJson(source);
  let latest: DynamicConfiguration | undefined;
  let writtenAt = Number.NEGATIVE_INFINITY;
  let isFailing = false;
  let cancel: (() => void) | undefined;

  function write(): void {
    cancel = undefined;
    if (latest === undefined || !isWritten()) return;
    writtenAt = clock.now();
    try {
      const head: Head = { source: JSON.parse(identity), at: Math.round(writtenAt) };
      writePrivateFile(path, `${JSON.stringify(head)}\n${formatDynamic(latest)}\n`);
      latest = undefined;
      isFailing = false;
    } catch (error) {
      if (!isFailing)
        log.warn(
          'The configuration cannot be kept for a start without its source; set edge.stateDirectory to a folder that can be written',
          {
            file: path,
            error: (error as Error).message,
          },
        );
      isFailing = true;
    }
  }

  return {
    place: path,
    read() {
      if (!isRead) return undefined;
      try {
        const [head = '', ...rest] = readFileSync(path, 'utf8').split('\n');
        chmodSync(path, 0o600);
        const { source: from, at } = JSON.parse(head) as Head;
        if (canonicalJson(from) !== identity) return undefined;
        const { configuration, problems } = parseDynamic(rest.join('\n'), path);
        return { message: { configuration, problems }, at };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
          log.warn('The copy of what the provider said cannot be used', { file: path, error: readProblem(error as Error) });
        return undefined;
      }
    },
    keep(configuration) {
      latest = configuration;
      cancel ??= clock.after(Math.max(0, writtenAt + PAUSE_MS - clock.now()), write);
    },
    close() {
      cancel?.();
      write();
    },
  };
}
