import { boolean, list, map, object, oneOf, string } from '../../base/schema.ts';
import { certificateFields, domain, names, tlsVersion } from './router-options.ts';

export const tlsCertificate = object(
  { ...certificateFields, stores: names('Stores that hold it; `default` when absent.') },
  'A certificate that is shown to clients.',
);

/** What Traefik offers where nothing is said; order does not matter to TLS 1.3. */
export const DEFAULT_CIPHER_SUITES = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA',
  'TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA',
  'TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA',
  'TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA',
  'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
  'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384',
  'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
  'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384',
  'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256',
  'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256',
];

const CLIENT_AUTH_TYPES = [
  'NoClientCert',
  'RequestClientCert',
  'RequireAnyClientCert',
  'VerifyClientCertIfGiven',
  'RequireAndVerifyClientCert',
] as const;

export const tlsOptions = object(
  {
    minVersion: tlsVersion('Oldest version of TLS; 1.2 when absent.'),
    maxVersion: tlsVersion('Newest version of TLS.'),
    cipherSuites: list(string('A suite, as TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256.'), 'Cipher suites of TLS 1.2 and older.', {
      default: DEFAULT_CIPHER_SUITES,
    }),
    curvePreferences: list(string('A curve, as X25519 or CurveP256.'), 'Key exchanges, preferred ones first.'),
    clientAuth: object(
      {
        caFiles: list(string('PEM file or content.', { fileOrContent: true }), 'Authorities that client certificates must come from.'),
        clientAuthType: oneOf(CLIENT_AUTH_TYPES, 'Whether a client certificate is wanted, and checked.', { open: 'broken' }),
      },
      'Client certificates.',
      { default: {} },
    ),
    sniStrict: boolean('Refuses names that no certificate stands for, and clients that name none.'),
    alpnProtocols: list(string('A protocol.'), 'Protocols offered by ALPN, preferred ones first.', {
      default: ['h2', 'http/1.1', 'acme-tls/1'],
    }),
    disableSessionTickets: boolean('Hands out no session tickets.'),
    preferServerCipherSuites: boolean('Without effect.', { deprecated: 'the server chooses the suite by itself.' }),
  },
  'TLS options.',
);

export const tlsStore = object(
  {
    defaultCertificate: object(certificateFields, 'Shown where no certificate fits.', { labels: false }),
    defaultGeneratedCert: object(
      { resolver: string('Name of the certificate resolver.'), domain },
      'Asked from a resolver and shown where no certificate fits.',
    ),
  },
  'A store; only `default` is used.',
);

export const tls = object(
  {
    certificates: list(tlsCertificate, 'Certificates.', { isolate: true, labels: false }),
    options: map(tlsOptions, 'TLS options by name; those named `default` are for routers that name none.', {
      isolate: true,
      labels: false,
    }),
    stores: map(tlsStore, 'Stores by name.', { isolate: true }),
  },
  'TLS.',
  { isolate: true },
);
