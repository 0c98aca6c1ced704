import { compactVerify, importJWK, type JWK } from 'jose';
import { decodeText } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import { GRANT_LEEWAY_S, GRANT_LIFETIME_S, type GrantClaims } from '../config/envelope.ts';

export interface GrantVerifierOptions {
  readonly agentId: () => string;
  /** Public Ed25519 keys with `kid`: the one pinned at enrolment, two while they rotate. Another list makes all grants be looked at again. */
  readonly keys: () => readonly JWK[];
  /** Must show the hub's time. */
  readonly clock: Pick<Clock, 'now'>;
}

/** The claims of a grant for this agent that holds now; undefined for any other text. */
export type GrantVerifier = (token: string | undefined) => Promise<GrantClaims | undefined>;

const KNOWN_LIMIT = 4096;

/** A signature is verified once: the edge sends the same grant with every request until it nears its end. */
export function createGrantVerifier({ agentId, keys, clock }: GrantVerifierOptions): GrantVerifier {
  let pinned: readonly JWK[] | undefined;
  let known = new Map<string, GrantClaims>();

  return async (token) => {
    if (token === undefined) return undefined;
    const current = keys();
    if (current !== pinned) {
      pinned = current;
      known = new Map();
    }
    const remembered = known.get(token);
    const claims = remembered ?? (await verifySignature(token, current));
    if (claims === undefined || !holds(claims)) {
      if (remembered !== undefined) known.delete(token);
      return undefined;
    }
    if (remembered === undefined) {
      if (known.size >= KNOWN_LIMIT) known.delete(known.keys().next().value!);
      known.set(token, claims);
    }
    return claims;
  };

  function holds({ aud, iat, exp }: GrantClaims): boolean {
    const nowS = clock.now() / 1000;
    return aud === agentId() && exp - iat <= GRANT_LIFETIME_S && iat <= nowS + GRANT_LEEWAY_S && exp > nowS - GRANT_LEEWAY_S;
  }
}

async function verifySignature(token: string, keys: readonly JWK[]): Promise<GrantClaims | undefined> {
  try {
    const { payload } = await compactVerify(
      token,
      async ({ kid }) => {
        const key = keys.find((candidate) => candidate.kid === kid);
        if (key === undefined) throw new Error('no key of this id is pinned');
        return importJWK(key, 'EdDSA');
      },
      { algorithms: ['EdDSA'] },
    );
    const claims: unknown = JSON.parse(decodeText(payload));
    return isGrant(claims) ? claims : undefined;
  } catch {
    return undefined;
  }
}

function isGrant(claims: unknown): claims is GrantClaims {
  if (typeof claims !== 'object' || claims === null) return false;
  const { aud, kind, name, iat, exp } = claims as Record<string, unknown>;
  const named = typeof aud === 'string' && typeof name === 'string' && (kind === 'service' || kind === 'router');
  return named && Number.isFinite(iat) && Number.isFinite(exp);
}
