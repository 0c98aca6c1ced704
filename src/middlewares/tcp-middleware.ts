import type { Infer, Schema } from '../base/schema.ts';

/** One word of the TCP part of the language: its options and their documentation; what it does is the TCP entry point's. */
export interface TcpMiddlewareDefinition<S extends Schema = Schema> {
  readonly kind: string;
  readonly summary: string;
  readonly options: S;
  /** Throws ConfigError for options with which no connection may be served. */
  readonly check?: (options: Infer<S>) => void;
}

export function defineTcpMiddleware<S extends Schema>(definition: TcpMiddlewareDefinition<S>): TcpMiddlewareDefinition<S> {
  return definition;
}
