import { toBase64 } from '../../base/bytes.ts';
import type { TlsFacts } from '../../base/message.ts';
import { boolean, type Infer, object } from '../../base/schema.ts';
import { escapeQuery } from '../../base/url.ts';
import { type CertificateFacts, readCertificate } from '../../base/x509.ts';
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

const info = object(
  {
    notAfter: boolean('Adds the end of validity.'),
    notBefore: boolean('Adds the begin of validity.'),
    sans: boolean('Adds the alternative names.'),
    serialNumber: boolean('Adds the serial number.'),
    subject: object({ ...issuerFields, organizationalUnit: boolean('Adds OU.') }, 'Attributes of the subject.'),
    issuer: object(issuerFields, 'Attributes of the issuer.'),
  },
  'Parts that X-Forwarded-Tls-Client-Cert-Info gets.',
);

export const passTLSClientCert = defineMiddleware({
  kind: 'passTLSClientCert',
  summary: 'Tells the server about the client’s certificate in header fields.',
  options: object({ pem: boolean('Adds the certificate to X-Forwarded-Tls-Client-Cert.'), info }, 'passTLSClientCert'),
  edge: true,
  create({ pem = false, info: parts }) {
    // A connection's facts are the same for all its requests.
    const texts = new WeakMap<TlsFacts, { pem: string; info: string }>();
    return (request, next) => {
      const { tls, headers } = request;
      if (tls === undefined || tls.clientCertificates.length === 0) return next(request);
      let text = texts.get(tls);
      if (text === undefined) texts.set(tls, (text = describeChain(tls.clientCertificates, parts)));
      if (pem) headers.set('X-Forwarded-Tls-Client-Cert', text.pem);
      if (parts !== undefined) headers.set('X-Forwarded-Tls-Client-Cert-Info', text.info);
      return next(request);
    };
  },
});

/** The certificates, leaf first, with commas between: as Base64, and what they say, query-escaped. */
const describeChain = (chain: readonly Uint8Array[], parts: Infer<typeof info> = {}): { pem: string; info: string } => ({
  pem: chain.map(toBase64).join(','),
  info: escapeQuery(
    chain
      .map((der) => readCertificate(der))
      .map((facts) => (facts === undefined ? '' : describeCertificate(facts, parts)))
      .join(','),
  ),
});

function describeCertificate(facts: CertificateFacts, parts: Infer<typeof info>): string {
  const fields: [string, string][] = [];
  const subject = describeName(facts.subject, parts.subject);
  if (subject !== '') fields.push(['Subject', subject]);
  const issuer = describeName(facts.issuer, parts.issuer);
  if (issuer !== '') fields.push(['Issuer', issuer]);
  if (parts.serialNumber) fields.push(['SerialNumber', facts.serialNumber]);
  if (parts.notBefore) fields.push(['NB', String(facts.notBefore)]);
  if (parts.notAfter) fields.push(['NA', String(facts.notAfter)]);
  const names = [...facts.dnsNames, ...facts.emailAddresses, ...facts.ipAddresses, ...facts.uris];
  if (parts.sans && names.length > 0) fields.push(['SAN', names.join(',')]);
  return fields.map(([name, value]) => `${name}="${value}"`).join(';');
}

type NameParts = Infer<typeof info>['subject'];

/** `C=…,O=…` in a fixed order; of a name or a serial number only the last counts. */
function describeName(attributes: CertificateFacts['subject'], parts: NameParts): string {
  if (parts === undefined) return '';
  const all = (type: string): string[] => attributes.filter(([name, value]) => name === type && value !== '').map(([, value]) => value);
  const wanted: [boolean | undefined, string, string[]][] = [
    [parts.domainComponent, 'DC', all('DC')],
    [parts.country, 'C', all('C')],
    [parts.province, 'ST', all('ST')],
    [parts.locality, 'L', all('L')],
    [parts.organization, 'O', all('O')],
    [parts.organizationalUnit, 'OU', all('OU')],
    [parts.serialNumber, 'SN', all('SERIALNUMBER').slice(-1)],
    [parts.commonName, 'CN', all('CN').slice(-1)],
  ];
  return wanted.flatMap(([on, label, values]) => (on ? values.map((value) => `${label}=${value}`) : [])).join(',');
}
