import { createRequest, HeaderList, type ProxyRequest } from '../../src/base/message.ts';

/** A request head as byte string; or the status with which a server refuses it by itself. Bodies are left out. */
export function parseRawRequest(raw: string, peer: string): ProxyRequest | number {
  const [requestLine = '', ...fieldLines] = raw.split(/\r?\n\r?\n/)[0]!.split(/\r?\n/);
  const line = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([^ ]+) HTTP\/(\d)\.(\d)$/.exec(requestLine);
  if (line === null) return 400;
  const [, method, target, major, minor] = line;
  if (major !== '1') return 505;
  const headers = parseFields(fieldLines);
  const place = parseTarget(target!, method!);
  if (headers === undefined || place === undefined) return 400;
  const hosts = headers.getAll('Host');
  if (hosts.length > 1 || (hosts.length === 0 && minor === '1') || !hosts.every(isValidHost)) return 400;
  for (const name of ['Host', 'Transfer-Encoding']) headers.delete(name);
  const { address, port } = splitPeer(peer);
  const host = place.host ?? hosts[0] ?? '';
  return createRequest({ ...place, method: method!, host, headers, protocol: `HTTP/1.${minor}`, clientAddress: address, clientPort: port });
}

interface Target {
  readonly path: string;
  readonly query: string | undefined;
  readonly host: string | undefined;
}

function parseTarget(target: string, method: string): Target | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  if (/[\0-\x1f\x7f]/.test(target)) return undefined;
  const mark = target.indexOf('?');
  const path = mark === -1 ? target : target.slice(0, mark);
  const query = mark === -1 ? undefined : target.slice(mark + 1);
  if (path.startsWith('/') || path === '*') return { path, query, host: undefined };
  if (method === 'CONNECT') return authority(path, query);
  const absolute = /^[A-Za-z][A-Za-z0-9+.-]*:(?:\/\/(.*))?/.exec(path);
  if (absolute === null) return undefined;
  return absolute[1] === undefined ? { path: '', query, host: undefined } : authority(absolute[1], query);
}

function authority(text: string, query: string | undefined): Target {
  const slash = text.indexOf('/');
  const host = (slash === -1 ? text : text.slice(0, slash)).replace(/^.*@/, '');
  return { path: slash === -1 ? '' : text.slice(slash), query, host: host === '' ? undefined : host };
}

function parseFields(lines: readonly string[]): HeaderList | undefined {
  const headers = new HeaderList();
  for (const line of lines) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
    const field = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([^\0-\x08\x0a-\x1f\x7f]*)$/.exec(line);
    if (field === null) return undefined;
    headers.append(field[1]!, field[2]!.trimEnd());
  }
  return headers;
}

const isValidHost = (host: string): boolean => /^[A-Za-z0-9!$%&'()*+,\-.:;=[\]_~]*$/.test(host);

function splitPeer(peer: string): { address: string; port: number } {
  const match = /^(?:\[(.*)\]|([^:]*)):(\d+)$/.exec(peer);
  return match === null ? { address: peer, port: 0 } : { address: match[1] ?? match[2]!, port: Number(match[3]) };
}
