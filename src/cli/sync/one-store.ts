import { describe } from '../../base/errors.ts';
import { silentLogger } from '../../base/log.ts';
import { systemClock } from '../../origin-agent/clock.ts';
import { type ReadArguments, readArguments, UsageError } from '../arguments.ts';
import type { Command, Io } from '../io.ts';
import { createStores, type OpenedStore } from './stores.ts';

export interface OneStoreCommand<Option extends string> {
  /** As it stands before the reason of a failure: `edgeway sync status`. */
  readonly name: string;
  readonly usage: string;
  readonly options: { readonly [Name in Option]: 'value' | 'switch' };
  /** `open` connects to the store that the command line or EDGEWAY_SYNC_TO names. Resolves with the exit code. */
  readonly run: (options: ReadArguments<Option>['options'], open: () => Promise<OpenedStore>, io: Io) => Promise<number>;
}

/** A command about one store: help, its options, the store's URL, and what is told when it fails. */
export const oneStoreCommand =
  <Option extends string>({ name, usage, options: known, run }: OneStoreCommand<Option>): Command =>
  async (args, io) => {
    const stores = createStores({ clock: systemClock, log: silentLogger });
    try {
      const { options, words } = readArguments(args, { ...known, help: 'switch' } as Record<Option | 'help', 'value' | 'switch'>, {
        h: 'help',
      });
      if (options.help !== undefined) {
        io.stdout.write(usage);
        return 0;
      }
      const url = words[0] ?? io.env.EDGEWAY_SYNC_TO;
      if (url === undefined || words.length > 1) throw new UsageError('name one store, as redis://host:6379');
      return await run(options, () => stores.open(url), io);
    } catch (error) {
      io.stderr.write(`${name}: ${describe(error)}\n`);
      return error instanceof UsageError ? 2 : 1;
    } finally {
      await stores.close();
    }
  };
