import { isIP } from 'node:net';
import { formatIp, parseIp } from '../../base/cidr.ts';

/** Who connected, by the word of a PROXY protocol header. */
export interface ProxyHeader {
  /** Bytes of the header. */
  readonly size: number;
  /** Undefined when the sender speaks for itself (UNKNOWN, LOCAL). */
  readonly source: Endpoint | undefined;
  readonly destination: Endpoint | undefined;
}

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
const V1 = Buffer.from('PROXY ');
const MAX_V1_BYTES = 107;
const MAX_V2_BYTES = 4096;

/** Reads a header of version 1 or 2. `none`: the connection begins without one. */
export function readProxyHeader(bytes: Buffer): ProxyHeader | 'more' | 'none' | 'broken' {
  if (bytes.length === 0) return 'more';
  if (isBegun(bytes, V1)) return bytes.length < V1.length ? 'more' : readV1(bytes);
  if (isBegun(bytes, SIGNATURE)) return bytes.length < 16 ? 'more' : readV2(bytes);
  return 'none';
}

const isBegun = (bytes: Buffer, mark: Buffer): boolean => {
  const length = Math.min(bytes.length, mark.length);
  return bytes.compare(mark, 0, length, 0, length) === 0;
};

function readV1(bytes: Buffer): ProxyHeader | 'more' | 'broken' {
  const end = bytes.indexOf('\r\n');
  if (end === -1) return bytes.length < MAX_V1_BYTES ? 'more' : 'broken';
  if (end + 2 > MAX_V1_BYTES) return 'broken';
  const [, family, from, to, fromPort, toPort, ...rest] = bytes.toString('latin1', 0, end).split(' ');
  const size = end + 2;
  if (family === 'UNKNOWN') return { size, source: undefined, destination: undefined };
  const version = family === 'TCP4' ? 4 : family === 'TCP6' ? 6 : -1;
  if (rest.length > 0 || isIP(from ?? '') !== version || isIP(to ?? '') !== version) return 'broken';
  const source = readPort(fromPort);
  const destination = readPort(toPort);
  if (source === undefined || destination === undefined) return 'broken';
  return { size, source: { address: from!, port: source }, destination: { address: to!, port: destination } };
}

const readPort = (text = ''): number | undefined => (/^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined);

function readV2(bytes: Buffer): ProxyHeader | 'more' | 'broken' {
  const [version, command] = [bytes[12]! >> 4, bytes[12]! & 15];
  const length = bytes.readUInt16BE(14);
  if (version !== 2 || command > 1 || length > MAX_V2_BYTES) return 'broken';
  const size = 16 + length;
  if (bytes.length < size) return 'more';
  const family = bytes[13]! >> 4;
  const width = family === 1 ? 4 : family === 2 ? 16 : 0;
  if (command === 0 || width === 0) return { size, source: undefined, destination: undefined };
  if (length < 2 * width + 4) return 'broken';
  const endpoint = (index: number): Endpoint => ({
    address: addressOf(bytes.subarray(16 + index * width, 16 + (index + 1) * width)),
    port: bytes.readUInt16BE(16 + 2 * width + 2 * index),
  });
  return { size, source: endpoint(0), destination: endpoint(1) };
}

const addressOf = (bytes: Buffer): string => (bytes.length === 4 ? bytes.join('.') : formatIp(bytes));

/** A header that tells a server who connected to which address of ours. */
export function proxyHeader(version: number, source: Endpoint, destination: Endpoint): Buffer {
  const from = parseIp(source.address);
  const to = parseIp(destination.address);
  if (from === undefined || to === undefined) return version === 1 ? Buffer.from('PROXY UNKNOWN\r\n') : Buffer.concat([SIGNATURE, LOCAL]);
  const texts = [formatIp(from), formatIp(to)];
  const short = texts.every((text) => isIP(text) === 4);
  if (version === 1) {
    const [a, b] = short ? texts : texts.map((text) => (isIP(text) === 4 ? `::ffff:${text}` : text));
    return Buffer.from(`PROXY TCP${short ? 4 : 6} ${a} ${b} ${source.port} ${destination.port}\r\n`);
  }
  const start = short ? 12 : 0;
  const content = Buffer.concat([from.subarray(start), to.subarray(start), Buffer.alloc(4)]);
  content.writeUInt16BE(source.port, content.length - 4);
  content.writeUInt16BE(destination.port, content.length - 2);
  return Buffer.concat([SIGNATURE, Buffer.from([0x21, short ? 0x11 : 0x21, 0, content.length]), content]);
}

const LOCAL = Buffer.from('20000000', 'hex');
