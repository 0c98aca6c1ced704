import { expect, it } from 'vitest';
import { createLocalCells } from '../../src/base/cells.ts';
import { createStreamServices, readAddress } from '../../src/origin-agent/stream-services.ts';

const down = new Set<string>();
const take = (services: object, name: string, count: number): string => {
  const choose = createStreamServices(
    services as never,
    (_, { address = '' }: { address?: string }) => ({
      item: address,
      isDown: () => down.has(address),
    }),
    { protocol: 'tcp', cells: createLocalCells() },
  );
  return Array.from({ length: count }, () => choose(name) ?? '-').join('');
};
const servers = (...addresses: string[]): object => ({ loadBalancer: { servers: addresses.map((address) => ({ address })) } });

it.each<[string, object, string, string[], string]>([
  ['servers in turn', { 's@f': servers('a', 'b') }, 's@f', [], 'abab'],
  [
    'none that is on its way out',
    { 's@f': { loadBalancer: { servers: [{ address: 'a', fenced: true }, { address: 'b' }] } } },
    's@f',
    [],
    'bbbb',
  ],
  ['none that is down', { 's@f': servers('a', 'b', 'c') }, 's@f', ['b'], 'acac'],
  ['nothing when all are down', { 's@f': servers('a', 'b') }, 's@f', ['a', 'b'], '----'],
  ['nothing of a service that nobody knows', {}, 's@f', [], '----'],
  [
    'children by weight',
    { 'w@f': { weighted: { services: [{ name: 'x', weight: 3 }, { name: 'y' }] } }, 'x@f': servers('a'), 'y@f': servers('b') },
    'w@f',
    [],
    'aaab',
  ],
  [
    'a child that is down, where nobody looks at health',
    { 'w@f': { weighted: { services: [{ name: 'x' }, { name: 'y' }] } }, 'x@f': servers('a'), 'y@f': servers('b') },
    'w@f',
    ['a'],
    '-b-b',
  ],
  [
    'no child that is down, where the service looks',
    { 'w@f': { weighted: { services: [{ name: 'x' }, { name: 'y' }], healthCheck: {} } }, 'x@f': servers('a'), 'y@f': servers('b') },
    'w@f',
    ['a'],
    'bbbb',
  ],
])('%s', (_, services, name, isDown, expected) => {
  down.clear();
  for (const address of isDown) down.add(address);
  expect(take(services, name, 4)).toBe(expected);
});

it.each([
  ['a:1', { host: 'a', port: 1 }],
  ['[::1]:53', { host: '::1', port: 53 }],
  [':9', { host: 'localhost', port: 9 }],
  ['a', undefined],
  [undefined, undefined],
])('address %s', (text, expected) => expect(readAddress(text)).toEqual(expected));
