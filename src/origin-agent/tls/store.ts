import { wildcardRest } from '../../config/rule/host-expression.ts';

/** A certificate with its chain and its key, PEM texts. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

export interface StoredCertificate extends KeyPair {
  /** Names it stands for, in small letters. */
  readonly names: readonly string[];
}

/** The certificates of the store, found by the name a client asks for. */
export interface CertificateStore {
  /** Undefined when none stands for the name. */
  find(name: string): KeyPair | undefined;
  readonly fallback: KeyPair;
}

export function createCertificateStore(certificates: readonly StoredCertificate[], fallback: KeyPair): CertificateStore {
  const byName = new Map<string, KeyPair>();
  const keyOf = ({ names }: StoredCertificate): string => [...names].sort().join(',');
  // Traefik's order where several stand for a name: the last of the joined names wins, and of equal ones the first.
  const ordered = certificates.map((certificate) => ({ certificate, key: keyOf(certificate) }));
  ordered.sort((a, b) => (a.key < b.key ? 1 : a.key > b.key ? -1 : 0));
  for (const { certificate } of ordered) for (const name of certificate.names) if (!byName.has(name)) byName.set(name, certificate);
  return { find: (name) => (name === '' ? undefined : (byName.get(name) ?? byName.get(`*${wildcardRest(name)}`))), fallback };
}
