import { boolean, duration, integer, list, map, object, string } from '../../base/schema.ts';

const LETS_ENCRYPT = 'https://acme-v02.api.letsencrypt.org/directory';

export const acme = object(
  {
    email: string('Address that the authority writes to.'),
    caServer: string('Directory of the authority.', { default: LETS_ENCRYPT }),
    preferredChain: string('Common name of the root that the chain shall end in.'),
    profile: string('Profile of certificates.'),
    emailAddresses: list(string('An address.'), 'Addresses in the certificate request.'),
    disableCommonName: boolean('Leaves the common name out of the certificate request.'),
    storage: string('File or store that holds account and certificates.', { default: 'acme.json' }),
    keyType: string('EC256, EC384, RSA2048, RSA4096 or RSA8192.', { default: 'RSA4096' }),
    eab: object(
      { kid: string('Key identifier.', { secret: true }), hmacEncoded: string('Key, base64url.', { secret: true }) },
      'An account that exists already.',
    ),
    certificatesDuration: integer('Hours that certificates are valid.', { default: 2_160 }),
    clientTimeout: duration('Time limit of a request to the authority.', { default: 120_000 }),
    clientResponseHeaderTimeout: duration('Time until the head of its answer.', { default: 30_000 }),
    certificateTimeout: duration('Time until a certificate is there.', { default: 30_000 }),
    caCertificates: list(string('PEM file or content.', { fileOrContent: true }), 'Authorities of its TLS certificate.'),
    caSystemCertPool: boolean('Trusts the authorities of the system too.'),
    caServerName: string('Name in its TLS certificate.'),
    dnsChallenge: object(
      {
        provider: string('Who serves the zone.'),
        resolvers: list(string('host:port.'), 'Name servers that are asked.'),
        propagation: object(
          {
            disableChecks: boolean('Does not look whether the record is visible.'),
            disableANSChecks: boolean('Does not ask the name servers of the zone.'),
            requireAllRNS: boolean('All resolvers must see the record.'),
            delayBeforeChecks: duration('Time before the first look.'),
          },
          'Whether the record is visible.',
          { presence: true },
        ),
        delayBeforeCheck: duration('Time before the first look.', { deprecated: 'write `propagation.delayBeforeChecks`.' }),
        disablePropagationCheck: boolean('Does not look.', { deprecated: 'write `propagation.disableChecks`.' }),
      },
      'DNS-01.',
      { presence: true },
    ),
    httpChallenge: object(
      { entryPoint: string('Entry point of port 80.'), delay: duration('Time before the answer is offered.') },
      'HTTP-01.',
      {
        presence: true,
      },
    ),
    tlsChallenge: object({ delay: duration('Time before the answer is offered.') }, 'TLS-ALPN-01.', { presence: true }),
  },
  'Certificates by ACME.',
);

export const certificatesResolvers = map(
  object(
    {
      acme,
      tailscale: object({}, 'Certificates from Tailscale.', { presence: true, ignored: 'certificates come by ACME only.' }),
    },
    'Where certificates come from.',
  ),
  'Certificate resolvers by name.',
);
