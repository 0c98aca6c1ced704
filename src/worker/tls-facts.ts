import { fromBase64 } from '../base/bytes.ts';
import type { TlsFacts } from '../base/message.ts';

/** Cloudflare names TLS 1.3 suites its own way and older ones as OpenSSL does; Traefik's logs have Go's names. */
const CIPHERS: Readonly<Record<string, string>> = {
  'AEAD-AES128-GCM-SHA256': 'TLS_AES_128_GCM_SHA256',
  'AEAD-AES256-GCM-SHA384': 'TLS_AES_256_GCM_SHA384',
  'AEAD-CHACHA20-POLY1305-SHA256': 'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256': 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256': 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384': 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384': 'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305': 'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256',
  'ECDHE-RSA-CHACHA20-POLY1305': 'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256',
};

/** Fields of `request.cf` that are read here. */
export interface CfFacts {
  readonly clientAcceptEncoding?: string;
  readonly httpProtocol?: string;
  readonly tlsVersion?: string;
  readonly tlsCipher?: string;
  readonly tlsClientAuth?: {
    readonly certVerified?: string;
    readonly certRevoked?: string;
    readonly certRFC9440?: string;
    readonly certChainRFC9440?: string;
  };
}

/** The certificate is there only when Cloudflare verified it and it is not revoked: the fields are filled for refused ones too. */
export function tlsFacts(hostname: string, cf: CfFacts): TlsFacts {
  const { certVerified, certRevoked, certRFC9440, certChainRFC9440 } = cf.tlsClientAuth ?? {};
  const verified = certVerified === 'SUCCESS' && certRevoked !== '1';
  const cipher = cf.tlsCipher ?? '';
  return {
    serverName: hostname,
    version: (cf.tlsVersion ?? '').replace(/^TLSv/, ''),
    cipher: CIPHERS[cipher] ?? cipher,
    clientCertificates: verified ? [...parseByteSequences(certRFC9440), ...parseByteSequences(certChainRFC9440)] : [],
    options: 'default',
  };
}

/** RFC 8941's `:base64:` items, as RFC 9440 uses them. */
function* parseByteSequences(text = ''): Generator<Uint8Array> {
  for (const [, base64] of text.matchAll(/:([A-Za-z0-9+/=]+):/g)) yield fromBase64(base64!);
}
