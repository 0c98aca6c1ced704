import { describe, expect, it } from 'vitest';
import { createCertificateStore } from '../../../src/origin-agent/tls/store.ts';

const certificate = (cert: string, ...names: string[]) => ({ cert, key: '', names });
const store = createCertificateStore(
  [
    certificate('exact', 'a.test.org'),
    certificate('wild', '*.test.org'),
    certificate('both', '*.zone.org', 'b.test.org'),
    certificate('first', 'same.org'),
    certificate('second', 'same.org'),
  ],
  { cert: 'fallback', key: '' },
);

describe('the certificate for a name', () => {
  it.each([
    ['a.test.org', 'exact'],
    ['b.test.org', 'both'],
    ['c.test.org', 'wild'],
    ['x.zone.org', 'both'],
    ['same.org', 'first'],
    ['x.y.test.org', undefined],
    ['test.org', undefined],
    ['', undefined],
  ])('%s: %s', (name, expected) => {
    expect(store.find(name)?.cert).toBe(expected);
  });
});
