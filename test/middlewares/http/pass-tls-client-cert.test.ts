import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { passTLSClientCert } from '../../../src/middlewares/http/pass-tls-client-cert.ts';
import { build, refusal } from '../../support/middleware-harness.ts';

const der = (name: string): Uint8Array => new Uint8Array(readFileSync(`test/fixtures/certificates/${name}.der`));
const withChain = (...clientCertificates: Uint8Array[]) => ({
  tls: { serverName: 'x.test', version: '1.3', cipher: '', clientCertificates, options: 'default' },
});
const allSubject = {
  ...{ country: true, province: true, locality: true, organization: true, organizationalUnit: true },
  ...{ commonName: true, serialNumber: true, domainComponent: true },
};
const { organizationalUnit: _, ...allIssuer } = allSubject;

it('passes the chain on as Base64', async () => {
  const { ask, seen } = build(passTLSClientCert, { pem: true });
  await ask({ ...withChain(der('full'), der('plain')), headers: [['X-Forwarded-Tls-Client-Cert', 'forged']] });
  const expected = [der('full'), der('plain')].map((bytes) => Buffer.from(bytes).toString('base64')).join(',');
  expect(seen[0]!.headers).toEqual([['X-Forwarded-Tls-Client-Cert', expected]]);
});

it.each([
  [
    'everything',
    { notAfter: true, notBefore: true, sans: true, serialNumber: true, subject: allSubject, issuer: allIssuer },
    'Subject="DC=test,DC=client,C=NL,ST=Drenthe,L=Assen,O=Acme BV,O=Ümlaut & Söhne,OU=Edge,OU=Zwei,SN=77,CN=client one";' +
      'Issuer="DC=test,DC=client,C=NL,ST=Drenthe,L=Assen,O=Acme BV,O=Ümlaut & Söhne,SN=77,CN=client one";' +
      'SerialNumber="10705027743971393590";NB="1577836800";NA="4733510400";' +
      'SAN="client.test,*.client.test,one@client.test,10.1.2.3,2001:db8::1,spiffe://client.test/one"',
  ],
  ['one attribute', { subject: { commonName: true } }, 'Subject="CN=client one"'],
  ['nothing that is there', { subject: { commonName: false }, sans: false }, ''],
])('tells %s', async (_, info, expected) => {
  const { ask, seen } = build(passTLSClientCert, { info });
  await ask(withChain(der('full')));
  const value = seen[0]!.headers[0]![1];
  expect(value).toMatch(/^[\w%.+*-]*$/);
  expect(decodeURIComponent(value.replaceAll('+', ' '))).toBe(expected);
});

it('puts commas between the certificates of a chain', async () => {
  const { ask, seen } = build(passTLSClientCert, { info: { serialNumber: true, subject: { organization: true } } });
  await ask(withChain(der('plain'), der('plain')));
  expect(decodeURIComponent(seen[0]!.headers[0]![1])).toBe(
    'Subject="O=Old";SerialNumber="10705027743971393591",Subject="O=Old";SerialNumber="10705027743971393591"',
  );
});

it.each([
  ['without TLS', {}],
  ['without a certificate', withChain()],
])('adds nothing %s', async (_, request) => {
  const { ask, seen } = build(passTLSClientCert, { pem: true, info: { sans: true } });
  await ask(request);
  expect(seen[0]!.headers).toEqual([]);
});

it('refuses what issuers do not have', () => {
  expect(refusal(passTLSClientCert, { info: { issuer: { organizationalUnit: true } } })).toMatch(
    /^info.issuer.organizationalUnit is no option here/,
  );
});
