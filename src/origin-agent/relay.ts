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
import { errorResponse, noServer, notFound } from '../proxy/error-response.ts';
import type { HttpProxy } from '../proxy/proxy.ts';
import { createGrantVerifier } from './grant-verifier.ts';

export interface RelayOptions {
  readonly proxy: Pick<HttpProxy, 'router' | 'service' | 'healthy' | 'observe'>;
  /** Publisher id of this agent; the audience of its grants. */
  readonly agentId: () => string;
  readonly grantKeys: () => readonly JWK[];
  /** Must show the hub's time, as grants carry the edge's. */
  readonly clock: Clock;
  readonly log: Logger;
  readonly isDraining: () => boolean;
  /** Whether the last publication named the object; nothing else is served, whoever signed. */
  readonly isPublished: (kind: GrantClaims['kind'], name: string) => boolean;
}

/**
 * The agent's side of the last hop: a request of the edge becomes the request that the client sent, and goes where the grant
 * allows. Whatever is refused here was not begun, and says so, so that the edge may ask another site with any method.
 */
export function createRelay(options: RelayOptions): Handler {
  const { proxy, agentId, clock, log, isDraining, isPublished } = options;
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
    if (kind === 'service' && proxy.healthy(kind, name) === 0) return mark(noServer(), 0, 'no-server');
    const restored = restore(request, envelope);
    proxy.observe(restored, kind === 'router' ? name : envelope.router);
    restored.facts.site = agentId();
    const response = await handler(restored).catch((error: unknown) => errorResponse(error, log.with({ relayed: name })));
    const { observation } = restored.facts;
    if (observation !== undefined) {
      observation.responseHeaders = response.headers;
      // Ours are for the edge: neither the server sent them nor does the client get them.
      response.headers = response.headers.clone();
    }
    const healthy = proxy.healthy(kind, name);
    return mark(response, healthy, noServerTookIt(response, healthy) ? 'no-server' : undefined);
  };

  /** `Connection: close`, as the body was not read: the edge may have 100 MB of it under way. */
  function refuse(request: ProxyRequest, status: number, reason: RetryReason): ProxyResponse {
    const response = textResponse(status, `${reason}\n`, { contentType: 'text/plain; charset=utf-8' });
    if (request.body !== undefined) response.headers.append('Connection', 'close');
    return mark(response, undefined, reason);
  }

  function mark(response: ProxyResponse, healthy: number | undefined, reason: RetryReason | undefined): ProxyResponse {
    dropEdgewayFields(response.headers);
    response.headers.append(RELAY_ANSWER.relay, agentId());
    if (healthy !== undefined) response.headers.append(RELAY_ANSWER.healthy, String(healthy));
    if (reason !== undefined) response.headers.append(RELAY_ANSWER.retry, reason);
    return response;
  }
}

/** Another site may have a server where this one refused every connection, or had none at the end of a router's chain. */
function noServerTookIt({ status, failure }: ProxyResponse, healthy: number | undefined): boolean {
  return failure === undefined ? status === 503 && healthy === 0 : !failure.sent && failure.code !== 'upstream.aborted';
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
