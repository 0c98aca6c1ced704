import type { Socket } from 'node:net';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { Handler, ProxyRequest, TlsFacts } from '../../base/message.ts';

import type { Http1Connection } from './connection.ts';

/** What a peer may cost. Times in milliseconds, 0 for no limit. */
export interface Http1Limits {
  /** A request or answer head; beyond: 431. */
  readonly maxHeaderBytes: number;
  /** Field lines of a head; beyond: 431. */
  readonly maxHeaderFields: number;
  /** The request target; beyond: 414. */
  readonly maxTargetBytes: number;
  readonly maxTrailerBytes: number;
  /** A whole request with its body, and the first byte on a new connection (respondingTimeouts.readTimeout). */
  readonly readTimeoutMs: number;
  /** From the head of a request to the end of its answer (respondingTimeouts.writeTimeout). */
  readonly writeTimeoutMs: number;
  /** Between requests (respondingTimeouts.idleTimeout). */
  readonly idleTimeoutMs: number;
  /** Requests on one connection (transport.keepAliveMaxRequests). */
  readonly keepAliveMaxRequests: number;
  /** Age at which a connection takes no further request (transport.keepAliveMaxTime). */
  readonly keepAliveMaxTimeMs: number;
}

/** Traefik's defaults where it has them: 1 MiB of head, 60 s, 180 s. */
export const DEFAULT_LIMITS: Http1Limits = {
  maxHeaderBytes: 1_048_576,
  maxHeaderFields: 1000,
  maxTargetBytes: 65_536,
  maxTrailerBytes: 65_536,
  readTimeoutMs: 60_000,
  writeTimeoutMs: 0,
  idleTimeoutMs: 180_000,
  keepAliveMaxRequests: 0,
  keepAliveMaxTimeMs: 0,
};

/** How one exchange went, told when its answer has left or the connection is gone. */
export interface Outcome {
  readonly status: number;
  /** Content bytes sent, without head and framing. */
  readonly sentBytes: number;
  /** False when the answer was cut. */
  readonly complete: boolean;
}

/** Shared by all connections of an entry point. */
export interface Http1Settings {
  readonly handler: Handler;
  readonly entryPoint: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits: Http1Limits;
  /** For access log and metrics. Must not throw. */
  readonly onOutcome?: (request: ProxyRequest, outcome: Outcome) => void;
  /** The connection is gone, or has become a tunnel. Must not throw. */
  readonly onOver?: (connection: Http1Connection) => void;
  /** A client began with HTTP/2's preface, which begins `first`. The socket is the callee's from now on. Absent: refused. */
  readonly onHttp2?: (socket: Socket, peer: Peer, first: Buffer) => void;
}

/** Facts of one connection. */
export interface Peer {
  /** After the PROXY protocol. */
  readonly address: string;
  readonly port: number;
  readonly scheme: 'http' | 'https';
  readonly tls: TlsFacts | undefined;
}
