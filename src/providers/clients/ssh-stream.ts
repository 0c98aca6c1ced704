import { spawn } from 'node:child_process';
import { Duplex } from 'node:stream';
import { ConfigError } from '../../base/errors.ts';

/** Seconds without a sign of life after which ssh gives up: three of them unanswered. */
const ALIVE_SECONDS = 15;

/**
 * A connection to the engine behind `ssh://[user@]host[:port][/socket]`: what the docker command line does, with the user's own
 * ssh, its configuration and its agent. Never asks anything. Throws ConfigError for an address that ssh could take for an option.
 */
export function connectBySsh(endpoint: URL): Duplex {
  const child = spawn('ssh', sshArguments(endpoint), { stdio: ['pipe', 'pipe', 'pipe'] });
  const stream = new Duplex({
    read: () => void child.stdout.resume(),
    write: (chunk, _encoding, done) => void child.stdin.write(chunk, () => done()),
    final: (done) => void child.stdin.end(() => done()),
    destroy(error, done) {
      child.kill();
      done(error);
    },
  });
  child.stdout.on('data', (chunk: Buffer) => {
    if (!stream.push(chunk)) child.stdout.pause();
  });
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk.toString('utf8')).slice(-500);
  });
  // Told by the exit code.
  child.stdin.on('error', () => {});
  child.on('error', (error) => stream.destroy(new ConfigError('config.io', `Cannot run ssh: ${error.message}`)));
  child.on('close', (code) => {
    if (code === 0 || code === null) stream.push(null);
    else stream.destroy(new ConfigError('config.io', `ssh ended with ${code}: ${complaint.trim()}`));
  });
  // node:http calls these on what it believes to be a socket.
  const nothing = () => stream;
  return Object.assign(stream, { setKeepAlive: nothing, setNoDelay: nothing, setTimeout: nothing, ref: nothing, unref: nothing });
}

export function sshArguments(endpoint: URL): string[] {
  const host = endpoint.hostname.replace(/^\[(.*)\]$/, '$1');
  if (host === '' || host.startsWith('-') || endpoint.username.startsWith('-')) {
    throw new ConfigError('config.bad-value', `'${endpoint.href}' names no host that ssh could reach; write ssh://user@host`);
  }
  if (endpoint.password !== '') {
    throw new ConfigError('config.bad-value', 'ssh takes no password in the address; use a key and an ssh agent');
  }
  const options = ['-o', 'BatchMode=yes', '-o', 'ConnectTimeout=30', '-o', `ServerAliveInterval=${ALIVE_SECONDS}`, '-T'];
  const user = endpoint.username === '' ? [] : ['-l', decodeURIComponent(endpoint.username)];
  const port = endpoint.port === '' ? [] : ['-p', endpoint.port];
  const path = decodeURIComponent(endpoint.pathname);
  const socket = path === '' || path === '/' ? [] : ['--host', quoteForShell(`unix://${path}`)];
  return [...options, ...user, ...port, '--', host, 'docker', ...socket, 'system', 'dial-stdio'];
}

/** ssh joins its arguments with blanks and hands them to the shell of the other side. */
const quoteForShell = (text: string): string => (/^[\w:/.-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);
