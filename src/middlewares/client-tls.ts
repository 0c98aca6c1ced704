import { boolean, string } from '../base/schema.ts';

/** Fields of a TLS client towards a server of no service (auth server, Redis). */
export const clientTlsFields = {
  ca: string('PEM file or content of the authorities that are trusted instead of the system’s.', { fileOrContent: true }),
  cert: string('PEM file or content of the certificate shown to the server.', { fileOrContent: true }),
  key: string('PEM file or content of the private key of `cert`.', { fileOrContent: true, secret: true }),
  insecureSkipVerify: boolean('Trusts any certificate.'),
} as const;
