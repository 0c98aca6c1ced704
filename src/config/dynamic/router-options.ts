import { boolean, list, object, oneOf, string } from '../../base/schema.ts';

export const names = (summary: string) => list(string('A name.'), summary);

/** `{}` or `true` switches it on. */
export const healthAware = object(
  {},
  'Passes over children that are down, and counts as down when all are; every child needs a health check then.',
  { presence: true },
);

export const domain = object({ main: string('First name.'), sans: names('Further names.') }, 'A certificate to ask for.');

/** What a router says about TLS. */
export const routerTlsFields = {
  options: string('Name of the TLS options.'),
  certResolver: string('Name of the certificate resolver.'),
  domains: list(domain, 'Names to ask certificates for, instead of those of the rule.'),
} as const;

export const certificateFields = {
  certFile: string('PEM file or content of the certificate and its chain.', { fileOrContent: true }),
  keyFile: string('PEM file or content of the private key.', { fileOrContent: true, secret: true }),
} as const;

/** A bad version breaks what it stands in: whoever uses it must refuse it. */
export const tlsVersion = (summary: string) =>
  oneOf(['VersionTLS10', 'VersionTLS11', 'VersionTLS12', 'VersionTLS13'], summary, { open: 'broken' });

/** Fields of a TLS client towards servers. */
export const serverTlsFields = {
  serverName: string('Name that is asked for (SNI) and expected in the certificate.'),
  insecureSkipVerify: boolean('Trusts any certificate.'),
  rootCAs: list(string('PEM file or content.', { fileOrContent: true }), 'Certificates that are trusted instead of the system’s.'),
  certificates: list(object(certificateFields, 'A certificate.'), 'Certificates shown to servers.'),
  peerCertURI: string('URI that must be among the alternative names of the certificate.'),
  spiffe: object(
    { ids: list(string('A SPIFFE ID.'), 'IDs that are allowed; win over `trustDomain`.'), trustDomain: string('Domain that is allowed.') },
    'Trusts SPIFFE identities.',
    { presence: 'not in keys', ignored: 'SPIFFE is not spoken; servers that need it cannot be reached.' },
  ),
} as const;

/** Options that no text can set, which Traefik's reader knows all the same. */
export const internalText = string('Set by providers.', { internal: 'note' });
