import { Agent, type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Duplex } from 'node:stream';
import { UpstreamError } from '../../base/errors.ts';
import { type Body, HeaderList, type ProxyRequest, type ProxyResponse, requestTarget } from '../../base/message.ts';
import type { Platform, ServerTarget } from '../../proxy/platform.ts';
import { Channel, nobody } from '../sockets/channel.ts';
import { NodeBody } from './node-body.ts';
import { unixPath, upstreamTlsOptions } from './server-target.ts';
import type { Tunnel } from './tunnel.ts';
import { isReplayable, toUpstreamError } from './upstream-error.ts';

export interface NodeHttpSender {
  readonly send: Platform['send'];
  /** Closes idle connections; those in use end with their exchange. */
  close(): void;
}

/** Sends records with `node:http`, connections kept per server. h2c servers are refused. */
export function createNodeHttpSender(): NodeHttpSender {
  const agents = new Map<string, Agent>();
  return {
    send: async (target, request) => exchange(agentOf(agents, target), target, request),
    close() {
      for (const agent of agents.values()) agent.destroy();
      agents.clear();
    },
  };
}

function agentOf(agents: Map<string, Agent>, target: ServerTarget): Agent {
  const key = `${target.transportName} ${target.url}`;
  let agent = agents.get(key);
  if (agent === undefined) {
    const { transport } = target;
    const idle = transport.maxIdleConnsPerHost ?? 0;
    const options = {
      keepAlive: idle >= 0,
      maxFreeSockets: idle > 0 ? idle : 2,
      timeout: transport.forwardingTimeouts?.idleConnTimeout ?? 90_000,
      scheduling: 'lifo' as const,
    };
    agent = target.scheme === 'https' ? new HttpsAgent({ ...options, ...upstreamTlsOptions(target) }) : new Agent(options);
    agents.set(key, agent);
  }
  return agent;
}

function exchange(agent: Agent, target: ServerTarget, request: ProxyRequest): Promise<ProxyResponse> {
  return new Promise((resolve, reject) => {
    const socketPath = unixPath(target);
    const outgoing = (target.scheme === 'https' ? httpsRequest : httpRequest)({
      agent,
      ...(socketPath === undefined ? { host: target.host, port: target.port } : { socketPath }),
      method: request.method,
      path: requestTarget(request),
      headers: outgoingHeaders(request),
      setHost: false,
    });
    const state = { sent: false, answered: false, failed: false };
    const fail = (error: UpstreamError): void => {
      state.failed = true;
      outgoing.destroy();
      reject(error);
    };
    const stopTimers = limitTimes(outgoing, target, state, fail);
    const offCancel = request.cancellation.onCancel(() =>
      fail(new UpstreamError('upstream.aborted', 'The client went away', { sent: state.sent })),
    );
    const settle = (incoming: IncomingMessage, response: ProxyResponse): void => {
      state.answered = true;
      stopTimers();
      incoming.on('close', offCancel);
      resolve(response);
    };
    outgoing.on('information', (info) => {
      if (info.statusCode !== 100) request.interim?.(info.statusCode, new HeaderList(info.rawHeaders.slice()));
    });
    outgoing.on('response', (incoming) => {
      const body = hasResponseBody(request, incoming) ? new NodeBody(incoming, 'server') : undefined;
      if (body === undefined) incoming.resume();
      settle(incoming, { status: incoming.statusCode!, headers: new HeaderList(incoming.rawHeaders.slice()), body });
    });
    outgoing.on('upgrade', (incoming, socket: Duplex, early) => {
      offCancel();
      const tunnel: Tunnel = { channel: Channel.over(socket, nobody), early };
      settle(incoming, { status: incoming.statusCode!, headers: new HeaderList(incoming.rawHeaders.slice()), body: undefined, tunnel });
    });
    outgoing.on('error', (cause) => {
      stopTimers();
      offCancel();
      if (state.answered) return;
      // A kept connection that the server closed meanwhile says nothing about the server: once more, on another one.
      const again =
        outgoing.reusedSocket && request.body === undefined && isReplayable(request) && !request.cancellation.cancelled && !state.failed;
      if (again) resolve(exchange(agent, target, request));
      else reject(toUpstreamError(cause, state.sent));
    });
    void sendBody(request.body, outgoing).catch(fail);
  });
}

function limitTimes(
  outgoing: ClientRequest,
  target: ServerTarget,
  state: { sent: boolean },
  fail: (error: UpstreamError) => void,
): () => void {
  const { dialTimeout = 30_000, responseHeaderTimeout = 0 } = target.transport.forwardingTimeouts ?? {};
  let timer: NodeJS.Timeout | undefined;
  const start = (ms: number, what: string): void => {
    clearTimeout(timer);
    if (ms > 0)
      timer = setTimeout(() => fail(new UpstreamError('upstream.timeout', `The server ${what} ${ms} ms`, { sent: state.sent })), ms);
  };
  start(dialTimeout, 'did not accept the connection within');
  outgoing.on('socket', (socket) => {
    const connected = (): void => {
      state.sent = true;
      clearTimeout(timer);
    };
    if (!socket.connecting) connected();
    else socket.once(target.scheme === 'https' ? 'secureConnect' : 'connect', connected);
  });
  outgoing.on('finish', () => start(responseHeaderTimeout, 'sent no head of an answer within'));
  return () => clearTimeout(timer);
}

function outgoingHeaders(request: ProxyRequest): string[] {
  const { body, headers } = request;
  const list = ['Host', request.host];
  for (const [name, value] of headers) {
    if (!/^(?:host|content-length|transfer-encoding|connection)$/i.test(name)) list.push(name, value);
  }
  if (request.upgrade !== undefined) list.push('Connection', 'Upgrade');
  if (body === undefined) {
    if (/^(?:POST|PUT|PATCH)$/.test(request.method)) list.push('Content-Length', '0');
  } else if (body.length !== undefined) list.push('Content-Length', String(body.length));
  else list.push('Transfer-Encoding', 'chunked');
  return list;
}

async function sendBody(body: Body | undefined, outgoing: ClientRequest): Promise<void> {
  if (body !== undefined) {
    for await (const chunk of body.chunks()) {
      if (outgoing.destroyed) return;
      await new Promise<void>((resolve) => {
        outgoing.once('close', resolve);
        outgoing.write(chunk, () => {
          outgoing.off('close', resolve);
          resolve();
        });
      });
    }
    const trailers = body.trailers();
    if (trailers !== undefined && body.length === undefined) outgoing.addTrailers([...trailers]);
  }
  outgoing.end();
}

function hasResponseBody(request: ProxyRequest, incoming: IncomingMessage): boolean {
  const status = incoming.statusCode!;
  return request.method !== 'HEAD' && status !== 204 && status !== 304 && incoming.headers['content-length'] !== '0';
}
