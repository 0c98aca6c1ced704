import { closeSync, createReadStream, createWriteStream, fstatSync, openSync, renameSync, writeSync } from 'node:fs';
import { readdir, rename, rm, unlink } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

export interface LogFileOptions {
  readonly path: string;
  /** Beyond this size the file is turned over. */
  readonly maxBytes: number;
  /** How many old files are kept; 0 is all. */
  readonly maxBackups: number;
  /** How long old files are kept; 0 is for ever. */
  readonly maxAgeMs: number;
  /** Old files are packed with gzip. */
  readonly compress: boolean;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** A file that is turned over when it is full: `agent.log` becomes `agent-2026-01-02T03-04-05.678.log`, as with Traefik. */
export interface LogFile {
  /** Throws Node's error when the disk is full. */
  write(text: string): void;
  /** Opens the file anew, after it was moved away. Throws Node's error; lines then go on to the old one. */
  reopen(): void;
  /** Resolves when old files are packed and removed. */
  tidied(): Promise<void>;
}

/** Throws Node's error when the file cannot be opened. */
export function openLogFile(options: LogFileOptions): LogFile {
  const { path, maxBytes, now } = options;
  let file = openSync(path, 'a');
  let size = fstatSync(file).size;
  let tidying = tidy(options);

  function turnOver(): void {
    renameSync(path, backupPath(path, now()));
    reopen();
    tidying = tidying.then(() => tidy(options));
  }

  function reopen(): void {
    const next = openSync(path, 'a');
    closeSync(file);
    file = next;
    size = fstatSync(file).size;
  }

  return {
    write(text) {
      const bytes = Buffer.from(text);
      if (size > 0 && size + bytes.length > maxBytes) turnOver();
      size += writeSync(file, bytes);
    },
    reopen,
    tidied: () => tidying,
  };
}

function backupPath(path: string, ms: number): string {
  const extension = extname(path);
  const time = new Date(ms).toISOString().slice(0, -1).replaceAll(':', '-');
  return join(dirname(path), `${basename(path, extension)}-${time}${extension}`);
}

/** Packs and removes old files. It is not worth a word when that fails: the next time tries again. */
async function tidy({ path, maxBackups, maxAgeMs, compress, now }: LogFileOptions): Promise<void> {
  try {
    const backups = await findBackups(path);
    const kept = backups.filter(({ at }, index) => (maxBackups === 0 || index < maxBackups) && (maxAgeMs === 0 || now() - at <= maxAgeMs));
    for (const backup of backups) if (!kept.includes(backup)) await unlink(backup.path);
    if (compress) for (const { path: old } of kept) if (!old.endsWith('.gz')) await pack(old);
  } catch {
    // Said above.
  }
}

interface Backup {
  readonly path: string;
  /** Milliseconds since the epoch, from the name. */
  readonly at: number;
}

const TIME = /^(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d\.\d{3})(.*)$/;

/** Newest first. */
async function findBackups(path: string): Promise<Backup[]> {
  const folder = dirname(path);
  const extension = extname(path);
  const prefix = `${basename(path, extension)}-`;
  const backups: Backup[] = [];
  for (const name of await readdir(folder)) {
    if (!name.startsWith(prefix)) continue;
    const [, day, hour, minute, second, rest] = TIME.exec(name.slice(prefix.length)) ?? [];
    if (day !== undefined && (rest === extension || rest === `${extension}.gz`))
      backups.push({ path: join(folder, name), at: Date.parse(`${day}T${hour}:${minute}:${second}Z`) });
  }
  return backups.sort((a, b) => b.at - a.at);
}

/** Under another name until it is whole. */
async function pack(path: string): Promise<void> {
  const unfinished = `${path}.gz.tmp`;
  try {
    await pipeline(createReadStream(path), createGzip(), createWriteStream(unfinished, { mode: 0o600 }));
    await rename(unfinished, `${path}.gz`);
    await unlink(path);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}
