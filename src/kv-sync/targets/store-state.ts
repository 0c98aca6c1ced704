import type { Changed, StoreClient, StoreRevision } from '../../providers/clients/store.ts';
import { parseRevision } from '../../providers/store-revision.ts';
import { createStoreView, type KnownPairs } from '../../providers/store-view.ts';
import { type Bookkeeping, readBookkeeping, revisionKey, withoutRoot } from '../bookkeeping.ts';
import { type PlannedWrites, withTexts } from './store-write.ts';

/** What a store has below a root, and what its books say. */
export interface StoreState {
  readonly known: KnownPairs;
  /** The same by key without root. */
  readonly there: ReadonlyMap<string, string>;
  readonly books: Bookkeeping;
}

export interface StateReader {
  /** The same reference while no sync wrote and no noted key changed. Throws StoreError. */
  read(): Promise<StoreState>;
  /** These keys may have changed, or any. */
  note(changed: Changed): void;
  /** What stands there now, for whoever wrote it; undefined when nobody knows. */
  take(state: StoreState | undefined): void;
}

export function createStateReader(client: StoreClient, root: string): StateReader {
  const view = createStoreView(client, root);
  let last: StoreState | undefined;

  async function read(): Promise<StoreState> {
    const text = await client.get(revisionKey(root));
    const revision = parseRevision(text);
    const before = last;
    // Books change with the revision only.
    const books =
      before !== undefined && text !== undefined && before.books.texts.get(revisionKey(root)) === text ? before.books : undefined;
    const [known, all] = await Promise.all([view.read(books && revision), books ?? readBookkeeping(client, root)]);
    const state = known === before?.known && books !== undefined ? before : { known, there: thereOf(known, before), books: all };
    // Somebody wrote while all was read: some of it may be of before.
    last = all.texts.get(revisionKey(root)) === text ? state : undefined;
    return state;
  }
  const thereOf = (known: KnownPairs, before: StoreState | undefined): ReadonlyMap<string, string> =>
    known === before?.known ? before.there : withoutRoot(root, known.pairs);

  return {
    read,
    note: (changed) => view.note(changed),
    take(state) {
      last = state;
      if (state !== undefined) view.take(state.known);
    },
  };
}

interface Written {
  readonly root: string;
  readonly writer: string;
  readonly revision: StoreRevision;
  readonly writes: Pick<PlannedWrites, 'owned' | 'booked'>;
}

/** The books when all was written. */
export function booksAfter(books: Bookkeeping, { root, writer, revision, writes }: Written): Bookkeeping {
  const texts = withTexts(books.texts, writes.booked);
  texts.set(revisionKey(root), JSON.stringify(revision));
  return { revision, owned: new Map(books.owned).set(writer, writes.owned), texts };
}
