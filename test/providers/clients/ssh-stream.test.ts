import { describe, expect, it } from 'vitest';
import { sshArguments } from '../../../src/providers/clients/ssh-stream.ts';

const OPTIONS = ['-o', 'BatchMode=yes', '-o', 'ConnectTimeout=30', '-o', 'ServerAliveInterval=15', '-T'];

describe('sshArguments', () => {
  it.each([
    ['ssh://host', ['--', 'host', 'docker', 'system', 'dial-stdio']],
    ['ssh://me@host:2222', ['-l', 'me', '-p', '2222', '--', 'host', 'docker', 'system', 'dial-stdio']],
    ['ssh://me@[2001:db8::1]', ['-l', 'me', '--', '2001:db8::1', 'docker', 'system', 'dial-stdio']],
    [
      'ssh://host/run/user/1000/docker.sock',
      ['--', 'host', 'docker', '--host', 'unix:///run/user/1000/docker.sock', 'system', 'dial-stdio'],
    ],
    ['ssh://host/a%20b;reboot', ['--', 'host', 'docker', '--host', "'unix:///a b;reboot'", 'system', 'dial-stdio']],
  ])('%s', (endpoint, expected) => {
    expect(sshArguments(new URL(endpoint))).toEqual([...OPTIONS, ...expected]);
  });

  it.each([
    ['ssh://-oProxyCommand=reboot', 'names no host'],
    ['ssh://-x@host', 'names no host'],
    ['ssh:///run/docker.sock', 'names no host'],
    ['ssh://me:secret@host', 'no password'],
  ])('refuses %s', (endpoint, message) => {
    expect(() => sshArguments(new URL(endpoint))).toThrow(message);
  });
});
