import { describe, expect, it, test } from 'vitest';
import { cidrContains, createIpMatcher, parseCidr, parseIp } from '../../src/base/cidr.ts';

/** The address as hexadecimal words, IPv4 in its IPv6 form. */
const hex = (text: string): string | undefined => {
  const bytes = parseIp(text);
  return bytes && Buffer.from(bytes).toString('hex');
};

// As Go's netip.ParseAddr answers, without zones.
describe('parseIp', () => {
  it.each([
    ['10.0.0.1', '00000000000000000000ffff0a000001'],
    ['255.255.255.255', '00000000000000000000ffffffffffff'],
    ['::', '0'.repeat(32)],
    ['::1', `${'0'.repeat(31)}1`],
    ['2001:DB8::7', '20010db8000000000000000000000007'],
    ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
    ['1:2:3:4:5:6:7::', '00010002000300040005000600070000'],
    ['::ffff:10.0.0.1', '00000000000000000000ffff0a000001'],
    ['64:ff9b::192.0.2.33', '0064ff9b0000000000000000c0000221'],
  ])('%s', (text, bytes) => {
    expect(hex(text)).toBe(bytes);
  });

  it.each([
    '',
    '10',
    '10.1',
    '10.0.0.256',
    '010.0.0.1',
    '10.0.0.1.1',
    ' 10.0.0.1',
    '10.0.0.1:80',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '12345::',
    'g::',
    'fe80::1%eth0',
    '[::1]',
    '::10.0.0',
    '1:2:3:4:5:6:7:8::',
  ])('refuses %j', (text) => {
    expect(parseIp(text)).toBeUndefined();
  });
});

describe('parseCidr', () => {
  it.each([
    ['10.0.0.0/8', '10.255.0.1', true],
    ['10.0.0.77/24', '10.0.0.1', true],
    ['10.0.0.0/24', '10.0.1.1', false],
    ['10.0.0.1', '10.0.0.1', true],
    ['10.0.0.1', '::ffff:10.0.0.1', true],
    ['0.0.0.0/0', '203.0.113.7', true],
    ['0.0.0.0/0', '::1', false],
    ['::/0', '::1', true],
    ['::/0', '10.0.0.1', false],
    ['::ffff:10.0.0.0/120', '10.0.0.9', true],
    ['::ffff:10.0.0.0/90', '10.0.0.9', false],
    ['2001:db8::/33', '2001:db8:7fff::1', true],
    ['2001:db8::/33', '2001:db8:8000::1', false],
    ['10.0.0.0/024', '10.0.0.5', true],
  ])('%s holds %s: %s', (range, address, holds) => {
    expect(cidrContains(parseCidr(range)!, parseIp(address)!)).toBe(holds);
  });

  it.each(['10.0.0.0/33', '10.0.0.0/-1', '10.0.0.0/', '10.0.0.0/8/8', '10.0.0.0/255.0.0.0', '::/129', 'x/8', 'fe80::1%eth0/10'])(
    'refuses %j',
    (range) => {
      expect(parseCidr(range)).toBeUndefined();
    },
  );
});

test('a matcher takes any of its ranges, and no text that is no address', () => {
  const matches = createIpMatcher(['10.0.0.0/8', ' ::1 ']);
  expect(['10.1.1.1', '::1', '192.0.2.1', '', 'localhost'].map(matches)).toEqual([true, true, false, false, false]);
  expect(createIpMatcher([])('10.0.0.1')).toBe(false);
});
