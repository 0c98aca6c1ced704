import { textResponse } from '../base/body.ts';
import { ClientError, UpstreamError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { HeaderList, type ProxyResponse } from '../base/message.ts';
import { statusText } from '../base/status-text.ts';

/** Status of a failure towards a server, as Traefik's: network 502, time 504, gone client 499, no server 503, nonsense 500. */
const UPSTREAM_STATUS: Record<UpstreamError['code'], number> = {
  'upstream.refused': 502,
  'upstream.closed': 502,
  'upstream.timeout': 504,
  'upstream.malformed': 500,
  'upstream.tls': 500,
  'upstream.unavailable': 503,
  'upstream.aborted': 499,
};

/** The one place where status and body of a failure are decided. */
export function errorResponse(error: unknown, log: Logger): ProxyResponse {
  if (error instanceof UpstreamError) {
    if (error.code === 'upstream.unavailable') return noServer();
    const status = UPSTREAM_STATUS[error.code];
    if (status !== 499) log.debug('Request to the server failed', { error: error.message, code: error.code });
    return Object.assign(textResponse(status, statusText(status)), { failure: error });
  }
  if (error instanceof ClientError) return textResponse(error.status, statusText(error.status));
  log.error('Unexpected failure', { error: error instanceof Error ? error.stack : String(error) });
  return textResponse(500, statusText(500));
}

const PLAIN = ['Content-Type', 'text/plain; charset=utf-8', 'X-Content-Type-Options', 'nosniff'];

/** No router matches. */
export const notFound = (): ProxyResponse => textResponse(404, '404 page not found\n', { headers: PLAIN });

/** The connection was made with TLS options that are not the router's. */
export const misdirected = (): ProxyResponse => textResponse(421, 'Misdirected Request\n', { headers: PLAIN });

/** The service has no server that could take the request. */
export const noServer = (): ProxyResponse => textResponse(503, 'no available server\n', { headers: PLAIN });

/** The edge has no configuration at all. */
export const noConfiguration = (): ProxyResponse => textResponse(503, 'no configuration\n', { headers: [...PLAIN, 'Retry-After', '5'] });

/** An answer without a body. */
export const emptyResponse = (status: number, headers: string[] = []): ProxyResponse => ({
  status,
  headers: new HeaderList([...headers, 'Content-Length', '0']),
  body: undefined,
});
