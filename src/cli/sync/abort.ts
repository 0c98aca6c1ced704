import { takeLock } from '../../kv-sync/targets/store.ts';
import { abortRollOut } from '../../kv-sync/targets/store-roll-out.ts';
import { systemClock } from '../../origin-agent/clock.ts';
import { readRevision } from '../../providers/store-revision.ts';
import { oneStoreCommand } from './one-store.ts';

export const usage = `Usage: edgeway sync abort STORE

Ends a roll-out that stopped: the agents that had taken the new revision go back to the one that is in force.

Exit codes: 0 done, 1 the store cannot be written, 2 wrong usage.
`;

export const run = oneStoreCommand({
  name: 'edgeway sync abort',
  usage,
  options: {},
  async run(_options, open, io) {
    const { client, root } = await open();
    const lock = await takeLock({
      client,
      root,
      writer: 'abort',
      waitMs: 0,
      clock: systemClock,
      // Nothing is waited for that could be ended.
      signal: new AbortController().signal,
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
  },
});
