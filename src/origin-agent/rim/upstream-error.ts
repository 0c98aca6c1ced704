import { UpstreamError } from '../../base/errors.ts';
import type { ProxyRequest } from '../../base/message.ts';

/**
 * What an error of Node says about a server. Our refusal of its certificate is `upstream.tls`; its alert, as its reset, is a refusal of
 * the connection (in Traefik 500 and 502). `sent` tells whether a byte of the request had left.
 */
export function toUpstreamError(cause: unknown, sent: boolean): UpstreamError {
  const { code = '', message } = (cause ?? { message: 'closed' }) as NodeJS.ErrnoException;
  if (code.startsWith('HPE_')) return new UpstreamError('upstream.malformed', `The server's answer is malformed: ${message}`, { cause });
  if (/ALERT|^EPROTO$|^ERR_SSL/.test(code))
    return new UpstreamError('upstream.refused', `The server refused TLS: ${message}`, { sent, cause });
  if (/CERT|SELF_SIGNED|UNABLE_TO|^ERR_TLS/.test(code)) {
    return new UpstreamError('upstream.tls', `The server is not trusted: ${message}`, { sent: false, cause });
  }
  if (code === 'ETIMEDOUT') return new UpstreamError('upstream.timeout', message, { sent, cause });
  if (sent) return new UpstreamError('upstream.closed', `The server closed the connection without an answer: ${message}`, { cause });
  return new UpstreamError('upstream.refused', `The server cannot be reached: ${message}`, { sent: false, cause });
}

/**
 * Whether a request may be sent again when a kept connection was closed before any byte of the answer: never one whose effect could
 * happen twice (RFC 9110 §9.2.2; Go has the same list and the same two fields).
 */
export function isReplayable(request: ProxyRequest): boolean {
  switch (request.method) {
    case 'GET':
    case 'HEAD':
    case 'OPTIONS':
    case 'TRACE':
      return true;
    default:
      return request.headers.has('Idempotency-Key') || request.headers.has('X-Idempotency-Key');
  }
}
