import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { encodeText, toHex } from '../base/bytes.ts';
import type { MiddlewareContext } from './middleware.ts';
import { equalTexts } from './password.ts';
import { createSourceTable } from './source-table.ts';

/** After it a client is asked to answer anew (`stale`), which browsers do by themselves. */
const LIFETIME_MS = 60 * 60 * 1000;

export interface Nonces {
  readonly opaque: string;
  create(): string;
  /** Right when `count` is higher than any before it; `stale` when the nonce is old or the count came late. */
  use(nonce: string, count: number): 'right' | 'stale' | 'wrong';
}

/**
 * Nonces that prove themselves (their time and an HMAC of it), so that every data thread and every agent with the same secret takes
 * them, and so that asking for many takes no room. Only the counts of nonces that were answered rightly are kept.
 */
export function createNonces(secretText: string, context: MiddlewareContext): Nonces {
  const { clock, random } = context;
  const key = sha256(encodeText(secretText));
  const sign = (text: string): string => toHex(hmac(sha256, key, encodeText(text))).slice(0, 32);
  const counts = createSourceTable(context, 'digestAuth', 1);
  return {
    opaque: sign('opaque'),
    create() {
      const head = `${clock.now().toString(36)}.${Math.floor(random() * 2 ** 48).toString(36)}`;
      return `${head}.${sign(head)}`;
    },
    use(nonce, count) {
      const end = nonce.lastIndexOf('.');
      if (end === -1 || !equalTexts(sign(nonce.slice(0, end)), nonce.slice(end + 1))) return 'wrong';
      const age = clock.now() - Number.parseInt(nonce, 36);
      if (age > LIFETIME_MS) return 'stale';
      return counts.update(nonce, (row) => {
        const last = row[0]!;
        // The same count again is a replay, a lower one a request that was overtaken.
        if (last !== 0 && count <= last) return count === last ? 'wrong' : 'stale';
        row[0] = count;
        return 'right';
      });
    },
  };
}
