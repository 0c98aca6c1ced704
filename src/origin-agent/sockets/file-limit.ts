import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import { fileNumberOf } from './accepted-socket.ts';

/** Of the files that may be open, so much stays free for connections to servers, logs and configuration … */
const RESERVED_SHARE = 1 / 4;
/** … but not more than this. */
const MAX_RESERVED = 4_096;
const REPORT_EVERY_MS = 10_000;

export interface FileLimitOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** How many files the process may open. */
  readonly limit?: number;
}

/**
 * Says whether an accepted connection must be let go because the process has nearly as many files open as it may (`ulimit -n`), and tells
 * the operator. Without this connections would hang in the queue of the kernel, and none would be left for servers.
 */
export function createFileLimit({ clock, log, limit = openFileLimit() }: FileLimitOptions): (socket: Socket) => boolean {
  // The kernel gives the lowest free number: one that is high tells that all below are in use, by whatever thread.
  const highest = limit - Math.min(Math.ceil(limit * RESERVED_SHARE), MAX_RESERVED);
  let refused = 0;
  let reportedAt = Number.NEGATIVE_INFINITY;
  return (socket) => {
    if (fileNumberOf(socket) < highest) return false;
    refused += 1;
    const now = clock.now();
    if (now - reportedAt >= REPORT_EVERY_MS) {
      log.error('Too many files are open: new connections are closed. Raise the limit (ulimit -n, LimitNOFILE=)', { refused, limit });
      refused = 0;
      reportedAt = now;
    }
    return true;
  };
}

/** Node has raised the soft limit to the hard one. Infinity where there is no such file, or no limit. */
function openFileLimit(): number {
  try {
    return Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? Number.POSITIVE_INFINITY);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
