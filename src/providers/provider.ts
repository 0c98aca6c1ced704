import type { Clock } from '../base/clock.ts';
import type { ConfigError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { Infer, Schema } from '../base/schema.ts';
import type { DynamicConfiguration } from '../config/dynamic.ts';

/** What a provider says: always the whole configuration, and what it had to leave out of it. */
export interface ProviderMessage {
  readonly configuration: DynamicConfiguration;
  /** Objects that were refused, one error each, with place. They never keep a good object from being used. */
  readonly problems: readonly ConfigError[];
  /** The source cannot be read: this is what it said before the agent was started. */
  readonly isCopy?: true;
  /** A server takes no new requests since this instant: throttling must not hold the message back. */
  readonly urgent?: boolean;
  /** Called when the agent serves this. */
  readonly applied?: () => void;
}

/** Configurations that are handed in from outside (PUT /api/providers/rest), newest last. */
export interface Inbox {
  /** Takes the place of what nobody has taken out yet. */
  put(message: ProviderMessage): void;
  /** Everything that was put and will be, until the signal aborts. One reader at a time. */
  messages(signal: AbortSignal): AsyncIterable<ProviderMessage>;
}

export interface ProviderContext {
  readonly clock: Clock;
  readonly log: Logger;
  /** Aborted when the provider shall end; `watch` then returns. */
  readonly signal: AbortSignal;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Takes a listener for the operator's wish that files be read again (SIGHUP). */
  readonly onReread?: (listener: () => void) => void;
  /** The agent, for sources that keep a list of who reads them. */
  readonly node?: { readonly name: string; readonly version: string };
  /** To be told of every failure to read the source. True when, until it can be read, a copy of what it said before stands in for it. */
  readonly onFailure?: (error: Error) => boolean;
  /** For the provider `rest`; absent where nothing is handed in. */
  readonly inbox?: Inbox;
}

/**
 * Discovers configuration. `watch` yields a whole configuration at first, and again after every change; it throws when its
 * source cannot be read, and is then started again by `keepTrying`. Throttling, de-duplication and last good are wrappers
 * around it (stream.ts), not options inside it.
 */
export interface ProviderDefinition<S extends Schema = Schema> {
  /** The key below `providers` in the static configuration. */
  readonly kind: string;
  /** Suffix of the names of its objects. */
  readonly suffix: string;
  readonly summary: string;
  readonly options: S;
  /** It may have nothing to say for ever; nobody waits for its first message. */
  readonly isQuiet?: boolean;
  /**
   * For a source elsewhere, which may be away when an agent starts: what tells it from others, without credentials. The last it
   * said is kept on disk.
   */
  readonly sourceOf?: (options: Infer<S>) => Readonly<Record<string, unknown>>;
  /** Where one section of options means several providers: each with the suffix of its names and its own options. */
  readonly instances?: (options: Infer<S>) => readonly { readonly suffix: string; readonly options: Infer<S> }[];
  readonly watch: (options: Infer<S>, context: ProviderContext) => AsyncIterable<ProviderMessage>;
}

export function defineProvider<S extends Schema>(definition: ProviderDefinition<S>): ProviderDefinition<S> {
  return definition;
}
