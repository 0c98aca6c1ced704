import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { NODE } from './consul.ts';

export interface Entry {
  LockIndex: number;
  Key: string;
  Flags: 0;
  /** In base64; null when it is empty. */
  Value: string | null;
  Session?: string;
  CreateIndex: number;
  ModifyIndex: number;
}

interface Space {
  readonly entries: Record<string, Entry>;
  /** Index by key that went. */
  readonly tombstones: Record<string, number>;
  /** Of the last change. */
  index: number;
}

interface Session {
  readonly ID: string;
  readonly Name: string;
  readonly Node: string;
  readonly LockDelay: number;
  readonly Behavior: 'release' | 'delete';
  readonly TTL: string;
  readonly NodeChecks: readonly string[];
  readonly ServiceChecks: null;
  readonly CreateIndex: number;
  readonly ModifyIndex: number;
}

/** Keys, tombstones and sessions as Consul keeps them: one index for every change, below a prefix the highest of what is or was there. */
export function createConsulState(file: string) {
  let state = { counter: 1, spaces: {} as Record<string, Space>, sessions: {} as Record<string, Session>, sessionIndex: 1 };
  const timers = new Map<string, NodeJS.Timeout>();
  let waiting: (() => void)[] = [];
  let isRestored = false;

  const spaceOf = (name: string): Space => (state.spaces[name] ??= { entries: {}, tombstones: {}, index: 0 });
  /** It ends at twice its TTL (measured). */
  function arm(id: string): void {
    clearTimeout(timers.get(id));
    timers.set(id, setTimeout(destroySession, 2 * Number.parseFloat(state.sessions[id]!.TTL) * 1_000, id));
  }
  function load(text: string): void {
    state = JSON.parse(text);
    for (const id of Object.keys(state.sessions)) arm(id);
  }
  if (existsSync(file)) load(readFileSync(file, 'utf8'));

  /** Once for all that a request changes. */
  function commit(change: (index: number) => void): void {
    change(++state.counter);
    // It may be killed at any moment.
    writeFileSync(`${file}.next`, JSON.stringify(state));
    renameSync(`${file}.next`, file);
    const woken = waiting;
    waiting = [];
    for (const wake of woken) wake();
  }

  function put(space: Space, index: number, key: string, value: string): Entry {
    const old = space.entries[key];
    const entry: Entry = { ...(old ?? { LockIndex: 0, Key: key, Flags: 0, CreateIndex: index }), Value: value || null, ModifyIndex: index };
    space.index = index;
    return (space.entries[key] = entry);
  }
  function drop(space: Space, index: number, key: string): void {
    if (space.entries[key] === undefined) return;
    delete space.entries[key];
    space.tombstones[key] = space.index = index;
  }
  function destroySession(id: string): void {
    const session = state.sessions[id];
    if (session === undefined) return;
    clearTimeout(timers.get(id));
    commit((index) => {
      delete state.sessions[id];
      state.sessionIndex = index;
      for (const space of Object.values(state.spaces)) {
        for (const entry of Object.values(space.entries)) {
          if (entry.Session !== id) continue;
          if (session.Behavior === 'delete') drop(space, index, entry.Key);
          else {
            delete entry.Session;
            entry.ModifyIndex = space.index = index;
          }
        }
      }
    });
  }

  return {
    entry: (space: string, key: string): Entry | undefined => spaceOf(space).entries[key],
    below: (space: string, prefix: string): Entry[] =>
      Object.values(spaceOf(space).entries)
        .filter(({ Key }) => Key.startsWith(prefix))
        .sort((a, b) => (a.Key < b.Key ? -1 : 1)),
    /** Of the whole space where nothing is and was: then every change anywhere is one. */
    indexBelow(space: string, prefix: string): number {
      const { entries, tombstones, index } = spaceOf(space);
      let highest = 0;
      for (const { Key, ModifyIndex } of Object.values(entries)) if (Key.startsWith(prefix)) highest = Math.max(highest, ModifyIndex);
      for (const [key, at] of Object.entries(tombstones)) if (key.startsWith(prefix)) highest = Math.max(highest, at);
      return Math.max(1, highest || index);
    },
    indexOf: (space: string): number => Math.max(1, spaceOf(space).index),
    /** Until something changes; true when all of it did, by a snapshot. */
    async change(ms: number, closed: AbortSignal): Promise<boolean> {
      isRestored = false;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        const end = (): void => {
          clearTimeout(timer);
          resolve();
        };
        waiting.push(end);
        closed.addEventListener('abort', end, { once: true });
      });
      return isRestored;
    },
    write: (space: string, changes: readonly { key: string; value: string | undefined }[]): void =>
      commit((index) => {
        for (const { key, value } of changes)
          if (value === undefined) drop(spaceOf(space), index, key);
          else put(spaceOf(space), index, key, value);
      }),
    sessions: (): { index: number; all: readonly Session[] } => ({ index: state.sessionIndex, all: Object.values(state.sessions) }),
    session: (id: string): Session | undefined => state.sessions[id],
    acquire(space: string, key: string, id: string, value: string): boolean {
      const holder = spaceOf(space).entries[key]?.Session;
      if (holder !== undefined && holder !== id) return false;
      commit((index) => {
        const entry = put(spaceOf(space), index, key, value);
        if (holder === undefined) entry.LockIndex++;
        entry.Session = id;
      });
      return true;
    },
    createSession(TTL: string, Behavior: Session['Behavior']): string {
      const ID = crypto.randomUUID();
      commit((index) => {
        const rest = { Name: 'edgeway', Node: NODE, LockDelay: 0, NodeChecks: [], ServiceChecks: null } as const;
        state.sessionIndex = index;
        state.sessions[ID] = { ID, ...rest, Behavior, TTL, CreateIndex: index, ModifyIndex: index };
      });
      arm(ID);
      return ID;
    },
    renew: arm,
    destroySession,
    save: (): string => JSON.stringify(state),
    restore(text: string): void {
      load(text);
      isRestored = true;
      commit(() => {});
    },
  };
}
