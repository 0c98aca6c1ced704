import { createBackoff } from '../../base/backoff.ts';
import { sleep } from '../../base/clock.ts';
import { ConfigError, describe } from '../../base/errors.ts';
import type { StoreClient } from '../../providers/clients/store.ts';
import { readRevision } from '../../providers/store-revision.ts';
import { revisionKey } from '../bookkeeping.ts';
import { createKeysReader } from './keys.ts';
import { describePart, type Part, type PartContext } from './part.ts';

/** What a store has below a root. While another sync writes there, nothing is said. */
export async function* readStore(client: StoreClient, root: string, watch: boolean, context: PartContext): AsyncGenerator<Part> {
  const readKeys = createKeysReader(root);
  const read = async (): Promise<Part | undefined> => {
    const revision = await readRevision(client, root);
    if (revision?.state === 'writing') return undefined;
    return readKeys(client.name, await client.read(`${root}/`), () => undefined);
  };
  if (!watch) {
    yield (await read()) ??
      describePart(
        client.name,
        new ConfigError('config.io', 'is just being written by another sync, or one that died; run that one again'),
      );
    return;
  }
  const backoff = createBackoff();
  let last: Part | undefined;
  while (!context.signal.aborted) {
    try {
      for await (const _ of client.watch([`${root}/`, revisionKey(root)], context.signal)) {
        const part = await read();
        backoff.reset();
        if (part === undefined) continue;
        last = part;
        yield part;
      }
    } catch (error) {
      const problem = new ConfigError('config.io', describe(error), { source: client.name });
      yield last === undefined ? describePart(client.name, problem) : { ...last, problems: [problem] };
    }
    await sleep(context.clock, backoff.next(), context.signal);
  }
}
