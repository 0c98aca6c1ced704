import { expect, it } from 'vitest';
import { formatIp, parseIp } from '../../src/base/cidr.ts';

it.each([
  ['10.1.2.3', '10.1.2.3'],
  ['::ffff:10.1.2.3', '10.1.2.3'],
  ['::', '::'],
  ['::1', '::1'],
  ['1::', '1::'],
  ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
  ['2001:db8:0:1:0:0:0:1', '2001:db8:0:1::1'],
  ['2001:0:0:1:0:0:1:1', '2001::1:0:0:1:1'],
  ['1:0:2:0:3:0:4:0', '1:0:2:0:3:0:4:0'],
])('%s is written %s', (text, expected) => {
  expect(formatIp(parseIp(text)!)).toBe(expected);
});
