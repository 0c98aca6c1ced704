import { exportJWK, generateKeyPair } from 'jose';
import { describe, expect, it } from 'vitest';
import { createGrantVerifier } from '../../src/origin-agent/grant-verifier.ts';
import { createGrantIssuer, publicGrantKey } from '../../src/worker/grant.ts';

describe('createGrantIssuer', () => {
  it('signs what an agent verifies with the public half, and signs again only near the end', async () => {
    const { privateKey } = await generateKeyPair('EdDSA', { extractable: true });
    const key = JSON.stringify({ ...(await exportJWK(privateKey)), kid: 'k' });
    let now = 5_000_500;
    const clock = { now: () => now };
    const issuer = createGrantIssuer(key, clock);
    const pinned = [publicGrantKey(key)];
    const verify = createGrantVerifier({ agentId: () => 'agent-1', keys: () => pinned, clock });
    expect(pinned[0]).not.toHaveProperty('d');

    const first = await issuer.grant('agent-1', 'service', 'app@docker');
    expect(await verify(first)).toEqual({ aud: 'agent-1', kind: 'service', name: 'app@docker', iat: 5000, exp: 5060 });
    expect(await issuer.grant('agent-1', 'router', 'app@docker')).not.toBe(first);
    now += 44_000;
    expect(await issuer.grant('agent-1', 'service', 'app@docker')).toBe(first);
    now += 1_000;
    expect(await issuer.grant('agent-1', 'service', 'app@docker')).not.toBe(first);
  });
});
