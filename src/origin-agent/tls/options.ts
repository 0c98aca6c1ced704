import { X509Certificate } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';
import type { RuntimeConfiguration } from '../../config/runtime.ts';
import { CIPHER_SUITES, tlsVersionOf } from '../tls-names.ts';

export type TlsOptions = RuntimeConfiguration['tls']['options'][string];

/** What is asked of clients, as OpenSSL and we check it. */
export interface ClientAuth {
  /** Asks for a certificate. */
  readonly request: boolean;
  /** Without one the handshake fails. */
  readonly require: boolean;
  /** One that is shown must come from the authorities. */
  readonly verify: boolean;
  /** SHA-256 fingerprints of the authorities. */
  readonly authorities: ReadonlySet<string>;
}

/** TLS options as Node wants them. */
export interface ReadOptions {
  readonly context: SecureContextOptions;
  readonly protocols: readonly string[];
  readonly clientAuth: ClientAuth;
  readonly sniStrict: boolean;
}

/** Go's names of curves, and those of OpenSSL. */
const CURVES: Readonly<Record<string, string>> = {
  curvep256: 'P-256',
  curvep384: 'P-384',
  curvep521: 'P-521',
  secp256r1: 'P-256',
  secp384r1: 'P-384',
  secp521r1: 'P-521',
  x25519: 'X25519',
  x25519mlkem768: 'X25519MLKEM768',
  secp256r1mlkem768: 'SecP256r1MLKEM768',
  secp384r1mlkem1024: 'SecP384r1MLKEM1024',
};
const TLS13_SUITES = 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256';

/** Throws Error with a sentence when the options cannot be used. */
export function readTlsOptions(options: TlsOptions): ReadOptions {
  const { minVersion, maxVersion, alpnProtocols = [], clientAuth = {}, curvePreferences = [], sniStrict = false } = options;
  const min = tlsVersionOf(minVersion) ?? 'TLSv1.2';
  const max = tlsVersionOf(maxVersion);
  // OpenSSL 3 speaks TLS below 1.2 at security level 0 alone.
  const level = min === 'TLSv1' || min === 'TLSv1.1' ? ':@SECLEVEL=0' : '';
  const suites = (options.cipherSuites ?? []).map(suiteOf).filter((suite) => !suite.startsWith('TLS_'));
  const { caFiles = [] } = clientAuth;
  const authorities = caFiles.filter((text) => text.includes('-----BEGIN CERTIFICATE-----'));
  if (authorities.length < caFiles.length) throw new Error('clientAuth.caFiles: a file has no certificate');
  const auth = readClientAuth(clientAuth.clientAuthType, authorities);
  return {
    context: {
      // Without a suite for TLS 1.2 only 1.3 is left.
      minVersion: suites.length === 0 && (options.cipherSuites ?? []).length > 0 ? 'TLSv1.3' : min,
      ...(max !== undefined && { maxVersion: max }),
      ciphers: `${[TLS13_SUITES, ...suites].join(':')}${level}`,
      honorCipherOrder: true,
      ...(curvePreferences.length > 0 && { ecdhCurve: curvePreferences.map(curveOf).join(':') }),
      ...(auth.verify && { ca: authorities }),
    },
    protocols: alpnProtocols,
    clientAuth: auth,
    sniStrict,
  };
}

function suiteOf(name: string): string {
  const suite = CIPHER_SUITES[name];
  if (suite === undefined) throw new Error(`cipherSuites: there is no suite '${name}'`);
  return suite;
}

function curveOf(name: string): string {
  const curve = CURVES[name.toLowerCase()];
  if (curve === undefined) throw new Error(`curvePreferences: there is no curve '${name}'`);
  return curve;
}

function readClientAuth(type: string | undefined, authorities: readonly string[]): ClientAuth {
  const hasAuthorities = authorities.length > 0;
  const kind = type || (hasAuthorities ? 'RequireAndVerifyClientCert' : 'NoClientCert');
  const verify = kind === 'VerifyClientCertIfGiven' || kind === 'RequireAndVerifyClientCert';
  if (verify && !hasAuthorities) throw new Error(`clientAuth.caFiles: ${kind} needs authorities`);
  return { request: kind !== 'NoClientCert', require: kind.startsWith('Require'), verify, authorities: fingerprints(authorities) };
}

function fingerprints(texts: readonly string[]): Set<string> {
  const blocks = texts.flatMap((text) => text.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? []);
  return new Set(blocks.map((block) => new X509Certificate(block).fingerprint256));
}
