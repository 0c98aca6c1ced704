import { describe, expect, it } from 'vitest';
import { findServerAddress, type Surroundings } from '../../src/providers/docker-address.ts';
import type { DiscoveredContainer } from '../../src/providers/docker-container.ts';
import { containerOf } from '../support/container.ts';

const surroundings = (
  changes: Partial<Surroundings> & { readonly network?: string; readonly others?: DiscoveredContainer[] } = {},
): Surroundings => ({
  find: (wanted) => changes.others?.find(({ id, name }) => id === wanted || name === wanted),
  hostAddress: '192.168.1.1',
  networkOf: () => changes.network ?? '',
  useBindPortIP: changes.useBindPortIP ?? false,
});

const networks = (...entries: [string, string][]) => new Map(entries.map(([name, address]) => [name, { address }]));

describe('findServerAddress', () => {
  it.each<[string, Partial<DiscoveredContainer>, string, Parameters<typeof surroundings>[0], string]>([
    [
      'the lowest exposed port',
      {
        ports: [
          { port: 80, protocol: 'tcp', bindings: [] },
          { port: 8080, protocol: 'tcp', bindings: [] },
        ],
      },
      '',
      {},
      '172.18.0.2:80',
    ],
    ['the port of the label', {}, '3000', {}, '172.18.0.2:3000'],
    ['IPv6', { networks: networks(['front', '2001:db8::2']) }, '', {}, '[2001:db8::2]:80'],
    ['the network of the label', { networks: networks(['a', '10.0.0.1'], ['b', '10.0.0.2']) }, '', { network: 'b' }, '10.0.0.2:80'],
    [
      'the network it was started in',
      { networkMode: 'b', networks: networks(['a', '10.0.0.1'], ['b', '10.0.0.2']) },
      '',
      {},
      '10.0.0.2:80',
    ],
    ['a network with an address', { networks: networks(['a', ''], ['b', '10.0.0.2']) }, '', {}, '10.0.0.2:80'],
    [
      'a network other than that for ingress',
      {
        networks: new Map([
          ['a', { address: '10.0.0.1', ingress: true }],
          ['b', { address: '10.0.0.2' }],
        ]),
      },
      '',
      {},
      '10.0.0.2:80',
    ],
    ['the address of the host', { networkMode: 'host', networks: networks(['host', '']) }, '', {}, '192.168.1.1:80'],
    [
      'the address of who lends the network',
      { networkMode: 'container:main', networks: new Map() },
      '',
      { others: [containerOf({ id: 'm', name: 'main', networks: networks(['x', '10.9.0.1']) })] },
      '10.9.0.1:80',
    ],
    [
      'the published port',
      { ports: [{ port: 80, protocol: 'tcp', bindings: [{ address: '10.1.1.1', port: '8080' }] }] },
      '',
      { useBindPortIP: true },
      '10.1.1.1:8080',
    ],
    [
      'the inner address where the port is published everywhere',
      { ports: [{ port: 80, protocol: 'tcp', bindings: [{ address: '::', port: '8080' }] }] },
      '',
      { useBindPortIP: true },
      '172.18.0.2:80',
    ],
    [
      'the published port of the right protocol',
      {
        ports: [
          { port: 80, protocol: 'udp', bindings: [{ address: '10.1.1.1', port: '1' }] },
          { port: 80, protocol: 'tcp', bindings: [{ address: '10.1.1.1', port: '2' }] },
        ],
      },
      '',
      { useBindPortIP: true },
      '10.1.1.1:2',
    ],
  ])('finds %s', (_, container, port, around, expected) => {
    expect(findServerAddress(containerOf(container), port, 'tcp', surroundings(around))).toEqual({ address: expected });
  });

  it.each<[string, Partial<DiscoveredContainer>, string]>([
    [
      'of the project',
      { labels: { 'com.docker.compose.project': 'p' }, networks: networks(['a', '10.0.0.1'], ['p_front', '10.0.0.2']) },
      '10.0.0.2:80',
    ],
    ['of another name, with a warning', { networks: networks(['other', '10.0.0.1']) }, '10.0.0.1:80'],
  ])('takes a network %s where the one of the label is not there', (_, container, expected) => {
    const found = findServerAddress(containerOf(container), '', 'tcp', surroundings({ network: 'front' }));
    expect(found.address).toBe(expected);
    expect(found.warning!.message).toContain("is not in the network 'front'");
  });

  it.each<[string, Partial<DiscoveredContainer>, string]>([
    ['a port', { ports: [] }, 'exposes no port; write the label'],
    ['an address', { networks: networks(['a', '']) }, 'has no address'],
    ['a network', { networks: new Map() }, 'has no address'],
    ['who lends the network', { networkMode: 'container:gone', networks: new Map() }, "uses the network of the container 'gone'"],
    ['an end of lending', { id: 'c', networkMode: 'container:c', networks: new Map() }, "uses the network of the container 'c'"],
  ])('refuses a container without %s', (_, changes, message) => {
    const container = containerOf(changes);
    expect(() => findServerAddress(container, '', 'tcp', surroundings({ others: [container] }))).toThrow(message);
  });
});
