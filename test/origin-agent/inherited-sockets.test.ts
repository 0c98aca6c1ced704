import { expect, it } from 'vitest';
import { inheritedSockets } from '../../src/origin-agent/inherited-sockets.ts';

it.each([
  ['nothing', {}, {}],
  ['names in order', { LISTEN_PID: '7', LISTEN_FDS: '2', LISTEN_FDNAMES: 'web:dns' }, { web: 3, dns: 4 }],
  ['without names', { LISTEN_PID: '7', LISTEN_FDS: '1' }, { LISTEN_FD_3: 3 }],
  ['for another process', { LISTEN_PID: '8', LISTEN_FDS: '1', LISTEN_FDNAMES: 'web' }, {}],
  ['no number', { LISTEN_PID: '7', LISTEN_FDS: 'x' }, {}],
])('reads %s', (_, environment, expected) => {
  expect(inheritedSockets(environment, 7)).toEqual(expected);
});

it('refuses two sockets of one name', () => {
  expect(() => inheritedSockets({ LISTEN_PID: '7', LISTEN_FDS: '2', LISTEN_FDNAMES: 'web:web' }, 7)).toThrow("the name 'web'");
});
