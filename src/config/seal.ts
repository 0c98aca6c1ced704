import { base64url, compactDecrypt } from 'jose';
import { decodeText, sha256Hex } from '../base/bytes.ts';
import { ConfigError } from '../base/errors.ts';

/** A key that agents, kv-sync and the Worker share: 256 bits for `A256GCM`. */
export interface SealKey {
  /** Stands as `kid` in what the key sealed. */
  readonly id: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Base64url keys divided by commas, the one in use first, older ones for what they sealed. Throws ConfigError. */
export async function parseSealKeys(text: string): Promise<SealKey[]> {
  return Promise.all(
    text.split(',').map(async (part) => {
      const bytes = new Uint8Array(base64url.decode(part.trim()));
      if (bytes.length !== 32)
        throw new ConfigError(
          'config.bad-value',
          `A seal key has ${bytes.length * 8} bits and must have 256; 'edgeway edge init' makes one`,
        );
      return { id: (await sha256Hex(bytes)).slice(0, 12), bytes };
    }),
  );
}

/** Opens the JWE of a sealed value, for `openSealed`. Rejects what no key here sealed, or what was changed. */
export function createOpener(keys: readonly SealKey[]): (jwe: string) => Promise<unknown> {
  const byId = new Map(keys.map((key) => [key.id, key.bytes]));
  return async (jwe) => {
    const { plaintext } = await compactDecrypt(
      jwe,
      ({ kid }) => {
        const key = byId.get(kid ?? '');
        if (key === undefined) throw new ConfigError('config.io', `A secret is sealed with the key '${kid}', which is not here`);
        return key;
      },
      { keyManagementAlgorithms: ['dir'], contentEncryptionAlgorithms: ['A256GCM'] },
    );
    return JSON.parse(decodeText(plaintext));
  };
}
