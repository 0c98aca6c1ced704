/** A command to each of the doubles. */
export interface Command {
  readonly kv?: KvCommand;
  readonly hub?: HubCommand;
  readonly egress?: EgressCommand;
}

export interface KvCommand {
  readonly put?: Readonly<Record<string, string>>;
  /** By prefix of keys: milliseconds until a write is seen. The longest prefix counts. */
  readonly delays?: Readonly<Record<string, number>>;
  /** Moves the double's clock. */
  readonly advanceMs?: number;
  readonly mode?: 'well' | 'failing' | 'hanging';
  /** The same for writes. */
  readonly writeMode?: 'well' | 'failing' | 'hanging';
  readonly resetCounts?: true;
}

export interface HubCommand {
  readonly pointer?: string;
  readonly objects?: Readonly<Record<string, string>>;
  readonly away?: boolean;
}

export interface EgressCommand {
  /** Fails requests while more than so many wait for the head of their answer. */
  readonly refuseAbove?: number;
  readonly reset?: true;
}

/** What they counted so far. */
export interface Report {
  readonly kv: {
    readonly counts: { reads: number; keysRead: number; writes: number; refusedWrites: number; misses: number };
    /** The newest value of every key. */
    readonly values: Readonly<Record<string, string | null>>;
  };
  readonly hub: { readonly asked: number };
  readonly analytics: { readonly points: readonly { indexes?: string[]; blobs?: string[]; doubles?: number[] }[] };
  readonly egress: { readonly peakWaiting: number; readonly seen: readonly { url: string; method: string }[] };
}
