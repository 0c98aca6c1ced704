import { createHash, randomBytes } from 'node:crypto';
import type { HeaderList, ProxyResponse } from '../../base/message.ts';

/** What every server of RFC 6455 adds to the key before it hashes it. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** Makes of the fields of an extended CONNECT (RFC 8441 §5) those of a handshake that servers of HTTP/1.1 know; returns its key. */
export function addHandshake(headers: HeaderList): string {
  const key = randomBytes(16).toString('base64');
  headers.set('sec-websocket-key', key);
  if (!headers.has('sec-websocket-version')) headers.set('sec-websocket-version', '13');
  return key;
}

/** Whether the server has understood the handshake. */
export const isAccepted = ({ headers }: ProxyResponse, key: string): boolean =>
  headers.get('Sec-WebSocket-Accept') ===
  createHash('sha1')
    .update(key + GUID)
    .digest('base64');
