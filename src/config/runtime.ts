import type { Infer } from '../base/schema.ts';
import type {
  httpRouter,
  httpService,
  middleware,
  serversTransport,
  tcpMiddleware,
  tcpRouter,
  tcpServersTransport,
  tcpService,
  tlsCertificate,
  tlsOptions,
  tlsStore,
  udpRouter,
  udpService,
} from './dynamic.ts';

/**
 * The configuration in force: what merge makes of all providers. Names are qualified (`blog@docker`), references too, entry
 * points and models applied. Every object keeps its own errors; only objects with `status` other than `disabled` take part.
 */
export interface RuntimeConfiguration {
  readonly http: {
    readonly routers: Readonly<Record<string, RuntimeObject<RuntimeHttpRouter>>>;
    readonly services: Readonly<Record<string, RuntimeObject<Infer<typeof httpService>>>>;
    readonly middlewares: Readonly<Record<string, RuntimeObject<Infer<typeof middleware>>>>;
    readonly serversTransports: Readonly<Record<string, RuntimeObject<Infer<typeof serversTransport>>>>;
  };
  readonly tcp: {
    readonly routers: Readonly<Record<string, RuntimeObject<RuntimeTcpRouter>>>;
    readonly services: Readonly<Record<string, RuntimeObject<Infer<typeof tcpService>>>>;
    readonly middlewares: Readonly<Record<string, RuntimeObject<Infer<typeof tcpMiddleware>>>>;
    readonly serversTransports: Readonly<Record<string, RuntimeObject<Infer<typeof tcpServersTransport>>>>;
  };
  readonly udp: {
    readonly routers: Readonly<Record<string, RuntimeObject<Infer<typeof udpRouter>>>>;
    readonly services: Readonly<Record<string, RuntimeObject<Infer<typeof udpService>>>>;
  };
  readonly tls: {
    readonly certificates: readonly Infer<typeof tlsCertificate>[];
    readonly options: Readonly<Record<string, Infer<typeof tlsOptions>>>;
    readonly stores: Readonly<Record<string, Infer<typeof tlsStore>>>;
  };
}

export type ObjectStatus = 'enabled' | 'warning' | 'disabled';

export interface RuntimeObject<T> {
  /** Name without the provider. */
  readonly name: string;
  /** Suffix of the qualified name; `internal` for our own. */
  readonly provider: string;
  readonly status: ObjectStatus;
  /** Sentences for the operator; empty when enabled. */
  readonly errors: readonly string[];
  /** Routers: the entry points. */
  readonly using?: readonly string[];
  /** Services and middlewares: qualified names of the routers that use them. */
  readonly usedBy?: readonly string[];
  readonly config: T;
  /**
   * The object as its provider wrote it (bare references), where `config` differs from it; the API shows it. The same reference
   * as before while the provider says the same.
   */
  readonly written?: unknown;
}

/** A router whose entry points, middlewares, TLS and priority are settled. */
export type RuntimeHttpRouter = Omit<Infer<typeof httpRouter>, 'priority'> & {
  readonly entryPoints: string[];
  /** Qualified, those of the entry point first. */
  readonly middlewares: string[];
  /** Qualified. */
  readonly service: string;
  /** The priority in force; bigint beyond ±(2⁵³−1). */
  readonly priority: number | bigint;
};

export type RuntimeTcpRouter = Omit<Infer<typeof tcpRouter>, 'priority'> & {
  readonly entryPoints: string[];
  readonly middlewares: string[];
  readonly service: string;
  readonly priority: number | bigint;
};
