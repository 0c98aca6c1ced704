import { boolean, object, string } from '../../base/schema.ts';

/** TLS towards a provider or a collector. */
export const tlsClient = object(
  {
    ca: string('Authority that signed the certificate of the other side: PEM file or content.', { fileOrContent: true }),
    cert: string('Our certificate: PEM file or content.', { fileOrContent: true }),
    key: string('Its key: PEM file or content.', { fileOrContent: true, secret: true }),
    insecureSkipVerify: boolean('Trusts any certificate.'),
  },
  'TLS towards the other side.',
);
