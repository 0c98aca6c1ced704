import { expect, test } from 'vitest';
import { canonicalHost, hostWithoutPort } from '../../../src/config/rule/canonical-host.ts';

// The second column is Go's net.SplitHostPort with what Traefik does where it fails.
test.each([
  ['shop.test', 'shop.test'],
  ['SHOP.test:8080', 'shop.test'],
  ['shop.test:', 'shop.test'],
  ['shop.test.', 'shop.test.'],
  ['', ''],
  ['[::1]:80', '::1'],
  ['[::1]', '::1'],
  ['::1', '::1'],
  ['[shop.test]:80', 'shop.test'],
  ['[shop.test]', '[shop.test]'],
  ['[a]b:80', '[a]b:80'],
  ['a]:80', 'a]:80'],
  ['[a:80', '[a:80'],
  ['my_host', 'my_host'],
  ['\xc3\x9c.test', '\xc3\x9c.test'],
])('%j is routed as %j', (host, canonical) => {
  expect(canonicalHost(host)).toBe(canonical);
});

test.each([
  ['Shop.Test:80', 'Shop.Test'],
  ['[::1]', '[::1]'],
  ['[::1]:80', '::1'],
  ['shop', 'shop'],
])('v2 host expressions see %j as %j', (host, seen) => {
  expect(hostWithoutPort(host)).toBe(seen);
});
