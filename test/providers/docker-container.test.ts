import { describe, expect, it } from 'vitest';
import { readContainer, signalNumber } from '../../src/providers/docker-container.ts';

const sound = {
  Id: 'abc',
  Name: '/web',
  State: { Status: 'running', Health: { Status: 'healthy' } },
  Config: { Labels: { a: '1' }, StopSignal: 'SIGWINCH' },
  HostConfig: { NetworkMode: 'front' },
  NetworkSettings: {
    Ports: { '8080/tcp': null, '53/udp': [{ HostIp: '10.0.0.1', HostPort: '5353' }] },
    Networks: {
      front: { IPAddress: '172.18.0.2', GlobalIPv6Address: '2001:db8::2' },
      six: { IPAddress: '', GlobalIPv6Address: '2001:db8::3' },
    },
  },
};

describe('readContainer', () => {
  it('reads what the engine says', () => {
    expect(readContainer(sound)).toEqual({
      id: 'abc',
      name: 'web',
      serviceName: 'web',
      status: 'running',
      health: 'healthy',
      labels: { a: '1' },
      networkMode: 'front',
      ports: [
        { port: 53, protocol: 'udp', bindings: [{ address: '10.0.0.1', port: '5353' }] },
        { port: 8080, protocol: 'tcp', bindings: [] },
      ],
      networks: new Map([
        ['front', { address: '172.18.0.2' }],
        ['six', { address: '2001:db8::3' }],
      ]),
      stopSignals: new Set([2, 3, 9, 15, 28]),
    });
  });

  it.each([[undefined], [null], [[]], ['text'], [{}], [{ Id: 'a', Name: '/a' }], [{ Id: 'a', State: {} }], [{ Name: '/a', State: {} }]])(
    'makes nothing of %j',
    (answer) => {
      expect(readContainer(answer)).toBeUndefined();
    },
  );

  it('reads a container that says hardly anything', () => {
    const odd = {
      Id: 'a',
      Name: 'a',
      State: { Health: null },
      Config: { Labels: { a: 1, b: 'b' } },
      NetworkSettings: { Ports: { 'x/y': null } },
    };
    expect(readContainer(odd)).toMatchObject({ status: '', health: '', labels: { b: 'b' }, ports: [] });
  });

  it('takes a text that is no address for none', () => {
    const odd = { ...sound, NetworkSettings: { Networks: { a: { IPAddress: '172.18.0.999' } } } };
    expect(readContainer(odd)!.networks.get('a')).toEqual({ address: '' });
  });

  it('takes a health of none for no health check', () => {
    expect(readContainer({ ...sound, State: { Status: 'running', Health: { Status: 'none' } } })!.health).toBe('');
  });
});

describe('signalNumber', () => {
  it.each([
    ['15', 15],
    ['SIGTERM', 15],
    ['term', 15],
    ['SIGRTMIN+3', 37],
    ['SIGNONSENSE', undefined],
    ['', undefined],
  ])('%s', (text, expected) => {
    expect(signalNumber(text)).toBe(expected);
  });
});
