import { bookkeepingPrefix, type StoreClient, type StoreRevision } from './clients/store.ts';

/** What sync noted last; undefined when it never wrote here, or when the text is none of its notes. Throws StoreError. */
export async function readRevision(store: StoreClient, root: string): Promise<StoreRevision | undefined> {
  const text = await store.get(`${bookkeepingPrefix(root)}revision`);
  if (text === undefined) return undefined;
  try {
    const { revision, state, hash, writer, at } = JSON.parse(text) as Partial<StoreRevision>;
    if (!Number.isSafeInteger(revision) || (state !== 'writing' && state !== 'written')) return undefined;
    return { revision: revision!, state, hash: String(hash ?? ''), writer: String(writer ?? ''), at: Number(at ?? 0) };
  } catch {
    return undefined;
  }
}
