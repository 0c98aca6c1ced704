import type { Body, Observation, ProxyRequest } from '../base/message.ts';
import type { ProxyRouter } from '../config/snapshot.ts';

/** How one exchange went, as the rim tells it when the answer has left or the client is gone. */
export interface ExchangeOutcome {
  readonly status: number;
  /** Content bytes sent, without head and framing; undefined where the runtime does not tell. */
  readonly sentBytes: number | undefined;
}

/** What an entry point says of requests that no router takes. */
export interface ObservabilityOptions {
  readonly accessLogs?: boolean | undefined;
  readonly metrics?: boolean | undefined;
}

export function observe(request: ProxyRequest, defaults: ObservabilityOptions | undefined): void {
  const { method, path, query, host, headers, upgrade, body } = request;
  request.facts.observation = {
    request,
    method,
    path,
    query,
    host,
    forwardedFor: headers.get('X-Forwarded-For'),
    headers,
    upgrade,
    body,
    serviceOfRouter: undefined,
    accessLogs: defaults?.accessLogs !== false,
    metrics: defaults?.metrics !== false,
    internal: false,
    tries: [],
    originHeaders: undefined,
    responseHeaders: undefined,
  };
}

export function observeRouter(observation: Observation, { service, observability }: ProxyRouter): void {
  observation.serviceOfRouter = service;
  observation.internal = service.endsWith('@internal');
  if (observability === undefined) return;
  observation.accessLogs = observability.accessLogs !== false;
  observation.metrics = observability.metrics !== false;
}

/** Content bytes of the request that came so far. */
export const receivedBytes = (body: Body | undefined): number =>
  body === undefined ? 0 : ((body as { received?: number }).received ?? body.length ?? 0);
