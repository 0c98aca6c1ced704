import { closeSync, openSync, write } from 'node:fs';
import type { Logger } from '../../base/log.ts';

export interface AccessLogWriter {
  /** Whole lines with their ends, in a memory that is the writer's from here on. Returns at once. */
  write(lines: Uint8Array): void;
  /** Opens the file anew (SIGUSR1, after logrotate moved it away). */
  reopen(): void;
  /** Resolves when all that was given is written or lost. */
  close(): Promise<void>;
}

/** Bytes that wait while the disk is slow; beyond, lines are lost. */
const MAX_WAITING = 64 * 1024 * 1024;
const STDOUT = 1;
/** So much goes into a pipe at once or not at all (POSIX PIPE_BUF): lines of the log come between lines, never into them. */
const PIPE_BYTES = 4096;
const LINE_END = 0x0a;
/** A pipe whose reader is slow is tried again after so long. */
const RETRY_MS = 5;
/** At the end a reader gets so long to come after. */
const CLOSE_MS = 2_000;

/** Writes lines in the background, in order. A full disk or a closed pipe loses lines, never requests. Throws Node's error when the file cannot be opened. */
export function createAccessLogWriter({ filePath, log }: { filePath: string | undefined; log: Logger }): AccessLogWriter {
  const open = (): number => (filePath === undefined ? STDOUT : openSync(filePath, 'a'));
  let file = open();
  let old: number | undefined;
  let waiting: Uint8Array[] = [];
  let size = 0;
  let writing = false;
  let losing = false;
  let giveUpAt = Number.POSITIVE_INFINITY;
  const idle: (() => void)[] = [];

  function lose(error: unknown): void {
    if (!losing) log.warn('Access log lines are lost', { error: error instanceof Error ? error.message : error });
    losing = true;
  }

  function next(): void {
    if (old !== undefined) closeSync(old);
    old = undefined;
    if (waiting.length === 0) {
      writing = false;
      for (const resolve of idle.splice(0)) resolve();
      return;
    }
    writing = true;
    const bytes = Buffer.concat(waiting);
    waiting = [];
    size = 0;
    put(bytes, 0);
  }

  function put(bytes: Buffer, at: number): void {
    const end = filePath === undefined ? pipeEnd(bytes, at) : bytes.length;
    write(file, bytes, at, end - at, null, (error, written) => {
      const isFull = error?.code === 'EAGAIN' && Date.now() < giveUpAt;
      if (isFull) return void setTimeout(put, RETRY_MS, bytes, at);
      if (error !== null) lose(error);
      else if (at + written < bytes.length) return put(bytes, at + written);
      else losing = false;
      next();
    });
  }

  return {
    write(lines) {
      if (size + lines.length > MAX_WAITING) return lose(`more than ${MAX_WAITING} bytes wait for the disk`);
      waiting.push(lines);
      size += lines.length;
      if (!writing) next();
    },
    reopen() {
      if (filePath === undefined) return;
      try {
        const before = file;
        file = open();
        // What is being written ends in the old file.
        if (writing && old === undefined) old = before;
        else closeSync(before);
      } catch (error) {
        lose(error);
      }
    },
    async close() {
      giveUpAt = Date.now() + CLOSE_MS;
      if (writing) await new Promise<void>((resolve) => idle.push(resolve));
      if (filePath !== undefined) closeSync(file);
    },
  };
}

/** The end of the last line that fits, or of one that is longer. */
function pipeEnd(bytes: Uint8Array, at: number): number {
  if (bytes.length - at <= PIPE_BYTES) return bytes.length;
  const fitting = bytes.lastIndexOf(LINE_END, at + PIPE_BYTES - 1) + 1;
  if (fitting > at) return fitting;
  const long = bytes.indexOf(LINE_END, at) + 1;
  return long === 0 ? bytes.length : long;
}
