import { bookkeepingPrefix, type RollOut, type StoreClient, type StoreRevision } from './clients/store.ts';

/** What sync noted last; undefined when it never wrote here, or when the text is none of its notes. Throws StoreError. */
export const readRevision = async (store: StoreClient, root: string): Promise<StoreRevision | undefined> =>
  parseRevision(await store.get(`${bookkeepingPrefix(root)}revision`));

/** A text that is none of sync's notes counts as nothing: what matters is read from the keys themselves. */
export function parseRevision(text: string | undefined): StoreRevision | undefined {
  if (text === undefined) return undefined;
  try {
    const { revision, state, hash, writer, at, rollOut } = JSON.parse(text) as Partial<StoreRevision>;
    if (!Number.isSafeInteger(revision) || (state !== 'writing' && state !== 'written')) return undefined;
    const read = { revision: revision!, state, hash: String(hash ?? ''), writer: String(writer ?? ''), at: Number(at ?? 0) };
    return isRollOut(rollOut) ? { ...read, rollOut } : read;
  } catch {
    return undefined;
  }
}

const isRollOut = (value: RollOut | undefined): value is RollOut => Number.isSafeInteger(value?.revision) && Array.isArray(value?.nodes);
