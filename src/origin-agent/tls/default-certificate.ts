import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import type { KeyPair } from './store.ts';

const YEAR_MS = 365 * 24 * 3600 * 1000;

// Node makes keys and signatures, but no certificates; these few shapes of DER are all that one of our own needs (RFC 5280).
const der = (tag: number, ...contents: readonly Uint8Array[]): Buffer => {
  const content = Buffer.concat(contents);
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
};
const sequence = (...contents: readonly Uint8Array[]): Buffer => der(0x30, ...contents);
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
const text = (tag: number, value: string): Buffer => der(tag, Buffer.from(value));
const generalizedTime = (ms: number): Buffer => text(0x18, `${new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '')}`);

const ECDSA_WITH_SHA256 = sequence(oid('2a8648ce3d040302'));
const COMMON_NAME = oid('550403');
const SUBJECT_ALT_NAME = oid('551d11');

/** A certificate of our own for names that have none, good for a year; nobody trusts it. Its name tells what it is. */
export function generateDefaultCertificate(nowMs: number): KeyPair {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const host = `${randomBytes(16).toString('hex')}.${randomBytes(16).toString('hex')}.edgeway.default`;
  const name = sequence(der(0x31, sequence(COMMON_NAME, text(0x0c, 'EDGEWAY DEFAULT CERT'))));
  const names = sequence(SUBJECT_ALT_NAME, der(0x04, sequence(text(0x82, host))));
  const content = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    // A first byte below 128 keeps the number positive.
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    ECDSA_WITH_SHA256,
    name,
    sequence(generalizedTime(nowMs), generalizedTime(nowMs + YEAR_MS)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(names)),
  );
  const signature = sign('sha256', content, privateKey);
  const certificate = sequence(content, ECDSA_WITH_SHA256, der(0x03, Buffer.from([0]), signature));
  const lines = certificate.toString('base64').replace(/.{64}/g, '$&\n');
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}
