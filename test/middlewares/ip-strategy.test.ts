import { expect, it } from 'vitest';
import { createIpStrategy, createRangeMatcher, createSource } from '../../src/middlewares/ip-strategy.ts';
import { makeRequest } from '../support/middleware-harness.ts';

const from = (clientAddress: string, ...forwarded: string[]) =>
  makeRequest({ clientAddress, headers: forwarded.map((value) => ['X-Forwarded-For', value] as const) });

it.each([
  [undefined, from('1.1.1.1', '2.2.2.2'), '1.1.1.1'],
  [{}, from('1.1.1.1', '2.2.2.2'), '1.1.1.1'],
  [{ depth: 1 }, from('1.1.1.1', '2.2.2.2, 3.3.3.3'), '3.3.3.3'],
  [{ depth: 2 }, from('1.1.1.1', '2.2.2.2 , 3.3.3.3'), '2.2.2.2'],
  [{ depth: 2 }, from('1.1.1.1', '2.2.2.2', '3.3.3.3'), '2.2.2.2'],
  [{ depth: 3 }, from('1.1.1.1', '2.2.2.2,3.3.3.3'), ''],
  [{ depth: 1 }, from('1.1.1.1'), ''],
  [{ depth: 1, excludedIPs: ['3.3.3.3'] }, from('1.1.1.1', '3.3.3.3'), '3.3.3.3'],
  [{ excludedIPs: ['3.3.3.3', '10.0.0.0/8'] }, from('1.1.1.1', '2.2.2.2, 10.1.1.1,3.3.3.3'), '2.2.2.2'],
  [{ excludedIPs: ['3.3.3.3'] }, from('1.1.1.1', '2.2.2.2, junk'), 'junk'],
  [{ excludedIPs: ['3.3.3.3'] }, from('1.1.1.1', '3.3.3.3,'), ''],
  [{ ipv6Subnet: 64 }, from('2001:db8:1:2:3::4'), '2001:db8:1:2::'],
  [{ ipv6Subnet: 60 }, from('2001:db8:1:2f::4'), '2001:db8:1:20::'],
  [{ ipv6Subnet: 1 }, from('ffff::'), '8000::'],
  [{ ipv6Subnet: 128 }, from('::1'), '::1'],
  [{ ipv6Subnet: 64 }, from('1.1.1.1'), '1.1.1.1'],
  [{ depth: 1, ipv6Subnet: 32 }, from('1.1.1.1', '2001:db8::1'), '2001:db8::'],
  [{ excludedIPs: ['3.3.3.3'], ipv6Subnet: 32 }, from('1.1.1.1', '2001:db8::1'), '2001:db8::1'],
])('%j picks from the request %#', (options, request, expected) => {
  expect(createIpStrategy(options)(request)).toBe(expected);
});

it.each([
  ['10.1.2.3', true],
  ['10.1.2.3:80', true],
  ['[fd00::1]:80', true],
  ['fd00::1%eth0', true],
  ['::ffff:10.0.0.1', true],
  ['11.0.0.1', false],
  ['', false],
  ['junk', false],
])('10.0.0.0/8 and fd00::/8 hold %s: %s', (address, expected) => {
  expect(createRangeMatcher(['10.0.0.0/8', ' fd00::/8'], 'sourceRange')(address)).toBe(expected);
});

it.each([
  [undefined, 'address', '1.1.1.1'],
  [undefined, 'host', 'x.test'],
  [{}, 'host', 'x.test'],
  [{ ipStrategy: {} }, 'host', '1.1.1.1'],
  [{ requestHost: true }, 'address', 'x.test'],
  [{ requestHeaderName: 'x-key' }, 'address', 'k'],
  [{ requestHeaderName: 'X-None' }, 'address', ''],
] as const)('%j or %s tells %s', (criterion, fallback, expected) => {
  const request = makeRequest({ clientAddress: '1.1.1.1', headers: [['X-Key', 'k']] });
  expect(createSource(criterion, fallback)(request)).toBe(expected);
});

it.each([
  [() => createIpStrategy({ ipv6Subnet: 0 }), "'ipv6Subnet' is 0; write 1 to 128"],
  [() => createIpStrategy({ depth: 1, ipv6Subnet: 129 }), "'ipv6Subnet' is 129; write 1 to 128"],
  [
    () => createIpStrategy({ excludedIPs: ['10.0.0.300'] }),
    "'10.0.0.300' in 'excludedIPs' is neither an address nor a network; write 10.0.0.1, 10.0.0.0/8 or fd00::/8",
  ],
  [
    () => createSource({ requestHost: true, requestHeaderName: 'X' }, 'host'),
    "'sourceCriterion' has requestHeaderName and requestHost; write only one of them",
  ],
  [
    () => createSource({ requestHost: true, ipStrategy: {} }, 'host'),
    "'sourceCriterion' has ipStrategy and requestHost; write only one of them",
  ],
])('%s is refused: %s', (create, message) => {
  expect(create).toThrow(message);
});
