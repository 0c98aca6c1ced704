import { base64url, compactDecrypt } from 'jose';
import { decodeText } from '../base/bytes.ts';

/** Opens the JWE of a sealed value. Rejects when the key is another one or the text was changed. */
export function createUnsealer(key: string | undefined): (jwe: string) => Promise<unknown> {
  const secret = key === undefined ? undefined : base64url.decode(key);
  return async (jwe) => {
    if (secret === undefined) throw new Error('EDGEWAY_SEAL_KEY is not set');
    const { plaintext } = await compactDecrypt(jwe, secret, { keyManagementAlgorithms: ['dir'], contentEncryptionAlgorithms: ['A256GCM'] });
    return JSON.parse(decodeText(plaintext)) as unknown;
  };
}
