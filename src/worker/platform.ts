import type { Clock } from '../base/clock.ts';
import { UpstreamError } from '../base/errors.ts';
import { type ProxyRequest, type ProxyResponse, requestTarget } from '../base/message.ts';
import type { Platform, Relay } from '../proxy/platform.ts';
import { toStream } from './body.ts';
import { errorOfStatus } from './cloudflare-status.ts';
import { toHeaders } from './headers.ts';
import { MIDDLEWARE_PLATFORM } from './middleware-platform.ts';
import { forgetCoding, fromResponse, nativeHeaders } from './rim.ts';

/** Time of the runtime; timers live as long as the request that made them. */
export const workerClock: Clock = {
  now: () => Date.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

/** What the proxy has at the edge: agents behind `relay`, and `fetch` for servers that the Worker reaches itself. */
export function createEdgePlatform({ cells, log, relay }: Pick<Platform, 'cells' | 'log'> & { relay: Relay }): Platform {
  return {
    place: 'edge',
    clock: workerClock,
    random: Math.random,
    cells,
    log,
    send: ({ scheme, host, port }, request) => {
      if (scheme === 'h2c') throw new UpstreamError('upstream.refused', 'A Worker speaks no h2c', { sent: false });
      return exchange(`${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}${requestTarget(request)}`, request);
    },
    unpack(response) {
      forgetCoding(response.headers);
      return response;
    },
    fetch: (url, request, transport) => exchange(url, request, transport?.timeoutMs),
    middleware: MIDDLEWARE_PLATFORM,
    relay,
  };
}

/** `fetch` takes Host from the URL, whatever the record says. */
async function exchange(url: string, request: ProxyRequest, timeoutMs?: number): Promise<ProxyResponse> {
  const init: RequestInit = {
    method: request.method,
    headers: toHeaders(request.headers, nativeHeaders(request), (name) => name === 'connection' || name.startsWith('cf-')),
    body: toStream(request.body),
    redirect: 'manual',
  };
  if (timeoutMs !== undefined && timeoutMs > 0) init.signal = AbortSignal.timeout(timeoutMs);
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch (error) {
    const timedOut = error instanceof Error && error.name === 'TimeoutError';
    throw new UpstreamError(timedOut ? 'upstream.timeout' : 'upstream.closed', String(error), { cause: error });
  }
  const failure = errorOfStatus(response.status);
  if (failure === undefined) return fromResponse(response);
  await response.body?.cancel();
  throw failure;
}
