import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/base/log.ts';
import { Fingerprinted } from '../../src/config/publication.ts';
import { createOpener, parseSealKeys } from '../../src/config/seal.ts';
import { openSealed } from '../../src/config/sealed.ts';
import { createSealer, sealObjects } from '../../src/kv-sync/seal.ts';

const OLD = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8';
const NEW = 'IAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8';
const sealerOf = async (text: string) => createSealer((await parseSealKeys(text))[0]!);

const unsealed = (password: string) => ({
  routers: {},
  services: { 's@file': { config: {}, folded: { weight: 1, digest: new Fingerprinted('options') } } },
  middlewares: { 'auth@file': { kind: 'basicAuth', options: { users: [new Secret(`joe:${password}`), new Secret('ann:y')], realm: 'r' } } },
  serversTransports: {},
});

describe('sealing', () => {
  it('hides every secret, and opens again with the key', async () => {
    const sealed = await sealObjects(unsealed('hunter2'), await sealerOf(OLD));
    expect(JSON.stringify(sealed)).not.toMatch(/hunter2|joe|ann:y|"options"$/);
    const opened = await openSealed(sealed.middlewares, createOpener(await parseSealKeys(OLD)));
    expect(opened['auth@file']).toEqual({ kind: 'basicAuth', options: { users: ['joe:hunter2', 'ann:y'], realm: 'r' } });
  });

  it('prints nothing secret before either', () => {
    expect(JSON.stringify(unsealed('hunter2'))).not.toContain('hunter2');
  });

  it('gives equal bytes for equal values in every process, unequal ones for unequal values', async () => {
    const [one, other] = [await sealerOf(OLD), await sealerOf(OLD)];
    expect(await sealObjects(unsealed('a'), one)).toEqual(await sealObjects(unsealed('a'), other));
    expect(await one.seal('a')).not.toBe(await one.seal('b'));
    expect(one.fingerprint('a')).toBe(other.fingerprint('a'));
    expect(one.fingerprint('a')).not.toBe(one.fingerprint('b'));
    expect((await sealerOf(NEW)).fingerprint('a')).not.toBe(one.fingerprint('a'));
  });

  it('never uses a nonce for two plaintexts', async () => {
    const sealer = await sealerOf(OLD);
    const nonces = await Promise.all(Array.from({ length: 500 }, async (_, i) => (await sealer.seal(`value ${i}`)).split('.')[2]));
    expect(new Set(nonces).size).toBe(500);
  });

  it('opens what the old key sealed while keys rotate, and nothing else', async () => {
    const text = (await (await sealerOf(OLD)).seal('x')).slice('sealed:'.length);
    expect(await createOpener(await parseSealKeys(`${NEW},${OLD}`))(text)).toBe('x');
    await expect(createOpener(await parseSealKeys(NEW))(text)).rejects.toThrow('which is not here');
    const parts = text.split('.');
    parts[3] = `${parts[3]!.startsWith('A') ? 'B' : 'A'}${parts[3]!.slice(1)}`;
    await expect(createOpener(await parseSealKeys(OLD))(parts.join('.'))).rejects.toThrow();
  });

  it('refuses a key of another size', async () => {
    await expect(parseSealKeys('c2hvcnQ')).rejects.toThrow('must have 256');
  });
});
