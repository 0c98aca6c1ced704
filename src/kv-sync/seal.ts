import { createHmac } from 'node:crypto';
import { CompactEncrypt } from 'jose';
import { encodeText } from '../base/bytes.ts';
import { Secret } from '../base/log.ts';
import { Fingerprinted, type PublicationObjects, type UnsealedObjects } from '../config/publication.ts';
import type { SealKey } from '../config/seal.ts';
import { SEALED_PREFIX } from '../config/sealed.ts';
import { canonicalJson } from '../config/snapshot.ts';

/** Makes sealed values and fingerprints. Equal values give equal texts, in every process that holds the key. */
export interface Sealer {
  seal(value: unknown): Promise<string>;
  /** Tells equal values from unequal ones, and nothing else of them. */
  fingerprint(value: string): string;
}

/**
 * The nonce of a ciphertext is a MAC of its plaintext (as in RFC 5297), under a key derived for that alone: a nonce comes twice
 * only with the same plaintext, so equal configurations stay equal bytes and nothing else is given away.
 */
export function createSealer({ id, bytes }: SealKey): Sealer {
  const nonceKey = mac(bytes, 'edgeway seal nonce');
  const fingerprintKey = mac(bytes, 'edgeway fingerprint');
  const sealed = new Map<string, Promise<string>>();

  async function encrypt(plaintext: string): Promise<string> {
    const jwe = await new CompactEncrypt(encodeText(plaintext))
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid: id })
      .setInitializationVector(new Uint8Array(mac(nonceKey, plaintext).subarray(0, 12)))
      .encrypt(bytes);
    return SEALED_PREFIX + jwe;
  }

  return {
    seal(value) {
      const plaintext = canonicalJson(value);
      let text = sealed.get(plaintext);
      if (text === undefined) sealed.set(plaintext, (text = encrypt(plaintext)));
      return text;
    },
    fingerprint: (value) => mac(fingerprintKey, value).subarray(0, 18).toString('base64url'),
  };
}

const mac = (key: Uint8Array, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/** Every `Secret` sealed, every `Fingerprinted` replaced by its fingerprint. */
export async function sealObjects(objects: UnsealedObjects, sealer: Sealer): Promise<PublicationObjects> {
  return (await sealNode(objects, sealer)) as PublicationObjects;
}

async function sealNode(node: unknown, sealer: Sealer): Promise<unknown> {
  if (typeof node !== 'object' || node === null || !holdsSecret(node)) return node;
  if (node instanceof Fingerprinted) return sealer.fingerprint(node.reveal());
  if (node instanceof Secret) return sealer.seal(node.reveal());
  if (Array.isArray(node)) return Promise.all(node.map((item) => sealNode(item, sealer)));
  return Object.fromEntries(await Promise.all(Object.entries(node).map(async ([name, item]) => [name, await sealNode(item, sealer)])));
}

const holdsSecret = (node: object): boolean =>
  node instanceof Secret || Object.values(node).some((item) => typeof item === 'object' && item !== null && holdsSecret(item));
