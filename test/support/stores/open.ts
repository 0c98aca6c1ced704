import { onTestFinished } from 'vitest';
import { silentLogger } from '../../../src/base/log.ts';
import { systemClock } from '../../../src/origin-agent/clock.ts';
import { openStore, type StoreKind, type StoreOptions } from '../../../src/providers/clients/open-store.ts';
import type { OpenedStore } from '../../../src/providers/clients/store.ts';

/** Opens clients of one kind of store; each is closed after the test that opened it. */
export const openerOf =
  <Kind extends StoreKind>(kind: Kind): ((options: StoreOptions[Kind]) => Promise<OpenedStore>) =>
  async (options) => {
    const client = await openStore(kind, options, { clock: systemClock, log: silentLogger });
    onTestFinished(() => client.close());
    return client;
  };
