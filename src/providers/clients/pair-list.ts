import type { Pair } from '../../config/keys.ts';
import { StoreError } from './store.ts';

/** More than any configuration has (10,000 routers are some 50,000 keys), and less than what takes the process down. */
export const MAX_PAIRS = 500_000;
export const MAX_TEXT = 256 * 1024 * 1024;

/** Collects what a store lists, within bounds. `add` throws StoreError beyond them. */
export function createPairList(prefix: string): { readonly pairs: Pair[]; add(key: string, value: string): void } {
  const pairs: Pair[] = [];
  let length = 0;
  return {
    pairs,
    add(key, value) {
      length += key.length + value.length;
      if (pairs.length >= MAX_PAIRS || length > MAX_TEXT)
        throw new StoreError(
          'bad-answer',
          `Below '${prefix}' are more than ${MAX_PAIRS} keys or ${MAX_TEXT / 1024 / 1024} MiB; is this the right root key?`,
        );
      pairs.push([key, value]);
    },
  };
}
