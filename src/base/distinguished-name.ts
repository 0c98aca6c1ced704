import { encodeText } from './bytes.ts';
import type { CertificateFacts } from './x509.ts';

/** Object identifiers of the attributes that `readCertificate` leaves as numbers. */
const STREET = '2.5.4.9';
const POSTAL_CODE = '2.5.4.17';
const DOMAIN_COMPONENT = '0.9.2342.19200300.100.1.25';

/** In the order in which Go puts them together; the text has them backwards. */
const KNOWN: readonly (readonly [type: string, name: string])[] = [
  ['C', 'C'],
  ['ST', 'ST'],
  ['L', 'L'],
  [STREET, 'STREET'],
  [POSTAL_CODE, 'POSTALCODE'],
  ['O', 'O'],
  ['OU', 'OU'],
  ['CN', 'CN'],
  ['SERIALNUMBER', 'SERIALNUMBER'],
];
/** Of those only the last one counts. */
const SINGLE = new Set(['CN', 'SERIALNUMBER']);

/** A name as one text, as Go's `pkix.Name` prints it (RFC 2253 §2, attributes in an order of its own). */
export function distinguishedName(name: CertificateFacts['subject']): string {
  const parts = name.filter(([type]) => !KNOWN.some(([known]) => known === type)).map(([type, value]) => unknownAttribute(type, value));
  for (const [type, spelling] of KNOWN) {
    const values = name.filter(([other, value]) => other === type && value !== '').map(([, value]) => value);
    const kept = SINGLE.has(type) ? values.slice(-1) : values;
    if (kept.length > 0) parts.push(kept.map((value) => `${spelling}=${escapeValue(value)}`).join('+'));
  }
  return parts.reverse().join(',');
}

const escapeValue = (value: string): string => value.replace(/[,+"\\<>;]|^[ #]| $/g, (sign) => `\\${sign}`);

/** `1.2.3=#1302…`: the DER of the value, as Go would write it anew. */
function unknownAttribute(type: string, value: string): string {
  const bytes = encodeText(value);
  const isPrintable = /^[A-Za-z0-9 '()+,\-./:=?]*$/.test(value);
  const length =
    bytes.length < 128 ? [bytes.length] : bytes.length < 256 ? [0x81, bytes.length] : [0x82, bytes.length >> 8, bytes.length & 255];
  const der = [isPrintable ? 0x13 : 0x0c, ...length, ...bytes];
  return `${type === 'DC' ? DOMAIN_COMPONENT : type}=#${der.map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}
