import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { KeyPair, StoredCertificate } from './store.ts';

/** Reads the names of a pair of PEM texts. Throws Error with a sentence when they are no certificate and key that belong together. */
export function readCertificate({ cert, key }: KeyPair): StoredCertificate {
  const certificate = new X509Certificate(cert);
  if (!certificate.checkPrivateKey(createPrivateKey(key))) throw new Error('The key is not that of the certificate');
  const names = new Set<string>();
  const common = /^CN=(.+)$/m.exec(certificate.subject ?? '')?.[1];
  if (common !== undefined) names.add(common.toLowerCase());
  for (const name of (certificate.subjectAltName ?? '').split(', ')) {
    const match = /^(?:DNS|IP Address):(.+)$/.exec(name);
    if (match !== null) names.add(match[1]!.toLowerCase());
  }
  return { cert, key, names: [...names] };
}
