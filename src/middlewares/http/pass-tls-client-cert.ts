import { boolean, object } from '../../base/schema.ts';
import { defineMiddleware } from '../middleware.ts';

const issuerFields = {
  country: boolean('Adds C.'),
  province: boolean('Adds ST.'),
  locality: boolean('Adds L.'),
  organization: boolean('Adds O.'),
  commonName: boolean('Adds CN.'),
  serialNumber: boolean('Adds SN.'),
  domainComponent: boolean('Adds DC.'),
} as const;

export const passTLSClientCert = defineMiddleware({
  kind: 'passTLSClientCert',
  summary: 'Tells the server about the client’s certificate in header fields.',
  options: object(
    {
      pem: boolean('Adds the certificate to X-Forwarded-Tls-Client-Cert.'),
      info: object(
        {
          notAfter: boolean('Adds the end of validity.'),
          notBefore: boolean('Adds the begin of validity.'),
          sans: boolean('Adds the alternative names.'),
          serialNumber: boolean('Adds the serial number.'),
          subject: object({ ...issuerFields, organizationalUnit: boolean('Adds OU.') }, 'Attributes of the subject.'),
          issuer: object(issuerFields, 'Attributes of the issuer.'),
        },
        'Parts that X-Forwarded-Tls-Client-Cert-Info gets.',
      ),
    },
    'passTLSClientCert',
  ),
  edge: true,
});
