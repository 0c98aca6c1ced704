import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import { finish, type Handler, type ProxyRequest } from '../../base/message.ts';
import type { EntryPoint } from '../../config/static.ts';
import { DEFAULT_LIMITS, type Http1Settings, type Outcome } from '../http1/settings.ts';

export interface Listener {
  readonly entryPoint: string;
  readonly port: number;
  /** Connections open now. */
  readonly open: () => number;
  /** Takes no new connections. Those that are open go on; HTTP clients are told with their next answer to connect anew. */
  leave(): void;
  /** Resolves when the last connection has ended. */
  whenEmpty(): Promise<void>;
  /** As `leave`, and closes what is idle. */
  drain(): void;
  /** Ends what is left. */
  close(): void;
}

export interface ListenOptions {
  readonly handler: Handler;
  readonly clock: Clock;
  readonly log: Logger;
  readonly reusePort: boolean;
  /** Number of the file of a socket that listens already (systemd), in place of the address. */
  readonly inherited?: number | undefined;
  /** For access log and metrics. Must not throw. */
  readonly onOutcome?: (request: ProxyRequest, outcome: Outcome) => void;
}

/** What HTTP connections of an entry point have in common. */
export function http1Settings(
  name: string,
  { transport, http }: EntryPoint,
  { handler, clock, log, onOutcome }: ListenOptions,
): Http1Settings {
  return {
    handler,
    entryPoint: name,
    clock,
    log: log.with({ entryPointName: name }),
    limits: {
      ...DEFAULT_LIMITS,
      maxHeaderBytes: http.maxHeaderBytes,
      readTimeoutMs: transport.respondingTimeouts.readTimeout,
      writeTimeoutMs: transport.respondingTimeouts.writeTimeout ?? 0,
      idleTimeoutMs: transport.respondingTimeouts.idleTimeout,
      keepAliveMaxRequests: transport.keepAliveMaxRequests ?? 0,
      keepAliveMaxTimeMs: transport.keepAliveMaxTime ?? 0,
    },
    onOutcome(request, outcome) {
      finish(request.facts);
      onOutcome?.(request, outcome);
    },
  };
}
