import type { Cells } from '../base/cells.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { Handler, ProxyRequest, ProxyResponse } from '../base/message.ts';
import type { Infer, Schema } from '../base/schema.ts';

/** Runs for every request: neither parses nor allocates what `create` could have prepared. */
export type Middleware = (request: ProxyRequest, next: Handler) => Promise<ProxyResponse>;

/** All that a middleware may have from outside. */
export interface MiddlewareContext {
  /** Qualified name of the middleware object, `auth@file`. */
  readonly name: string;
  /** Qualified name of the router whose instance this is; as in Traefik each router has its own. */
  readonly router: string;
  readonly place: 'agent' | 'edge';
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  /** Names are taken relative to middleware and router. */
  readonly cells: Cells;
  /** The cells of all middlewares: for tables that would be too large for each router. Keys must hold middleware and router. */
  readonly sharedCells: Cells;
  readonly log: Logger;
  /** The handler of another service by its qualified or bare name (resolved in the middleware's provider). Throws ConfigError when there is none. */
  readonly service: (name: string) => Handler;
  /** A request to a server of no service (an auth server): the URL decides, redirects are not followed. */
  readonly fetch: (url: string, request: ProxyRequest, transport?: FetchTransport) => Promise<ProxyResponse>;
  /** What only platforms have. */
  readonly platform: MiddlewarePlatform;
}

/** TLS and time limits of `context.fetch`. File contents are inlined by the provider that read the configuration. */
export interface FetchTransport {
  readonly timeoutMs?: number;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly insecureSkipVerify?: boolean;
}

export interface MiddlewarePlatform {
  /** A stream that compresses; undefined when the platform lacks the coding. */
  readonly compressor?: (coding: 'gzip' | 'br' | 'zstd') => ByteTransform | undefined;
  readonly decompressor?: (coding: 'gzip' | 'br' | 'zstd') => ByteTransform | undefined;
  /** The text of a file (usersFile). Throws ConfigError. Absent at the edge. */
  readonly readFile?: (path: string) => string;
  /** Compares a password with a bcrypt hash on another thread: it takes up to seconds of CPU, which would keep every request waiting. */
  readonly verifyBcrypt?: (password: string, hash: string) => Promise<boolean>;
  /** Counts shared beyond this process (rateLimit's Redis form). Clients with equal options are one. */
  readonly redis?: (options: RedisOptions) => RedisScripts;
  /** Room for a body beyond memory (buffering); absent where there is no disk. */
  readonly spill?: () => Spill;
}

/** Bytes put aside: written once, then read as often as wanted. */
export interface Spill {
  write(chunk: Uint8Array): Promise<void>;
  read(): AsyncIterable<Uint8Array>;
  /** Frees the room. Nothing may be read afterwards. */
  close(): void;
}

/** Options of rateLimit's `redis`; times in milliseconds, TLS texts are PEM. */
export interface RedisOptions {
  readonly endpoints: readonly string[];
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string; readonly insecureSkipVerify?: boolean };
  readonly username?: string;
  readonly password?: string;
  readonly db?: number;
  readonly poolSize?: number;
  readonly minIdleConns?: number;
  readonly maxActiveConns?: number;
  readonly readTimeout: number;
  readonly writeTimeout: number;
  readonly dialTimeout: number;
}

/** Takes chunks, gives chunks; `flush` pushes out what is held back. */
export interface ByteTransform {
  write(chunk: Uint8Array): Promise<Uint8Array>;
  flush(): Promise<Uint8Array>;
  end(): Promise<Uint8Array>;
  close(): void;
}

export interface RedisScripts {
  /** Runs a Lua script with keys and arguments; rejects when the store is away. */
  evaluate(script: string, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown>;
}

/**
 * One word of the language: its options, their documentation and what it does, in one file.
 * `edge` says whether these options can run in a Worker: true, or the reason why the chain must be handed to the agent.
 * A refusal that the middleware exists for is a returned response; a failure is thrown.
 */
export interface MiddlewareDefinition<S extends Schema = Schema> {
  readonly kind: string;
  readonly summary: string;
  readonly options: S;
  readonly edge: true | string | ((options: Infer<S>) => true | string);
  /** Made by providers only; users cannot write it (Traefik refuses these words in files, labels and keys). */
  readonly internal?: true;
  /** Names of the middlewares that these options stand for (chain); such a word is spliced, not created. */
  readonly expand?: (options: Infer<S>) => readonly string[];
  /** Runs once per configuration and router: compile, parse and complain (ConfigError) here. Absent: nobody implements the word yet. */
  readonly create?: (options: Infer<S>, context: MiddlewareContext) => Middleware;
}

export function defineMiddleware<S extends Schema>(definition: MiddlewareDefinition<S>): MiddlewareDefinition<S> {
  return definition;
}

/** True, or why the options cannot run at the edge. */
export function runsAtEdge(definition: MiddlewareDefinition, options: unknown): true | string {
  return typeof definition.edge === 'function' ? definition.edge(options as never) : definition.edge;
}
