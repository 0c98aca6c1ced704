import type { JWK } from 'jose';
import { textResponse } from '../base/body.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { Handler, ProxyRequest, ProxyResponse } from '../base/message.ts';
import {
  dropEdgewayFields,
  ENVELOPE,
  type Envelope,
  type GrantClaims,
  parseEnvelope,
  RELAY_ANSWER,
  RELAY_PATH,
  type RetryReason,
  restoreFields,
} from '../config/envelope.ts';
import { errorResponse, notFound } from '../proxy/error-response.ts';
import type { HttpProxy } from '../proxy/proxy.ts';
import { createGrantVerifier } from './grant-verifier.ts';

export interface RelayOptions {
  readonly proxy: Pick<HttpProxy, 'router' | 'service'>;
  /** Publisher id of this agent; the audience of its grants. */
  readonly agentId: string;
  readonly grantKeys: () => readonly JWK[];
  /** Must show the hub's time, as grants carry the edge's. */
  readonly clock: Clock;
  readonly log: Logger;
  readonly isDraining: () => boolean;
  /** Whether the last publication named the object; nothing else is served, whoever signed. */
  readonly isPublished: (kind: GrantClaims['kind'], name: string) => boolean;
  /** Healthy servers of a published service or of the service that a published router leads to; undefined when that cannot be told. */
  readonly healthyServers: (kind: GrantClaims['kind'], name: string) => number | undefined;
}

/**
 * The agent's side of the last hop: a request of the edge becomes the request that the client sent, and goes where the grant
 * allows. Whatever is refused here was not begun, and says so, so that the edge may ask another site with any method.
 */
export function createRelay(options: RelayOptions): Handler {
  const { proxy, agentId, clock, log, isDraining, isPublished, healthyServers } = options;
  const verify = createGrantVerifier({ agentId, keys: options.grantKeys, clock });

  return async function relay(request): Promise<ProxyResponse> {
    if (request.path !== RELAY_PATH) return notFound();
    const grant = await verify(request.headers.get(ENVELOPE.grant));
    const envelope = grant === undefined ? undefined : parseEnvelope(request.headers);
    if (grant === undefined || envelope === undefined) return refuse(request, 403, 'grant');
    if (isDraining()) return refuse(request, 503, 'draining');
    const { kind, name } = grant;
    const handler = isPublished(kind, name) ? proxy[kind](name) : undefined;
    if (handler === undefined) return refuse(request, 503, 'unknown');
    // A router's chain may answer without any server: a redirection, a refused password.
    if (kind === 'service' && healthyServers(kind, name) === 0) return refuse(request, 503, 'no-server');
    const response = await handler(restore(request, envelope)).catch((error: unknown) => errorResponse(error, log.with({ relayed: name })));
    return mark(response, healthyServers(kind, name));
  };

  /** `Connection: close`, as the body was not read: the edge may have 100 MB of it under way. */
  function refuse(request: ProxyRequest, status: number, reason: RetryReason): ProxyResponse {
    const headers = [RELAY_ANSWER.relay, agentId, RELAY_ANSWER.retry, reason, 'Cache-Control', 'no-store'];
    if (request.body !== undefined) headers.push('Connection', 'close');
    return textResponse(status, `${reason}\n`, { headers, contentType: 'text/plain; charset=utf-8' });
  }

  function mark(response: ProxyResponse, healthy: number | undefined): ProxyResponse {
    dropEdgewayFields(response.headers);
    response.headers.append(RELAY_ANSWER.relay, agentId);
    if (healthy !== undefined) response.headers.append(RELAY_ANSWER.healthy, String(healthy));
    if (response.failure !== undefined && !response.failure.sent) response.headers.append(RELAY_ANSWER.retry, 'no-server');
    return response;
  }
}

/** The request as the client sent it and the edge changed it. Servers see neither envelope nor grant. */
function restore(request: ProxyRequest, envelope: Envelope): ProxyRequest {
  const { path, query, host, clientAddress, clientPort, protocol, scheme, tls } = envelope;
  return {
    ...request,
    method: envelope.method ?? request.method,
    ...{ path, query, host, clientAddress, clientPort, protocol, scheme, tls },
    headers: restoreFields(request.headers, envelope),
    entryPoint: scheme,
    // `fetch` takes no interim answers.
    interim: undefined,
  };
}
