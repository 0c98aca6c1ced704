import { hmac } from '@noble/hashes/hmac.js';
import { md5, sha1 } from '@noble/hashes/legacy.js';
import { sha256 } from '@noble/hashes/sha2.js';
import bcrypt from 'bcryptjs';
import { concatBytes, decodeText, encodeText, toBase64, toHex } from '../base/bytes.ts';
import type { MiddlewarePlatform } from './middleware.ts';

/** Whether a password fits a hash as htpasswd writes it: bcrypt, apr1 and crypt's MD5, {SHA}. */
export type PasswordCheck = (hash: string, password: Uint8Array) => Promise<boolean>;

export type HashKind = 'bcrypt' | 'md5' | 'sha' | 'unknown';

export function hashKind(hash: string): HashKind {
  if (/^\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}$/.test(hash)) return 'bcrypt';
  if (/^\$(apr1|1)\$[^$]*\$/.test(hash)) return 'md5';
  return hash.startsWith('{SHA}') ? 'sha' : 'unknown';
}

/** Bcrypt's cost; each step doubles the time (5: 3 ms, 10: 70 ms). Undefined for other kinds. */
export const bcryptCost = (hash: string): number | undefined => (hashKind(hash) === 'bcrypt' ? Number(hash.slice(4, 6)) : undefined);

/** Verified pairs that are remembered; the oldest gives way. */
const MAX_REMEMBERED = 1000;

/**
 * A check that remembers what was verified, since clients send the same password with every request and slow hashes are meant to
 * cost milliseconds. It keeps HMACs under a key of its own, no passwords. The same question asked twice at once is answered once.
 */
export function createPasswordCheck(verify: PasswordCheck): PasswordCheck {
  const key = crypto.getRandomValues(new Uint8Array(32));
  const verified = new Map<string, Promise<boolean>>();
  return (hash, password) => {
    if (hashKind(hash) === 'sha') return verify(hash, password);
    const id = toHex(hmac(sha256, key, concatBytes([encodeText(`${hash}\0`), password])));
    const known = verified.get(id);
    if (known !== undefined) return known;
    const answer = verify(hash, password).then((fits) => {
      if (!fits) verified.delete(id);
      return fits;
    });
    if (verified.size >= MAX_REMEMBERED) verified.delete(verified.keys().next().value!);
    verified.set(id, answer);
    return answer;
  };
}

/** The check itself, without memory. */
export function createVerifier({ verifyBcrypt = bcrypt.compare }: Pick<MiddlewarePlatform, 'verifyBcrypt'>): PasswordCheck {
  return async (hash, password) => {
    switch (hashKind(hash)) {
      case 'bcrypt':
        // $2x$ names hashes of an old bug with 8-bit characters; like Traefik we take it for $2y$.
        return verifyBcrypt(decodeText(password), hash.replace(/^\$2x/, '$2y'));
      case 'sha':
        return equalTexts(hash.slice(5), toBase64(sha1(password)));
      case 'md5': {
        const [, magic, salt] = hash.split('$') as [string, string, string];
        return equalTexts(hash, md5Crypt(password, magic, salt));
      }
      default:
        return false;
    }
  };
}

/** Compares without telling by its time where the texts differ. */
export function equalTexts(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i % (b.length || 1));
  return difference === 0;
}

const DIGITS = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** The order in which the bytes of the last sum are written, in groups of three; byte 11 comes alone. */
const GROUPS = [
  [0, 6, 12],
  [1, 7, 13],
  [2, 8, 14],
  [3, 9, 15],
  [4, 10, 5],
] as const;

/** The MD5-based crypt of FreeBSD (magic `1`) and Apache (`apr1`): a thousand rounds. */
export function md5Crypt(password: Uint8Array, magic: string, saltText: string): string {
  const prefix = `$${magic}$`;
  const salt = encodeText(saltText);
  const inner = md5(concatBytes([password, salt, password]));
  const start: Uint8Array[] = [password, encodeText(prefix), salt];
  for (let left = password.length; left > 0; left -= 16) start.push(inner.subarray(0, Math.min(16, left)));
  for (let bits = password.length; bits > 0; bits >>= 1) start.push(bits & 1 ? new Uint8Array(1) : password.subarray(0, 1));
  let sum: Uint8Array = md5(concatBytes(start));
  for (let round = 0; round < 1000; round++) {
    const parts: Uint8Array[] = [round & 1 ? password : sum];
    if (round % 3 !== 0) parts.push(salt);
    if (round % 7 !== 0) parts.push(password);
    parts.push(round & 1 ? sum : password);
    sum = md5(concatBytes(parts));
  }
  let text = `${prefix}${saltText}$`;
  for (const [high, middle, low] of GROUPS) text += digits((sum[high]! << 16) | (sum[middle]! << 8) | sum[low]!, 4);
  return text + digits(sum[11]!, 2);
}

function digits(value: number, count: number): string {
  let text = '';
  for (let i = 0; i < count; i++) text += DIGITS[(value >> (6 * i)) & 63];
  return text;
}
