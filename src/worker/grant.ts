import { importJWK, type JWK, SignJWT } from 'jose';
import type { Clock } from '../base/clock.ts';
import { GRANT_LIFETIME_S, type GrantClaims } from '../config/envelope.ts';

/** Signs grants and keeps each until it nears its end: a signature costs more CPU than all else that a request needs. */
export interface GrantIssuer {
  grant(agent: string, kind: GrantClaims['kind'], name: string): Promise<string>;
}

/** Seconds before the end at which a grant is replaced: longer than any request takes to reach its agent. */
const RENEW_BEFORE_S = 15;
const KEPT_LIMIT = 4096;

/** `key` is the text of a private Ed25519 JWK with `kid`. */
export function createGrantIssuer(key: string, clock: Pick<Clock, 'now'>): GrantIssuer {
  const jwk = JSON.parse(key) as JWK;
  const kept = new Map<string, { token: string; exp: number }>();
  // Values, not promises: a promise of a request that was cut off would never settle for the others.
  let signingKey: Awaited<ReturnType<typeof importJWK>> | undefined;

  return {
    async grant(agent, kind, name) {
      const id = `${kind} ${agent} ${name}`;
      const iat = Math.floor(clock.now() / 1000);
      const known = kept.get(id);
      if (known !== undefined && known.exp - RENEW_BEFORE_S > iat) return known.token;
      signingKey ??= await importJWK(jwk, 'EdDSA');
      const exp = iat + GRANT_LIFETIME_S;
      const claims: GrantClaims = { aud: agent, kind, name, iat, exp };
      const token = await new SignJWT({ ...claims }).setProtectedHeader({ alg: 'EdDSA', kid: jwk.kid! }).sign(signingKey);
      kept.delete(id);
      if (kept.size >= KEPT_LIMIT) kept.delete(kept.keys().next().value!);
      kept.set(id, { token, exp });
      return token;
    },
  };
}

/** What agents pin: the public half of the key that signs grants. */
export function publicGrantKey(key: string): JWK {
  const { kty, crv, x, kid } = JSON.parse(key) as JWK;
  return { kty, crv, x, kid, alg: 'EdDSA', use: 'sig' };
}
