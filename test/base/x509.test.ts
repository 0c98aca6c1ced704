import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { readCertificate } from '../../src/base/x509.ts';

const der = (name: string): Uint8Array => new Uint8Array(readFileSync(`test/fixtures/certificates/${name}.der`));

it('reads names, times and alternative names', () => {
  const name = [
    ['DC', 'test'],
    ['DC', 'client'],
    ['C', 'NL'],
    ['ST', 'Drenthe'],
    ['L', 'Assen'],
    ['O', 'Acme BV'],
    ['O', 'Ümlaut & Söhne'],
    ['OU', 'Edge'],
    ['OU', 'Zwei'],
    ['SERIALNUMBER', '77'],
    ['CN', 'first'],
    ['CN', 'client one'],
    ['1.2.840.113549.1.9.1', 'one@client.test'],
  ];
  expect(readCertificate(der('full'))).toEqual({
    subject: name,
    issuer: name,
    serialNumber: '10705027743971393590',
    notBefore: 1577836800,
    notAfter: 4733510400,
    dnsNames: ['client.test', '*.client.test'],
    emailAddresses: ['one@client.test'],
    ipAddresses: ['10.1.2.3', '2001:db8::1'],
    uris: ['spiffe://client.test/one'],
  });
});

it('reads a certificate of version 1', () => {
  expect(readCertificate(der('plain'))).toEqual({
    subject: [['O', 'Old']],
    issuer: [['O', 'Old']],
    serialNumber: '10705027743971393591',
    notBefore: Date.UTC(2049, 0, 1) / 1000,
    notAfter: Date.UTC(1950, 0, 1) / 1000,
    dnsNames: [],
    emailAddresses: [],
    ipAddresses: [],
    uris: [],
  });
});

it.each([
  ['nothing', new Uint8Array()],
  ['something else', new TextEncoder().encode('-----BEGIN CERTIFICATE-----')],
  ['an endless length', Uint8Array.of(0x30, 0x80, 0, 0)],
  ['a length beyond the end', Uint8Array.of(0x30, 0x84, 0xff, 0xff, 0xff, 0xff)],
])('says nothing of %s', (_, bytes) => {
  expect(readCertificate(bytes)).toBeUndefined();
});

it('survives every cut and every changed byte', () => {
  const whole = der('full');
  for (let i = 0; i < whole.length; i++) {
    expect(readCertificate(whole.subarray(0, i))).toBeUndefined();
    for (const value of [0, 0x30, 0x80, 0x84, 0xff]) {
      const changed = whole.slice();
      changed[i] = value;
      readCertificate(changed);
    }
  }
});
