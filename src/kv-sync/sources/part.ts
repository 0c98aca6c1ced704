import type { Clock } from '../../base/clock.ts';
import type { ConfigError } from '../../base/errors.ts';
import type { DynamicConfiguration } from '../../config/dynamic.ts';
import type { KeyRecord } from '../store-objects.ts';

/** What one file, folder, stream or store says: always all of it. */
export interface Part {
  /** For people: path or URL without credentials. */
  readonly source: string;
  /** Suffixes that mean its own objects: `blog@file`. */
  readonly suffixes: readonly string[];
  readonly configuration: DynamicConfiguration;
  readonly problems: readonly ConfigError[];
  readonly warnings: readonly ConfigError[];
  /** Objects that stand in the source as keys, and keys that are no objects; absent when it has no keys. */
  readonly records?: ReadonlyMap<string, KeyRecord>;
}

/** Suffixes of the providers that read flat keys. */
export const KEY_SUFFIXES = ['redis', 'etcd', 'zookeeper', 'consul'] as const;

export interface PartContext {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** First part of labels and keys. */
  readonly root: string;
}

export const describePart = (source: string, problem: ConfigError): Part => ({
  source,
  suffixes: [],
  configuration: {},
  problems: [problem],
  warnings: [],
});
