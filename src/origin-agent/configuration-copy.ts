import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { DynamicConfiguration } from '../config/dynamic.ts';
import { formatDynamic, parseDynamic } from '../config/dynamic-text.ts';
import { canonicalJson } from '../config/snapshot.ts';
import type { LastGood } from '../providers/last-good.ts';
import { openStateCopy, type StateCopy } from './state-copy.ts';

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

/**
 * What each provider said last, in the state folder; by its suffix, and by what tells its source from others. A file may hold passwords and
 * private keys.
 */
export const configurationCopies =
  (options: ConfigurationCopyOptions) =>
  (provider: string, source: Readonly<Record<string, unknown>>): LastGood => {
    const { stateDirectory: directory, log } = options;
    const file = `provider-${encodeURIComponent(provider)}.json`;
    const own = log.with({ providerName: provider });
    return keepLatest(openStateCopy({ directory, file, identity: canonicalJson(source), what: 'configuration', log: own }), options);
  };

function keepLatest(copy: StateCopy, { isRead, isWritten, clock }: ConfigurationCopyOptions): LastGood {
  let latest: DynamicConfiguration | undefined;
  let writtenAt = Number.NEGATIVE_INFINITY;
  let cancel: (() => void) | undefined;

  function write(): void {
    cancel = undefined;
    if (latest === undefined || !isWritten()) return;
    writtenAt = clock.now();
    if (copy.write(formatDynamic(latest), writtenAt)) latest = undefined;
  }

  return {
    place: copy.path,
    read() {
      const read = isRead ? copy.read((text) => parseDynamic(text, copy.path)) : undefined;
      return read && { message: { configuration: read.value.configuration, problems: read.value.problems }, at: read.at };
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
