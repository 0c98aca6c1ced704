import { type FSWatcher, watch } from 'node:fs';
import { lstat, readlink, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { Clock } from '../base/clock.ts';

/** Quiet time after the last event before files are read; programs save in several steps. */
const QUIET_MS = 10;
/** Longest wait when events do not end. */
const LONGEST_MS = 40;
/** File systems without events (network mounts, bind mounts of one file) are looked at so often. */
const LOOK_MS = 5_000;
/** Links that are followed before a path counts as circular. */
const MAX_LINKS = 40;

export interface PathWatcher {
  /**
   * Watches these paths from now on, whatever links lead to them; they may not exist yet. True when a folder was not watched
   * before: what happened in it until now was not seen.
   */
  set(paths: readonly string[], folders: ReadonlySet<string>): Promise<boolean>;
  /** Resolves when something changed since the last call; false when aborted. */
  changed(): Promise<boolean>;
  /** Something changed that no event tells of. */
  notice(): void;
}

interface Watched {
  readonly watcher: FSWatcher;
  readonly identity: string;
}

/**
 * Watches files by watching the folders that hold them, so that replacing a file, its link, or a folder on the way is seen.
 * `folders` are watched for any name.
 */
export function createPathWatcher(clock: Clock, signal: AbortSignal): PathWatcher {
  const watched = new Map<string, Watched>();
  let interesting = new Map<string, Set<string> | 'all'>();
  let paths: readonly string[] = [];
  let state = '';
  let dirty = false;
  let wake: () => void = () => {};
  let cancelQuiet: () => void = () => {};
  let firstEvent: number | undefined;

  function notice(): void {
    firstEvent ??= clock.now();
    cancelQuiet();
    const left = Math.max(0, firstEvent + LONGEST_MS - clock.now());
    cancelQuiet = clock.after(Math.min(QUIET_MS, left), () => {
      firstEvent = undefined;
      dirty = true;
      wake();
    });
  }

  function onEvent(folder: string, name: string | null): void {
    const names = interesting.get(folder);
    if (names === undefined) return;
    if (names === 'all' || name === null || names.has(name) || name === basename(folder)) notice();
  }

  async function attach(folder: string): Promise<boolean> {
    const identity = await identityOf(folder);
    const known = watched.get(folder);
    if (known?.identity === identity) return false;
    known?.watcher.close();
    watched.delete(folder);
    if (identity === '') return false;
    try {
      const watcher = watch(folder, { persistent: false }, (_, name) => onEvent(folder, name));
      watcher.on('error', () => {
        watcher.close();
        if (watched.get(folder)?.watcher === watcher) watched.delete(folder);
        notice();
      });
      watched.set(folder, { watcher, identity });
    } catch {
      return false;
    }
    return true;
  }

  async function set(newPaths: readonly string[], folders: ReadonlySet<string>): Promise<boolean> {
    interesting = await foldersOf(newPaths, folders);
    for (const [folder, { watcher }] of watched) {
      if (interesting.has(folder)) continue;
      watcher.close();
      watched.delete(folder);
    }
    let added = false;
    for (const folder of interesting.keys()) added = (await attach(folder)) || added;
    paths = newPaths;
    state = await stateOf(paths);
    if (signal.aborted) close();
    return added;
  }

  /** For events that never came. */
  async function look(): Promise<void> {
    if (signal.aborted) return;
    const before = paths;
    const now = await stateOf(paths);
    if (before === paths && now !== state) notice();
    cancelLook = clock.after(LOOK_MS, () => void look());
  }
  let cancelLook = clock.after(LOOK_MS, () => void look());

  function close(): void {
    cancelQuiet();
    cancelLook();
    for (const { watcher } of watched.values()) watcher.close();
    watched.clear();
    wake();
  }
  signal.addEventListener('abort', close, { once: true });

  return {
    set,
    notice,
    async changed() {
      while (!dirty && !signal.aborted) await new Promise<void>((done) => (wake = done));
      dirty = false;
      return !signal.aborted;
    },
  };
}

async function identityOf(folder: string): Promise<string> {
  try {
    const { dev, ino } = await stat(folder);
    return `${dev}:${ino}`;
  } catch {
    return '';
  }
}

/** Changes when one of the files was written or replaced. */
async function stateOf(paths: readonly string[]): Promise<string> {
  const states = await Promise.all(
    paths.map(async (path) => {
      try {
        const { dev, ino, size, mtimeNs } = await stat(path, { bigint: true });
        return `${dev}:${ino}:${size}:${mtimeNs}`;
      } catch {
        return '';
      }
    }),
  );
  return states.join('\n');
}

/** The folders to watch, and the names that count in each: those of the paths and of every link on the way. */
async function foldersOf(paths: readonly string[], folders: ReadonlySet<string>): Promise<Map<string, Set<string> | 'all'>> {
  const result = new Map<string, Set<string> | 'all'>();
  const add = (folder: string, name: string): void => {
    const names = result.get(folder);
    if (names === undefined) result.set(folder, new Set([name]));
    else if (names !== 'all') names.add(name);
  };
  for (const path of new Set(paths)) {
    const real = await follow(resolve(path), add);
    if (folders.has(path)) result.set(real, 'all');
  }
  return result;
}

/** The path without links. Tells of every link and of the end, or of the first part that does not exist. */
async function follow(path: string, add: (folder: string, name: string) => void): Promise<string> {
  let rest = path.split('/').filter((part) => part !== '');
  let current = '/';
  let links = 0;
  while (rest.length > 0) {
    const next = join(current, rest[0]!);
    rest = rest.slice(1);
    let isLink: boolean;
    try {
      isLink = (await lstat(next)).isSymbolicLink();
    } catch {
      add(dirname(next), basename(next));
      return next;
    }
    if (isLink || rest.length === 0) add(dirname(next), basename(next));
    if (!isLink) {
      current = next;
      continue;
    }
    if (++links > MAX_LINKS) return next;
    const target = resolve(current, await readlink(next).catch(() => '.'));
    rest = [...target.split('/').filter((part) => part !== ''), ...rest];
    current = '/';
  }
  return current;
}
