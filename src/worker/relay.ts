import type { Cells } from '../base/cells.ts';
import type { Clock } from '../base/clock.ts';
import { UpstreamError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { Body, ProxyRequest, ProxyResponse, ServiceTry } from '../base/message.ts';
import { dropEdgewayFields, ENVELOPE, formatEnvelope, isCarried, RELAY_ANSWER, type RetryReason } from '../config/envelope.ts';
import type { EdgeHealth } from '../config/kv-layout.ts';
import type { Site } from '../config/snapshot.ts';
import { errorResponse, noServer } from '../proxy/error-response.ts';
import type { Relay, RelayErrand } from '../proxy/platform.ts';
import { createSticky } from '../proxy/services/sticky.ts';
import { toStream } from './body.ts';
import { errorOfStatus } from './cloudflare-status.ts';
import type { GrantIssuer } from './grant.ts';
import { toHeaders } from './headers.ts';
import { createLink, type Link } from './link.ts';
import { fromResponse, nativeHeaders } from './rim.ts';
import { type Avoidance, createAvoidance, createSiteChooser, type Place, placeKey } from './sites.ts';

export interface EdgeRelayOptions {
  readonly clock: Clock;
  readonly cells: Cells;
  readonly random: () => number;
  readonly log: Logger;
  /** Sites of the configuration in force. */
  readonly site: (id: string) => Site | undefined;
  readonly health: () => EdgeHealth;
  readonly grants: GrantIssuer;
  readonly fetch: typeof globalThis.fetch;
}

/** Bodies up to this size, when Content-Length says it, are read before the first try and can be sent again. */
export const HELD_BODY_BYTES = 64 * 1024;
const MAX_TRIES = 4;
const DRAINING_MS = 60_000;
/** How long a site that cannot be reached, or a service without servers there, is the last choice. */
const FAILED_MS = 10_000;

/** What became of one try: an answer for the client, or one for the case that no other site takes the request. */
interface Outcome {
  readonly answer: ProxyResponse;
  readonly retry?: Retry;
}

/**
 * `never`: nothing of the request was begun, any method may go to another site. `unknown`: only idempotent ones. `lost`: likewise,
 * and as the connection may just have been closed by a restart, the same site may be asked once more.
 */
type Retry = 'never' | 'unknown' | 'lost';

/** Carries requests to agents: site, grant, envelope, `fetch`, and what follows from the answer. */
export function createEdgeRelay(options: EdgeRelayOptions): Relay {
  const avoidance = createAvoidance(options.clock);
  const links = new WeakMap<Site, Link>();
  const linkOf = (site: Site): Link => {
    let link = links.get(site);
    if (link === undefined) links.set(site, (link = createLink(site.link, options.fetch)));
    return link;
  };
  return (errand) => createErrand(errand, { ...options, avoidance, linkOf });
}

interface ErrandContext extends EdgeRelayOptions {
  readonly avoidance: Avoidance;
  readonly linkOf: (site: Site) => Link;
}

function createErrand(errand: RelayErrand, context: ErrandContext): ReturnType<Relay> {
  const places = errand.sites.filter(({ weight }) => weight > 0);
  const chooser = createSiteChooser(places, context);
  const sticky =
    errand.stickyCookie === undefined
      ? undefined
      : createSticky(
          { name: errand.stickyCookie, secure: false, httpOnly: true, maxAge: 0, path: '/' },
          errand.stickyCookie,
          places.map(({ site }) => site),
        );

  async function handle(request: ProxyRequest): Promise<ProxyResponse> {
    const load = await hold(request.body);
    const stuck = sticky?.find(request.headers)?.index;
    const asked = new Set<Place>();
    let place = chooser.next(request, stuck, asked);
    let outcome: Outcome = { answer: noServer() };
    for (let tries = 1; place !== undefined; tries++) {
      asked.add(place);
      outcome = await ask(place, errand.kind, request, load, context);
      const { retry } = outcome;
      if (retry === undefined || !load.repeatable || tries === MAX_TRIES || (retry !== 'never' && !isIdempotent(request))) break;
      const next = chooser.next(request, undefined, asked) ?? (retry === 'lost' && tries === 1 ? place : undefined);
      if (next === undefined) break;
      place = next;
      outcome.answer.body?.discard();
      request.facts.retryAttempts++;
    }
    if (sticky !== undefined && place !== undefined && outcome.retry === undefined && places[stuck ?? -1] !== place)
      outcome.answer.headers.append('Set-Cookie', sticky.cookieFor(places.indexOf(place)));
    return outcome.answer;
  }

  return { handle, available: chooser.available };
}

/** RFC 9110 §9.2.2. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);
const isIdempotent = ({ method }: ProxyRequest): boolean => IDEMPOTENT.has(method);

/** The body of a request as tries take it: bytes that were read before the first, or a stream for one. */
interface Load {
  readonly body: Uint8Array | Body | undefined;
  readonly repeatable: boolean;
}

async function hold(body: Body | undefined): Promise<Load> {
  if (body === undefined) return { body, repeatable: true };
  if (body.length === undefined || body.length > HELD_BODY_BYTES) return { body, repeatable: false };
  return { body: await body.bytes(HELD_BODY_BYTES), repeatable: true };
}

async function ask(place: Place, kind: RelayErrand['kind'], request: ProxyRequest, load: Load, context: ErrandContext): Promise<Outcome> {
  const { clock, log, avoidance } = context;
  const site = context.site(place.site);
  if (site === undefined) return failure(place, new UpstreamError('upstream.unavailable', 'The site is unknown', { sent: false }), context);
  const { facts } = request;
  const startedAt = clock.now();
  const attempt = beginTry(request, kind, place, startedAt);
  const init = toInit(request, load, await context.grants.grant(site.agent, kind, place.name));
  let response: Response;
  try {
    response = await context.linkOf(site)(init);
  } catch (error) {
    attempt.durationMs = clock.now() - startedAt;
    if (error instanceof UpstreamError) return failure(place, error, context);
    return { ...failure(place, new UpstreamError('upstream.closed', String(error), { cause: error }), context), retry: 'lost' };
  }
  facts.originDurationMs = attempt.durationMs = clock.now() - startedAt;
  const answer = fromResponse(response);
  const from = answer.headers.get(RELAY_ANSWER.relay);
  if (from === undefined) {
    answer.body?.discard();
    const foreign = new UpstreamError('upstream.closed', `An answer with status ${response.status} did not come from the relay`);
    return failure(place, errorOfStatus(response.status) ?? foreign, context);
  }
  const reason = answer.headers.get(RELAY_ANSWER.retry) as RetryReason | undefined;
  dropEdgewayFields(answer.headers);
  facts.site = from;
  facts.originStatus = answer.status;
  facts.originContentSize = answer.body?.length;
  attempt.status = answer.status;
  attempt.size = answer.body?.length;
  if (facts.observation !== undefined) facts.observation.originHeaders = answer.headers;
  if (reason === undefined) {
    avoidance.clear(place.site);
    avoidance.clear(placeKey(place.site, place.name));
    return { answer };
  }
  log.debug('The site did not take the request', { site: place.site, serviceName: place.name, reason });
  if (reason === 'draining') avoidance.avoid(place.site, DRAINING_MS);
  else avoidance.avoid(placeKey(place.site, place.name), FAILED_MS);
  return { answer: reason === 'no-server' ? answer : replace(answer), retry: 'never' };
}

/** What observers are told of one try. */
function beginTry({ facts }: ProxyRequest, kind: RelayErrand['kind'], place: Place, startedAt: number): ServiceTry {
  const { observation } = facts;
  const service = kind === 'service' ? place.name : (observation?.serviceOfRouter ?? '');
  const attempt: ServiceTry = { service, startedAt, durationMs: 0, status: 0, size: undefined };
  observation?.tries.push(attempt);
  return attempt;
}

/** What a client is told when no site took its request: the relay's own words are for the edge. */
function replace(refusal: ProxyResponse): ProxyResponse {
  refusal.body?.discard();
  const answer = noServer();
  answer.headers.append('Retry-After', '1');
  return answer;
}

function failure(place: Place, error: UpstreamError, { avoidance, log }: ErrandContext): Outcome {
  avoidance.avoid(place.site, FAILED_MS);
  log.warn('The site cannot be reached', { site: place.site, error: error.message, code: error.code });
  return { answer: errorResponse(error, log), retry: error.sent ? 'unknown' : 'never' };
}

/** `fetch` sends no GET or HEAD with a body of ours, so those travel as POST with their method in the envelope. */
function toInit(request: ProxyRequest, { body }: Load, grant: string): RequestInit {
  const { method } = request;
  const headers = toHeaders(request.headers, nativeHeaders(request), isLeftOut);
  for (const [name, value] of formatEnvelope(request)) headers.set(name, value);
  headers.set(ENVELOPE.grant, grant);
  if (body === undefined) return { method, headers };
  const disguised = method === 'GET' || method === 'HEAD';
  if (disguised) headers.set(ENVELOPE.method, method);
  return { method: disguised ? 'POST' : method, headers, body: body instanceof Uint8Array ? body : toStream(body) };
}

const isLeftOut = (name: string): boolean => isCarried(name) || name === 'connection';
