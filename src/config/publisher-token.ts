import { base64url, CompactSign, type CryptoKey, compactVerify, type JWK } from 'jose';
import { decodeText, encodeText } from '../base/bytes.ts';

/** A token stands for one request: its method, path, body and time. */
export interface TokenClaims {
  /** Name of the publisher. */
  readonly iss: string;
  readonly method: string;
  /** With the query. */
  readonly path: string;
  /** SHA-256 of the body, base64url. */
  readonly body: string;
  /** Milliseconds since the epoch by the hub's clock; grows from token to token of a publisher, so that none counts twice. */
  readonly time: number;
  readonly jti: string;
}

/** A token that was read, not verified. */
export interface Token {
  readonly jws: string;
  readonly claims: TokenClaims;
}

const TYPE = 'edgeway+jws';
const SCHEME = 'Edgeway ';

export const hashBody = async (body: Uint8Array<ArrayBuffer>): Promise<string> =>
  base64url.encode(new Uint8Array(await crypto.subtle.digest('SHA-256', body)));

/** Value of the Authorization field. */
export async function signToken(claims: TokenClaims, key: CryptoKey | JWK): Promise<string> {
  const jws = await new CompactSign(encodeText(JSON.stringify(claims))).setProtectedHeader({ alg: 'EdDSA', typ: TYPE }).sign(key);
  return SCHEME + jws;
}

/** What a token says before anybody has looked at its signature. Undefined when it is none. */
export function readClaims(authorization: string | null): Token | undefined {
  if (!authorization?.startsWith(SCHEME)) return undefined;
  const jws = authorization.slice(SCHEME.length);
  try {
    const claims = JSON.parse(decodeText(base64url.decode(jws.split('.')[1]!))) as TokenClaims;
    return typeof claims.iss === 'string' && typeof claims.time === 'number' ? { jws, claims } : undefined;
  } catch {
    return undefined;
  }
}

/** Whether the key signed the token. */
export async function isSignedBy(jws: string, key: JWK): Promise<boolean> {
  try {
    const { protectedHeader } = await compactVerify(jws, key, { algorithms: ['EdDSA'] });
    return protectedHeader.typ === TYPE;
  } catch {
    return false;
  }
}
