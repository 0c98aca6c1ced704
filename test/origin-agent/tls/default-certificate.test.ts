import { X509Certificate } from 'node:crypto';
import { expect, it } from 'vitest';
import { readCertificate } from '../../../src/origin-agent/tls/certificates.ts';
import { generateDefaultCertificate } from '../../../src/origin-agent/tls/default-certificate.ts';

it('makes a certificate that OpenSSL reads, signed by its own key, for a year', () => {
  const now = Date.UTC(2026, 0, 2, 3, 4, 5);
  const pair = generateDefaultCertificate(now);
  const certificate = new X509Certificate(pair.cert);
  expect(certificate.subject).toBe('CN=EDGEWAY DEFAULT CERT');
  expect(certificate.subjectAltName).toMatch(/^DNS:[0-9a-f]{32}\.[0-9a-f]{32}\.edgeway\.default$/);
  expect(certificate.verify(certificate.publicKey)).toBe(true);
  expect(certificate.validFromDate.getTime()).toBe(now);
  expect(certificate.validToDate.getTime() - now).toBe(365 * 24 * 3600 * 1000);
  expect(readCertificate(pair).names).toHaveLength(2);
});

it('refuses a key of another certificate', () => {
  const [one, other] = [generateDefaultCertificate(0), generateDefaultCertificate(0)];
  expect(() => readCertificate({ cert: one.cert, key: other.key })).toThrow('The key is not that of the certificate');
});
