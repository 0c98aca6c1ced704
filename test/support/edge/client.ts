import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connectRaw } from '../raw-connection.ts';
import type { Echo } from './origin.ts';

export interface Answer {
  readonly status: number;
  /** Name, value, name, value … */
  readonly headers: string[];
  readonly body: Buffer;
}

/** One request in bytes as given, on a connection of its own; `head` ends without a newline and has no Connection. */
export async function sendRaw(port: number, head: string, body = ''): Promise<Answer> {
  const connection = await connectRaw(port);
  connection.write(`${head}\r\nConnection: close\r\n\r\n${body}`);
  const { head: text, body: content } = await connection.response({ bodyless: head.startsWith('HEAD ') });
  connection.close();
  const [status, ...lines] = text.trimEnd().split('\r\n');
  const headers = lines.flatMap((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  return { status: Number(status!.split(' ')[1]), headers, body: Buffer.from(content, 'latin1') };
}

/** `GET path` for a host, with further fields. */
export const get = (port: number, host: string, path = '/', fields: readonly string[] = []): Promise<Answer> =>
  sendRaw(port, [`GET ${path} HTTP/1.1`, `Host: ${host}`, ...fields].join('\r\n'));

/** A request with a body by Content-Length. */
export const post = (port: number, host: string, path: string, body: string, method = 'POST'): Promise<Answer> =>
  sendRaw(port, `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: ${body.length}`, body);

/** What the origin says it got. */
export const echoOf = ({ body }: Answer): Echo => JSON.parse(body.toString()) as Echo;

/**
 * A request whose body is written and whose answer is read as streams. `reset` goes away at once: of a connection that is only
 * closed, workerd learns when it next writes to it.
 */
export function stream(port: number, method: string, host: string, path: string, headers: Record<string, string | number> = {}) {
  const outgoing = httpRequest({ host: '127.0.0.1', port, method, path, headers: { Host: host, ...headers }, agent: false });
  const answer = once(outgoing, 'response').then(([incoming]) => incoming as IncomingMessage);
  answer.catch(() => {});
  outgoing.on('error', () => {});
  const reset = (): void => void outgoing.socket?.resetAndDestroy();
  return { outgoing, answer, reset };
}
