/** What the hub asks of a Durable Object's storage: SQLite, and one alarm. */
export interface HubStorage {
  /** Runs one statement; rows as objects. */
  sql(query: string, ...values: readonly SqlValue[]): Row[];
  /** All or nothing. */
  transaction<T>(work: () => T): T;
  /** Replaces the alarm. */
  setAlarm(atMs: number): void;
}

export type SqlValue = string | number | null;
export type Row = Record<string, SqlValue>;

/** Version 1. Columns ending in `_at` or `_until` are milliseconds since the epoch. */
const TABLES = [
  `CREATE TABLE IF NOT EXISTS publishers (
    name TEXT PRIMARY KEY, kind TEXT NOT NULL, key TEXT NOT NULL, enrolled_at INTEGER NOT NULL,
    token_at INTEGER NOT NULL DEFAULT 0, seen_at INTEGER, lease_until INTEGER, lapsed_at INTEGER, forget_at INTEGER,
    revision INTEGER, manifest TEXT, down TEXT NOT NULL DEFAULT '[]')`,
  'CREATE TABLE IF NOT EXISTS shards (hash TEXT PRIMARY KEY, text TEXT NOT NULL, uploaded_at INTEGER NOT NULL)',
  // Hub sequence of the last change of every router, by shard.
  'CREATE TABLE IF NOT EXISTS sequences (publisher TEXT, bucket INTEGER, routers TEXT NOT NULL, PRIMARY KEY (publisher, bucket))',
  'CREATE TABLE IF NOT EXISTS objects (hash TEXT PRIMARY KEY, text TEXT NOT NULL, in_kv INTEGER NOT NULL DEFAULT 0)',
  `CREATE TABLE IF NOT EXISTS revisions (
    revision INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, who TEXT NOT NULL, changes TEXT NOT NULL,
    content TEXT NOT NULL, pointer TEXT NOT NULL, objects TEXT NOT NULL)`,
  'CREATE TABLE IF NOT EXISTS used_codes (id TEXT PRIMARY KEY, expires_at INTEGER NOT NULL)',
  'CREATE TABLE IF NOT EXISTS state (key TEXT PRIMARY KEY, value TEXT NOT NULL)',
];

export function createTables(storage: HubStorage): void {
  for (const statement of TABLES) storage.sql(statement);
}

/** Single values that outlive the hub's memory, as JSON. */
export interface State {
  /** Counts accepted changes of publications. */
  sequence: number;
  /** Who changed what since the last snapshot was compiled; null when nothing is to do. */
  dirty: readonly { readonly who: string; readonly kind: 'publish' | 'forget' | 'remove' | 'release' }[] | null;
  pinned: { readonly revision: number; readonly by: string; readonly at: number } | null;
  /** Revision whose pointer is in KV. */
  written: number;
  pointerWrittenAt: number;
  /** Text of `health` in KV. */
  health: string;
  healthWrittenAt: number;
  /** When the alarm is to ring; 0 for none. */
  alarmAt: number;
}

const INITIAL: State = {
  sequence: 0,
  dirty: null,
  pinned: null,
  written: 0,
  pointerWrittenAt: 0,
  health: '{}',
  healthWrittenAt: 0,
  alarmAt: 0,
};

export function readState<K extends keyof State>(storage: HubStorage, key: K): State[K] {
  const [row] = storage.sql('SELECT value FROM state WHERE key = ?', key);
  return row === undefined ? INITIAL[key] : (JSON.parse(row.value as string) as State[K]);
}

export function writeState<K extends keyof State>(storage: HubStorage, key: K, value: State[K]): void {
  storage.sql(
    'INSERT INTO state (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
    key,
    JSON.stringify(value),
  );
}
