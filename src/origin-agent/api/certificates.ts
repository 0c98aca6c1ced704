import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { RuntimeConfiguration } from '../../config/runtime.ts';
import type { Listed } from './listing.ts';

/** A certificate as the API shows it. */
export interface CertificateFacts {
  /** SHA-256 of the DER, hex. */
  readonly name: string;
  readonly sans: readonly string[];
  readonly notAfter: string;
  readonly notBefore: string;
  /** Decimal. */
  readonly serialNumber: string;
  readonly commonName: string;
  readonly issuerOrg?: string;
  readonly issuerCN?: string;
  readonly issuerCountry?: string;
  readonly organization?: string;
  readonly country?: string;
  readonly version: string;
  readonly keyType: string;
  readonly keySize?: number;
  readonly signatureAlgorithm: string;
  readonly certFingerprint: string;
  readonly publicKeyFingerprint: string;
  readonly status: 'enabled' | 'warning' | 'expired';
}

/** Days before its end from which a certificate is a warning. */
const WARNING_MS = 30 * 24 * 3600 * 1000;
/** Bits by Node's name of the curve. */
const CURVES: Readonly<Record<string, number>> = { prime256v1: 256, secp384r1: 384, secp521r1: 521, secp224r1: 224 };

/** Served certificates, each once. What cannot be read is left out: the TLS side reports it. */
export function certificatesOf(runtime: RuntimeConfiguration, now: number): CertificateFacts[] {
  const found = new Map<string, CertificateFacts>();
  const stored = Object.values(runtime.tls.stores).flatMap(({ defaultCertificate }) => defaultCertificate ?? []);
  for (const { certFile } of [...runtime.tls.certificates, ...stored]) {
    const facts = read(certFile, now);
    if (facts !== undefined) found.set(facts.name, facts);
  }
  return [...found.values()];
}

export const listedCertificate = (facts: CertificateFacts): Listed => ({
  shown: { ...facts },
  name: facts.commonName,
  status: facts.status,
  searched: [facts.commonName, facts.issuerOrg ?? '', facts.issuerCN ?? '', ...facts.sans],
  order: { status: facts.status, issuer: facts.issuerOrg ?? facts.issuerCN ?? '', validUntil: facts.notAfter },
});

function read(fileOrContent: string | undefined, now: number): CertificateFacts | undefined {
  if (fileOrContent === undefined || fileOrContent === '') return undefined;
  try {
    const pem = fileOrContent.includes('-----BEGIN') ? fileOrContent : readFileSync(fileOrContent, 'utf8');
    return describeCertificate(new X509Certificate(pem), now);
  } catch {
    return undefined;
  }
}

export function describeCertificate(certificate: X509Certificate, now: number): CertificateFacts {
  const [subject, issuer] = [nameParts(certificate.subject), nameParts(certificate.issuer)];
  const fingerprint = sha256(certificate.raw);
  const { asymmetricKeyType, asymmetricKeyDetails } = certificate.publicKey;
  const leftMs = certificate.validToDate.getTime() - now;
  const keySize = asymmetricKeyType === 'rsa' ? asymmetricKeyDetails?.modulusLength : CURVES[asymmetricKeyDetails?.namedCurve ?? ''];
  return {
    name: fingerprint,
    sans: (certificate.subjectAltName ?? '')
      .split(', ')
      .flatMap((entry) => /^(?:DNS|IP Address):(.*)$/.exec(entry)?.[1] ?? [])
      .sort(),
    notAfter: goTime(certificate.validToDate),
    notBefore: goTime(certificate.validFromDate),
    serialNumber: BigInt(`0x${certificate.serialNumber}`).toString(),
    commonName: subject.CN ?? '',
    ...(issuer.O !== undefined && { issuerOrg: issuer.O }),
    ...(issuer.CN !== undefined && { issuerCN: issuer.CN }),
    ...(issuer.C !== undefined && { issuerCountry: issuer.C }),
    ...(subject.O !== undefined && { organization: subject.O }),
    ...(subject.C !== undefined && { country: subject.C }),
    version: 'v3',
    keyType: asymmetricKeyType === 'rsa' ? 'RSA' : asymmetricKeyType === 'ec' ? 'ECDSA' : 'Unknown',
    ...(keySize !== undefined && { keySize }),
    signatureAlgorithm: goAlgorithm((certificate as { signatureAlgorithm?: string }).signatureAlgorithm ?? ''),
    certFingerprint: fingerprint,
    publicKeyFingerprint: sha256(certificate.publicKey.export({ type: 'spki', format: 'der' })),
    status: leftMs < 0 ? 'expired' : leftMs < WARNING_MS ? 'warning' : 'enabled',
  };
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const goTime = (date: Date): string => date.toISOString().replace('.000Z', 'Z');

/** First value of each part of a name: `CN=a\nO=b`. */
function nameParts(text: string | undefined): Record<string, string | undefined> {
  const parts: Record<string, string | undefined> = {};
  for (const line of (text ?? '').split('\n')) {
    const at = line.indexOf('=');
    if (at > 0) parts[line.slice(0, at)] ??= line.slice(at + 1);
  }
  return parts;
}

/** `sha256WithRSAEncryption` → `SHA256-RSA`, `ecdsa-with-SHA256` → `ECDSA-SHA256`, as Go writes them. */
function goAlgorithm(name: string): string {
  const rsa = /^(sha\d+)WithRSAEncryption$/i.exec(name);
  if (rsa !== null) return `${rsa[1]!.toUpperCase()}-RSA`;
  const ecdsa = /^ecdsa-with-(SHA\d+)$/i.exec(name);
  if (ecdsa !== null) return `ECDSA-${ecdsa[1]!.toUpperCase()}`;
  return name.toUpperCase() === 'ED25519' ? 'Ed25519' : name;
}
