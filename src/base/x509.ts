import { formatIp } from './cidr.ts';

/** What certificates say that proxies pass on. */
export interface CertificateFacts {
  /** Attribute type (`C`, `ST`, `CN` …, else the object identifier) and value, in the order of the certificate. */
  readonly subject: readonly (readonly [string, string])[];
  readonly issuer: readonly (readonly [string, string])[];
  /** In decimal. */
  readonly serialNumber: string;
  /** Seconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly dnsNames: readonly string[];
  readonly emailAddresses: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly uris: readonly string[];
}

const ATTRIBUTES: Record<string, string> = {
  '2.5.4.3': 'CN',
  '2.5.4.5': 'SERIALNUMBER',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '0.9.2342.19200300.100.1.25': 'DC',
};

const SUBJECT_ALTERNATIVE_NAME = '2.5.29.17';

interface Element {
  readonly tag: number;
  readonly content: Uint8Array;
}

/** Reads a DER certificate (RFC 5280 §4.1). Signatures are not checked; undefined when it is no certificate. */
export function readCertificate(der: Uint8Array): CertificateFacts | undefined {
  try {
    return readFacts(der);
  } catch {
    return undefined;
  }
}

function readFacts(der: Uint8Array): CertificateFacts {
  const certificate = children(only(der, 0x30));
  const parts = children(expect(certificate[0], 0x30));
  // The version is there unless it is 1.
  const start = parts[0]?.tag === 0xa0 ? 1 : 0;
  const [serial, , issuer, validity, subject] = parts.slice(start);
  const [notBefore, notAfter] = children(expect(validity, 0x30));
  const names = { dnsNames: [] as string[], emailAddresses: [] as string[], ipAddresses: [] as string[], uris: [] as string[] };
  const extensions = parts.find(({ tag }) => tag === 0xa3);
  if (extensions !== undefined) readAlternativeNames(extensions, names);
  return {
    subject: readName(subject),
    issuer: readName(issuer),
    serialNumber: readInteger(expect(serial, 0x02)).toString(),
    notBefore: readTime(notBefore),
    notAfter: readTime(notAfter),
    ...names,
  };
}

function readAlternativeNames(
  extensions: Element,
  names: { dnsNames: string[]; emailAddresses: string[]; ipAddresses: string[]; uris: string[] },
): void {
  for (const extension of children(only(extensions.content, 0x30))) {
    const fields = children(extension.content);
    if (readOid(expect(fields[0], 0x06)) !== SUBJECT_ALTERNATIVE_NAME) continue;
    for (const { tag, content } of children(only(expect(fields.at(-1), 0x04), 0x30))) {
      if (tag === 0x81) names.emailAddresses.push(ascii(content));
      else if (tag === 0x82) names.dnsNames.push(ascii(content));
      else if (tag === 0x86) names.uris.push(ascii(content));
      else if (tag === 0x87) names.ipAddresses.push(readIp(content));
    }
  }
}

function readName(name: Element | undefined): [string, string][] {
  const attributes: [string, string][] = [];
  for (const set of children(expect(name, 0x30))) {
    for (const attribute of children(set.content)) {
      const [type, value] = children(attribute.content);
      const oid = readOid(expect(type, 0x06));
      const text = readText(value!);
      if (text !== undefined) attributes.push([ATTRIBUTES[oid] ?? oid, text]);
    }
  }
  return attributes;
}

/** The text of one of ASN.1's string types; undefined for anything else. */
function readText({ tag, content }: Element): string | undefined {
  switch (tag) {
    case 0x0c: // UTF8String
    case 0x12: // NumericString
    case 0x13: // PrintableString
    case 0x14: // TeletexString
    case 0x16: // IA5String
      return new TextDecoder().decode(content);
    case 0x1e: // BMPString
      return new TextDecoder('utf-16be').decode(content);
    default:
      return undefined;
  }
}

function readTime(element: Element | undefined): number {
  const text = ascii(element!.content);
  const short = element!.tag === 0x17;
  const match = (short ? /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?Z$/ : /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?Z$/).exec(text)!;
  const [year, month, day, hour, minute, second] = match.slice(1).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const fullYear = short ? year + (year < 50 ? 2000 : 1900) : year;
  return Date.UTC(fullYear, month - 1, day, hour, minute, second) / 1000;
}

function readInteger(content: Uint8Array): bigint {
  let value = 0n;
  for (const byte of content) value = (value << 8n) | BigInt(byte);
  return content.length > 0 && content[0]! >= 0x80 ? value - (1n << BigInt(8 * content.length)) : value;
}

function readOid(content: Uint8Array): string {
  const parts: number[] = [];
  let part = 0;
  for (const byte of content) {
    part = part * 128 + (byte & 0x7f);
    if (byte < 0x80) {
      parts.push(part);
      part = 0;
    }
  }
  const first = parts[0] ?? 0;
  const root = Math.min(2, Math.floor(first / 40));
  return [root, first - 40 * root, ...parts.slice(1)].join('.');
}

function readIp(content: Uint8Array): string {
  if (content.length === 4) return content.join('.');
  if (content.length !== 16) throw new Error('no address');
  return formatIp(content);
}

const ascii = (content: Uint8Array): string => String.fromCharCode(...content);

function expect(element: Element | undefined, tag: number): Uint8Array {
  if (element?.tag !== tag) throw new Error(`no element of type ${tag}`);
  return element.content;
}

/** The content of the element that the bytes begin with. */
const only = (bytes: Uint8Array, tag: number): Uint8Array => expect(readElement(bytes, 0)?.element, tag);

function children(content: Uint8Array | Element): Element[] {
  const bytes = content instanceof Uint8Array ? content : content.content;
  const elements: Element[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    const { element, end } = readElement(bytes, offset);
    elements.push(element);
    offset = end;
  }
  return elements;
}

function readElement(bytes: Uint8Array, offset: number): { element: Element; end: number } {
  const tag = bytes[offset]!;
  let length = bytes[offset + 1]!;
  let start = offset + 2;
  if (length >= 0x80) {
    const count = length & 0x7f;
    // Four bytes of length are more than any certificate has.
    if (count === 0 || count > 4) throw new Error('no definite length');
    length = 0;
    for (let i = 0; i < count; i++) length = length * 256 + bytes[start + i]!;
    start += count;
  }
  if (!(start + length <= bytes.length)) throw new Error('cut off');
  return { element: { tag, content: bytes.subarray(start, start + length) }, end: start + length };
}
