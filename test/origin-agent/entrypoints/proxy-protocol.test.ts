import { describe, expect, it } from 'vitest';
import { proxyHeader, readProxyHeader } from '../../../src/origin-agent/entrypoints/proxy-protocol.ts';

const V2 = Buffer.from('0d0a0d0a000d0a515549540a2111000ccb007107c633640110e101bb', 'hex');
const source = { address: '203.0.113.7', port: 4321 };
const destination = { address: '198.51.100.1', port: 443 };

describe('readProxyHeader', () => {
  it.each([
    ['version 1', Buffer.from('PROXY TCP4 203.0.113.7 198.51.100.1 4321 443\r\nGET'), { size: 46, source, destination }],
    ['version 2', V2, { size: 28, source, destination }],
    ['UNKNOWN', Buffer.from('PROXY UNKNOWN\r\n'), { size: 15, source: undefined, destination: undefined }],
    ['LOCAL', Buffer.from('0d0a0d0a000d0a515549540a20000000', 'hex'), { size: 16, source: undefined, destination: undefined }],
    ['no header', Buffer.from('GET / HTTP/1.1\r\n'), 'none'],
    ['another P', Buffer.from('POST / HTTP/1.1\r\n'), 'none'],
    ['a bad address', Buffer.from('PROXY TCP4 999.1.1.1 1.1.1.1 1 2\r\n'), 'broken'],
    ['a family that is not the address’s', Buffer.from('PROXY TCP6 1.1.1.1 1.1.1.1 1 2\r\n'), 'broken'],
    ['a bad port', Buffer.from('PROXY TCP4 1.1.1.1 1.1.1.1 1 70000\r\n'), 'broken'],
    ['words behind it', Buffer.from('PROXY TCP4 1.1.1.1 1.1.1.1 1 2 3\r\n'), 'broken'],
    ['no end of line in 107 bytes', Buffer.from(`PROXY TCP4 ${'1'.repeat(120)}`), 'broken'],
    ['version 3', Buffer.from('0d0a0d0a000d0a515549540a3111000c', 'hex'), 'broken'],
    ['version 2 without room for addresses', Buffer.from('0d0a0d0a000d0a515549540a2111000400000000', 'hex'), 'broken'],
  ])('%s', (_name, bytes, expected) => {
    expect(readProxyHeader(bytes)).toEqual(expected);
  });

  it.each([
    ['version 1', Buffer.from('PROXY TCP4 203.0.113.7 198.51.100.1 4321 443\r\n')],
    ['version 2', V2],
  ])('waits for every byte of %s', (_name, bytes) => {
    for (let size = 0; size < bytes.length; size++) expect(readProxyHeader(bytes.subarray(0, size))).toBe('more');
  });
});

describe('proxyHeader', () => {
  it.each([
    [1, '203.0.113.7', '198.51.100.1'],
    [2, '203.0.113.7', '198.51.100.1'],
    [1, '2001:db8::7', '2001:db8::1'],
    [2, '2001:db8::7', '2001:db8::1'],
  ])('of version %d from %s to %s is read back', (version, from, to) => {
    const header = proxyHeader(version, { address: from, port: 4321 }, { address: to, port: 443 });
    expect(readProxyHeader(header)).toEqual({
      size: header.length,
      source: { address: from, port: 4321 },
      destination: { address: to, port: 443 },
    });
  });

  it('writes a mapped address as the IPv4 one it is', () => {
    expect(proxyHeader(1, { address: '::ffff:203.0.113.7', port: 1 }, destination).toString()).toBe(
      'PROXY TCP4 203.0.113.7 198.51.100.1 1 443\r\n',
    );
  });
});
