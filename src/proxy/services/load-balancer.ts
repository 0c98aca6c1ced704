import { UpstreamError } from '../../base/errors.ts';
import { finishMark, finishSince, type ProxyRequest, type ProxyResponse, whenFinished } from '../../base/message.ts';
import type { LoadBalancer } from '../../config/dynamic.ts';
import { emptyResponse, errorResponse, noServer } from '../error-response.ts';
import { cleanResponse, prepareOutgoing } from '../outgoing.ts';
import type { Platform } from '../platform.ts';
import {
  type Balancer,
  createHighestRandomWeight,
  createLeastTime,
  createPowerOfTwoChoices,
  createWeightedRoundRobin,
} from './balancer.ts';
import { type CandidateState, candidateState } from './candidate-state.ts';
import { parseServer, type ServerEntry } from './server.ts';
import type { Service, ServiceContext } from './service.ts';
import { createSticky } from './sticky.ts';

/** Chooses a server, sends the request, and tries the next server when one refused the connection before any byte was sent. */
export function createLoadBalancer(name: string, config: LoadBalancer, context: ServiceContext): Service {
  const { platform } = context;
  const servers = (config.servers ?? []).filter((server) => (server.weight ?? 1) > 0).map((server) => parseServer(server, name, context));
  const states = servers.map((server) => candidateState(platform.cells, name, server.name));
  const balancer = createStrategy(config.strategy, servers, states, platform);
  const passive = config.passiveHealthCheck;
  const sticky =
    config.sticky?.cookie === undefined || config.strategy === 'hrw'
      ? undefined
      : createSticky(
          config.sticky.cookie,
          name,
          servers.map((server) => server.name),
        );
  const isUp = (index: number): boolean =>
    !states[index]!.isDown() && (passive === undefined || states[index]!.outUntil() <= platform.clock.now());
  const failed = (index: number): void => {
    if (passive !== undefined) states[index]!.fail(platform.clock.now(), passive.failureWindow, passive.maxFailedAttempts);
  };
  const takesNew = (index: number): boolean => !servers[index]!.fenced && isUp(index);

  async function handle(request: ProxyRequest): Promise<ProxyResponse> {
    const { facts } = request;
    facts.serviceName = name;
    if (facts.observation === undefined) return answer(request);
    const attempt = { service: name, startedAt: platform.clock.now(), durationMs: 0, status: 0, size: undefined as number | undefined };
    facts.observation.tries.push(attempt);
    const response = await answer(request);
    attempt.durationMs = platform.clock.now() - attempt.startedAt;
    attempt.status = response.status;
    attempt.size = response.body?.length ?? (response.body === undefined ? 0 : undefined);
    facts.observation.originHeaders = response.headers;
    return response;
  }

  async function answer(request: ProxyRequest): Promise<ProxyResponse> {
    // Go's proxy tunnels CONNECT for HTTP/2 clients only.
    if (request.method === 'CONNECT' && request.protocol.startsWith('HTTP/1')) return emptyResponse(501);
    const stuck = sticky?.find(request.headers);
    let index = stuck !== undefined && isUp(stuck.index) ? stuck.index : undefined;
    let setCookie = sticky !== undefined && (index === undefined || stuck!.renew);
    let refused: Set<number> | undefined;
    for (;;) {
      const tried = refused;
      const untried = (test: (candidate: number) => boolean) =>
        tried === undefined ? test : (candidate: number) => test(candidate) && !tried.has(candidate);
      // One on its way out is better than none.
      index ??= balancer.next(request, untried(takesNew)) ?? balancer.next(request, untried(isUp));
      if (index === undefined)
        return refused === undefined
          ? noServer()
          : errorResponse(new UpstreamError('upstream.refused', 'Every server refused the connection', { sent: false }), platform.log);
      const mark = finishMark(request.facts);
      try {
        const response = await forward(index, request);
        if (setCookie) response.headers.append('Set-Cookie', sticky!.cookieFor(index));
        return response;
      } catch (error) {
        failed(index);
        finishSince(request.facts, mark);
        if (!(error instanceof UpstreamError) || error.sent || error.code === 'upstream.aborted' || servers.length === 1)
          return errorResponse(error, platform.log);
        refused ??= new Set();
        refused.add(index);
        index = undefined;
        setCookie = sticky !== undefined;
      }
    }
  }

  async function forward(index: number, request: ProxyRequest): Promise<ProxyResponse> {
    const server = servers[index]!;
    const { facts } = request;
    facts.serviceUrl = server.target.url;
    const startedAt = platform.clock.now();
    const { outgoing, decode } = prepareOutgoing(request, config.passHostHeader, server.hostHeader);
    if (server.pathPrefix !== '') outgoing.path = server.pathPrefix + outgoing.path;
    const errand = balancer.begin?.(index);
    if (errand !== undefined) whenFinished(facts, errand.ended);
    const response = cleanResponse(await platform.send(server.target, outgoing));
    facts.originDurationMs = platform.clock.now() - startedAt;
    errand?.answered(facts.originDurationMs);
    facts.originStatus = response.status;
    facts.originContentSize = response.body?.length;
    if (response.status >= 500) failed(index);
    else if (passive !== undefined) states[index]!.succeed();
    return decode && response.headers.get('Content-Encoding') === 'gzip' ? platform.unpack(response) : response;
  }

  return {
    handle,
    available: () => servers.some((_, index) => isUp(index)),
    healthy: () => servers.filter((_, index) => takesNew(index)).length,
  };
}

function createStrategy(
  strategy: LoadBalancer['strategy'],
  servers: readonly ServerEntry[],
  states: readonly CandidateState[],
  { random }: Platform,
): Balancer {
  switch (strategy) {
    case 'wrr':
      return createWeightedRoundRobin(servers, states, random);
    case 'p2c':
      return createPowerOfTwoChoices(servers, states, random);
    case 'hrw':
      return createHighestRandomWeight(servers);
    case 'leasttime':
      return createLeastTime(servers, states, random);
  }
}
