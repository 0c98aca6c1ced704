/** What a TLS client says before anything is encrypted. */
export interface ClientHello {
  /** In small letters; empty without. */
  readonly serverName: string;
  /** ALPN, in the client's order. */
  readonly protocols: readonly string[];
}

/** `more`: it goes on in bytes that have not come yet. `other`: this is not TLS. `broken`: TLS, but no hello can be read. */
export type HelloResult = ClientHello | 'more' | 'other' | 'broken';

const HANDSHAKE_RECORD = 22;
const CLIENT_HELLO = 1;
const MAX_RECORD_BYTES = 16_384 + 256;
/** Larger than any hello with post-quantum keys and a session ticket. */
const MAX_HELLO_BYTES = 65_536;
const SERVER_NAME = 0;
const ALPN = 16;

/** Reads a ClientHello from the first bytes of a connection, however it is cut into records. Linear in the bytes. */
export function readClientHello(bytes: Buffer): HelloResult {
  if (bytes.length === 0) return 'more';
  if (bytes[0] !== HANDSHAKE_RECORD) return 'other';
  if (bytes.length > 1 && bytes[1] !== 3) return 'other';
  const fragments: Buffer[] = [];
  let have = 0;
  for (let at = 0; ; ) {
    if (at + 5 > bytes.length) return 'more';
    if (bytes[at] !== HANDSHAKE_RECORD || bytes[at + 1] !== 3) return 'broken';
    const length = bytes.readUInt16BE(at + 3);
    if (length === 0 || length > MAX_RECORD_BYTES) return 'broken';
    const fragment = bytes.subarray(at + 5, at + 5 + length);
    fragments.push(fragment);
    have += fragment.length;
    const begun = fragments.length === 1 ? fragment : Buffer.concat(fragments, have);
    if (begun.length > 0 && begun[0] !== CLIENT_HELLO) return 'broken';
    if (begun.length >= 4) {
      const size = begun.readUIntBE(1, 3);
      if (size > MAX_HELLO_BYTES) return 'broken';
      if (have >= 4 + size) return readHello(begun.subarray(4, 4 + size));
      // A peer that cuts its hello into crumbs would have it read again with each of them.
      if (fragments.length > 64) return 'broken';
    }
    at += 5 + length;
  }
}

function readHello(hello: Buffer): HelloResult {
  try {
    // Version and random, then session id, suites, compression.
    let at = 34;
    at += 1 + hello.readUInt8(at);
    at += 2 + hello.readUInt16BE(at);
    at += 1 + hello.readUInt8(at);
    if (at === hello.length) return { serverName: '', protocols: [] };
    const end = at + 2 + hello.readUInt16BE(at);
    if (end !== hello.length) return 'broken';
    let serverName = '';
    let protocols: string[] = [];
    for (at += 2; at < end; ) {
      const kind = hello.readUInt16BE(at);
      const next = at + 4 + hello.readUInt16BE(at + 2);
      if (next > end) return 'broken';
      const content = hello.subarray(at + 4, next);
      if (kind === SERVER_NAME) serverName = readServerName(content);
      else if (kind === ALPN) protocols = readProtocols(content);
      at = next;
    }
    return { serverName, protocols };
  } catch {
    // A length that points outside.
    return 'broken';
  }
}

function readServerName(content: Buffer): string {
  for (let at = 2; at + 3 <= content.length; ) {
    const end = at + 3 + content.readUInt16BE(at + 1);
    if (end > content.length) throw new RangeError('server name');
    // Go leaves final dots out, too.
    if (content[at] === 0)
      return content
        .toString('latin1', at + 3, end)
        .toLowerCase()
        .replace(/\.$/, '');
    at = end;
  }
  return '';
}

function readProtocols(content: Buffer): string[] {
  const protocols: string[] = [];
  for (let at = 2; at < content.length; ) {
    const end = at + 1 + content[at]!;
    if (end > content.length) throw new RangeError('protocol');
    protocols.push(content.toString('latin1', at + 1, end));
    at = end;
  }
  return protocols;
}
