import { describe } from '../../base/errors.ts';
import { silentLogger } from '../../base/log.ts';
import { takeLock } from '../../kv-sync/targets/store.ts';
import { abortRollOut } from '../../kv-sync/targets/store-roll-out.ts';
import { systemClock } from '../../origin-agent/clock.ts';
import { readRevision } from '../../providers/store-revision.ts';
import { readArguments, UsageError } from '../arguments.ts';
import type { Command } from '../io.ts';
import { createStores } from './stores.ts';

export const usage = `Usage: edgeway sync abort STORE

Ends a roll-out that stopped: the agents that had taken the new revision go back to the one that is in force.

Exit codes: 0 done, 1 the store cannot be written, 2 wrong usage.
`;

export const run: Command = async (args, io) => {
  const stores = createStores({ clock: systemClock, log: silentLogger });
  const stopping = new AbortController();
  try {
    const { options, words } = readArguments(args, { help: 'switch' }, { h: 'help' });
    if (options.help !== undefined) {
      io.stdout.write(usage);
      return 0;
    }
    const url = words[0] ?? io.env.EDGEWAY_SYNC_TO;
    if (url === undefined || words.length > 1) throw new UsageError('name one store, as redis://host:6379');
    const { client, root } = await stores.open(url);
    const lock = await takeLock({
      client,
      root,
      writer: 'abort',
      waitMs: 0,
      clock: systemClock,
      signal: stopping.signal,
      onWait: () => {},
    });
    try {
      const revision = await readRevision(client, root);
      const isAborted = await abortRollOut(client, lock, root, revision);
      io.stdout.write(isAborted ? `Revision ${revision?.revision ?? 0} is in force everywhere.\n` : 'Nothing is being rolled out.\n');
    } finally {
      await lock.release().catch(() => {});
    }
    return 0;
  } catch (error) {
    io.stderr.write(`edgeway sync abort: ${describe(error)}\n`);
    return error instanceof UsageError ? 2 : 1;
  } finally {
    stopping.abort();
    await stores.close();
  }
};
