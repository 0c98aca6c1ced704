import { base64url, jwtVerify, SignJWT } from 'jose';
import { ConfigError } from '../base/errors.ts';

/**
 * Codes and sessions are signed with the key that `edgeway edge init` makes (EDGEWAY_ADMIN_KEY), so that it can print codes before
 * any Worker runs. `enrol` and `admin` count once; `session` is what an operator gets for an `admin` code.
 */
export type CodePurpose = 'enrol' | 'admin' | 'session';

export interface Code {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /** enrol: the only name that counts; session: whose it is. */
  readonly name?: string;
  /** enrol: an enrolled name gets the new key. */
  readonly replace?: true;
}

export interface CodeOptions {
  readonly purpose: CodePurpose;
  readonly now: number;
  readonly lifetimeMs: number;
  readonly name?: string;
  readonly replace?: boolean;
}

/** `key` is base64url, 32 bytes. Throws ConfigError when it is not. */
export async function createCode(key: string, { purpose, now, lifetimeMs, name, replace = false }: CodeOptions): Promise<string> {
  const jwt = new SignJWT(replace ? { replace } : {})
    .setProtectedHeader({ alg: 'HS256' })
    .setAudience(`edgeway ${purpose}`)
    .setJti(crypto.randomUUID())
    .setExpirationTime(Math.floor((now + lifetimeMs) / 1000));
  if (name !== undefined) jwt.setSubject(name);
  return jwt.sign(keyBytes(key));
}

/** Undefined when the code is none, is for something else, or has expired. */
export async function readCode(key: string, purpose: CodePurpose, text: string, now: number): Promise<Code | undefined> {
  try {
    const { payload } = await jwtVerify(text, keyBytes(key), {
      algorithms: ['HS256'],
      audience: `edgeway ${purpose}`,
      requiredClaims: ['jti', 'exp'],
      currentDate: new Date(now),
    });
    const { jti, exp, sub, replace } = payload;
    return { id: jti!, expiresAt: exp! * 1000, ...(sub !== undefined && { name: sub }), ...(replace === true && { replace }) };
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    return undefined;
  }
}

function keyBytes(key: string): Uint8Array {
  const bytes = base64url.decode(key);
  if (bytes.length !== 32)
    throw new ConfigError(
      'config.bad-value',
      `EDGEWAY_ADMIN_KEY has ${bytes.length} bytes and must have 32; 'edgeway edge init' makes one`,
    );
  return bytes;
}
