import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { base64url, calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';

/** Secrets of the Worker, by the names under which it reads them. */
export interface EdgeSecrets {
  readonly EDGEWAY_GRANT_KEY: string;
  readonly EDGEWAY_SEAL_KEY: string;
  readonly EDGEWAY_ADMIN_KEY: string;
}

/** New keys: Ed25519 for grants, 32 bytes each for sealed values and for codes of operators. */
export async function createEdgeSecrets(): Promise<EdgeSecrets> {
  const { privateKey } = await generateKeyPair('EdDSA', { extractable: true });
  const jwk = await exportJWK(privateKey);
  const random = (): string => base64url.encode(crypto.getRandomValues(new Uint8Array(32)));
  return {
    EDGEWAY_GRANT_KEY: JSON.stringify({ ...jwk, alg: 'EdDSA', kid: await calculateJwkThumbprint(jwk) }),
    EDGEWAY_SEAL_KEY: random(),
    EDGEWAY_ADMIN_KEY: random(),
  };
}

/** Those of the file, which is made when it is missing; only its owner may read it. */
export async function readOrCreateEdgeSecrets(path: string): Promise<EdgeSecrets> {
  if (!existsSync(path)) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, JSON.stringify(await createEdgeSecrets(), null, 2), { mode: 0o600 });
  }
  chmodSync(path, 0o600);
  return JSON.parse(readFileSync(path, 'utf8')) as EdgeSecrets;
}
