import { sleep } from '../base/clock.ts';
import { type ConfigError, describe } from '../base/errors.ts';
import type { DynamicConfiguration } from '../config/dynamic.ts';
import type { Pair } from '../config/keys.ts';
import { createKeysDecoder, type KeysDecoder } from '../config/keys-decoder.ts';
import { bookkeepingPrefix, type Changed, type OpenedStore, type StoreError, type StoreRevision } from './clients/store.ts';
import { inlineFiles } from './inline-files.ts';
import { keepRefused } from './keep-refused.ts';
import type { ProviderContext, ProviderMessage } from './provider.ts';
import { takeStanding } from './store-moving.ts';
import { createNodeReport, type NodeReport } from './store-node.ts';
import { readRevision } from './store-revision.ts';
import { layStaged, type StoreRead } from './store-staged.ts';
import { createTicks, type Ticks } from './store-ticks.ts';
import { createStoreView, type StoreView } from './store-view.ts';
import { keepTrying } from './stream.ts';

/** Keys that others write have come to rest when none changed for this long … */
const QUIET_MS = 100;
/** … and are otherwise taken object by object after this time. */
const RESTLESS_MS = 1_000;
/** A sync that says it is writing, and of which nothing was seen for this long, has died. */
const WRITER_QUIET_MS = 5_000;
/** However long a sync writes: then what stands there counts. */
const WRITER_LIMIT_MS = 60_000;

/** What outlives a connection. */
interface Memory {
  readonly decoder: KeysDecoder;
  readonly view: StoreView;
  /** Of the pairs that are in force. */
  pairs: readonly Pair[] | undefined;
  configuration: DynamicConfiguration | undefined;
  revision: StoreRevision | undefined;
  warned: ReadonlySet<string>;
  /** The credentials are made for the keys below the root, as those of Traefik may be. */
  areNotesRefused: boolean;
}

/** The configuration below `rootKey`, whole at every change; the store is closed at the end. It tries again by itself. */
export async function* followStore(store: OpenedStore, rootKey: string, context: ProviderContext): AsyncIterable<ProviderMessage> {
  const root = rootKey.replace(/^\/+|\/+$/g, '');
  const memory: Memory = {
    decoder: createKeysDecoder(root),
    view: createStoreView(store, root),
    pairs: undefined,
    configuration: undefined,
    revision: undefined,
    warned: new Set(),
    areNotesRefused: false,
  };
  const report = createNodeReport(store, root, context);
  try {
    yield* keepTrying(() => followOnce(store, root, context, memory, report), context);
  } finally {
    await store.close();
  }
}

/** Until the connection is lost, which throws. */
async function* followOnce(
  store: OpenedStore,
  root: string,
  context: ProviderContext,
  memory: Memory,
  report: NodeReport,
): AsyncGenerator<ProviderMessage> {
  const over = new AbortController();
  const signal = AbortSignal.any([over.signal, context.signal]);
  await tryNotes(store, root, context, memory);
  const notes = memory.areNotesRefused ? [] : [`${bookkeepingPrefix(root)}revision`];
  const watched = store.watch([`${root}/`, ...notes], signal);
  const ticks = createTicks(noted(watched, memory.view), context.clock, signal);
  try {
    let isFirst = true;
    while (await ticks.next()) {
      const settled = await settle(store, root, ticks, { ...context, signal }, memory);
      if (context.signal.aborted) return;
      const read = await layStaged(store, root, context.node?.name, settled);
      if (read === undefined) {
        ticks.mark();
        continue;
      }
      if (isFirst && isLost(read, memory, context)) {
        context.log.error('The store came back empty, keeping what it said before until a key is written', { store: store.name });
      } else {
        yield await decodeRead(store, read, context, memory, report);
      }
      isFirst = false;
    }
  } finally {
    over.abort();
  }
}

/** Tells once that sync's notes cannot be read. Throws StoreError for everything else. */
async function tryNotes(store: OpenedStore, root: string, { log }: ProviderContext, memory: Memory): Promise<void> {
  const before = memory.areNotesRefused;
  try {
    memory.areNotesRefused = false;
    await noteOf(store, root, memory);
  } catch (error) {
    if ((error as StoreError).code !== 'refused') throw error;
    memory.areNotesRefused = true;
    if (!before)
      log.warn('The credentials may not read what edgeway sync notes, so its changes may be seen before they are whole; allow it to', {
        store: store.name,
        keys: `${bookkeepingPrefix(root)}*`,
      });
  }
}

const noteOf = async (store: OpenedStore, root: string, { areNotesRefused }: Memory): Promise<StoreRevision | undefined> =>
  areNotesRefused ? undefined : readRevision(store, root);

async function* noted(watched: AsyncIterable<Changed>, view: StoreView): AsyncGenerator<void> {
  for await (const changed of watched) {
    view.note(changed);
    yield;
  }
}

/** Its keys are gone, and so is what sync noted, or nobody noted anything: a server that was started without its data. */
function isLost({ pairs, revision }: StoreRead, { pairs: before }: Memory, { onFailure }: ProviderContext): boolean {
  if (pairs.length > 0 || revision !== undefined) return false;
  return before === undefined ? onFailure?.(new Error('It is empty')) === true : before.length > 0;
}

/** Reads when nobody is in the middle of a change. */
async function settle(store: OpenedStore, root: string, ticks: Ticks, context: ProviderContext, memory: Memory): Promise<StoreRead> {
  const { clock, signal } = context;
  const started = clock.now();
  let isRestless = false;
  while (true) {
    const revision = await noteOf(store, root, memory);
    if (revision?.state === 'writing' && clock.now() - started < WRITER_LIMIT_MS) {
      if ((await ticks.within(WRITER_QUIET_MS)) && !signal.aborted) continue;
    } else if (memory.pairs !== undefined && !isNewer(revision, memory.revision)) {
      isRestless = !(await ticks.quiet(QUIET_MS, Math.max(0, started + RESTLESS_MS - clock.now())));
    }
    const { pairs } = await memory.view.read(revision);
    if (isRestless) return readStanding(store, root, ticks, context, memory, pairs);
    const after = await noteOf(store, root, memory);
    if (after?.revision === revision?.revision && after?.state === revision?.state) return { pairs, revision };
    if (signal.aborted || clock.now() - started > WRITER_LIMIT_MS) return { pairs, revision };
  }
}

/** Sync wrote all that belongs to it before this was said. */
const isNewer = (revision: StoreRevision | undefined, before: StoreRevision | undefined): boolean =>
  revision?.state === 'written' && revision.revision !== before?.revision;

async function readStanding(
  store: OpenedStore,
  root: string,
  ticks: Ticks,
  { clock, signal }: ProviderContext,
  memory: Memory,
  earlier: readonly Pair[],
): Promise<StoreRead> {
  await sleep(clock, QUIET_MS, signal);
  const { pairs, isMoving } = takeStanding(root, memory.pairs ?? [], earlier, await store.read(`${root}/`));
  if (isMoving) ticks.mark();
  return { pairs, revision: await noteOf(store, root, memory) };
}

async function decodeRead(
  store: OpenedStore,
  { pairs, revision }: StoreRead,
  context: ProviderContext,
  memory: Memory,
  report: NodeReport,
): Promise<ProviderMessage> {
  const loaded = memory.decoder.decode(pairs);
  const inlined = await inlineFiles(loaded.configuration, store.name);
  const configuration = keepRefused(inlined.configuration, loaded.refused, memory.configuration);
  tellWarnings([...loaded.warnings, ...inlined.warnings], context, memory);
  Object.assign(memory, { pairs, configuration, revision });
  const problems = [...loaded.problems, ...inlined.problems];
  return { configuration, problems, ...(revision && { applied: () => report(revision) }) };
}

/** Each once, as long as it lasts. */
function tellWarnings(warnings: readonly ConfigError[], { log }: ProviderContext, memory: Memory): void {
  const now = new Set(warnings.map(describe));
  for (const reason of now) if (!memory.warned.has(reason)) log.warn('Configuration is odd', { reason });
  memory.warned = now;
}
