/** An address as 16 bytes (IPv4 mapped into ::ffff:0:0/96), so that mapped and plain IPv4 are one. */
export type IpBytes = Uint8Array;

/** The bytes of an IPv4 or IPv6 text (a zone is refused), or undefined. */
export function parseIp(text: string): IpBytes | undefined {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

function parseIpv4(text: string): IpBytes | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return undefined;
  const bytes = new Uint8Array(16);
  bytes[10] = bytes[11] = 0xff;
  for (let i = 0; i < 4; i++) {
    const part = match[i + 1]!;
    const value = Number(part);
    if (value > 255 || (part.length > 1 && part[0] === '0')) return undefined;
    bytes[12 + i] = value;
  }
  return bytes;
}

function parseIpv6(text: string): IpBytes | undefined {
  let source = text;
  const tail = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  if (tail !== null) {
    const v4 = parseIpv4(tail[2]!);
    if (v4 === undefined) return undefined;
    source = `${tail[1]}${((v4[12]! << 8) | v4[13]!).toString(16)}:${((v4[14]! << 8) | v4[15]!).toString(16)}`;
  }
  const halves = source.split('::');
  if (halves.length > 2) return undefined;
  const words = (half: string): string[] => (half === '' ? [] : half.split(':'));
  const head = words(halves[0]!);
  const rest = halves.length === 2 ? words(halves[1]!) : [];
  const missing = 8 - head.length - rest.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const all = [...head, ...Array<string>(missing).fill('0'), ...rest];
  const bytes = new Uint8Array(16);
  for (let i = 0; i < 8; i++) {
    if (!/^[0-9a-fA-F]{1,4}$/.test(all[i]!)) return undefined;
    const value = Number.parseInt(all[i]!, 16);
    bytes[2 * i] = value >> 8;
    bytes[2 * i + 1] = value & 0xff;
  }
  return bytes;
}

const isMapped = (bytes: IpBytes): boolean => bytes[10] === 0xff && bytes[11] === 0xff && bytes.subarray(0, 10).every((byte) => byte === 0);

export interface Cidr {
  readonly bytes: IpBytes;
  /** Bits of the 128 that count. */
  readonly bits: number;
  readonly v4: boolean;
}

/** `10.0.0.0/8`, `::1`, `2001:db8::/32`; a plain address is itself. Undefined when it is neither. `::/0` holds no IPv4 (Go). */
export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf('/');
  const bytes = parseIp(slash === -1 ? text : text.slice(0, slash));
  if (bytes === undefined) return undefined;
  const v4 = isMapped(bytes) && !text.includes(':');
  if (slash === -1) return { bytes, bits: 128, v4: isMapped(bytes) };
  const suffix = text.slice(slash + 1);
  if (!/^\d+$/.test(suffix)) return undefined;
  const bits = Number(suffix) + (v4 ? 96 : 0);
  return bits > 128 ? undefined : { bytes, bits, v4: v4 || (isMapped(bytes) && bits >= 96) };
}

export function cidrContains(cidr: Cidr, ip: IpBytes): boolean {
  if (isMapped(ip) !== cidr.v4) return false;
  const whole = cidr.bits >> 3;
  for (let i = 0; i < whole; i++) if (cidr.bytes[i] !== ip[i]) return false;
  const left = cidr.bits & 7;
  return left === 0 || (cidr.bytes[whole]! ^ ip[whole]!) >> (8 - left) === 0;
}

/** A test over a list of addresses and networks; texts must have passed parseCidr. */
export function createIpMatcher(ranges: readonly string[]): (address: string) => boolean {
  const cidrs = ranges.map((range) => parseCidr(range.trim())).filter((cidr) => cidr !== undefined);
  if (cidrs.length === 0) return () => false;
  return (address) => {
    const ip = parseIp(address);
    return ip !== undefined && cidrs.some((cidr) => cidrContains(cidr, ip));
  };
}

/** The canonical text (RFC 5952): IPv4 dotted, of IPv6's zero words the longest run as `::`. */
export function formatIp(bytes: IpBytes): string {
  if (isMapped(bytes)) return bytes.subarray(12).join('.');
  const words = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i]! << 8) | bytes[2 * i + 1]!).toString(16));
  let start = -1;
  let length = 1;
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && words[end] === '0') end++;
    if (end - i > length) {
      start = i;
      length = end - i;
    }
  }
  return start === -1 ? words.join(':') : `${words.slice(0, start).join(':')}::${words.slice(start + length).join(':')}`;
}
