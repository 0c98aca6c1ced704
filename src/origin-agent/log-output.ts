import { openSync, writeSync } from 'node:fs';
import { createLogger, type Logger, type LogLevel, type LogLine } from '../base/log.ts';

export interface LogOutputOptions {
  readonly level: LogLevel;
  readonly format: 'common' | 'json';
  /** Standard output when absent. */
  readonly filePath?: string;
  readonly colours: boolean;
}

const COLOURS: Partial<Record<LogLevel, string>> = {
  DEBUG: '\x1b[35m',
  INFO: '\x1b[32m',
  WARN: '\x1b[33m',
  ERROR: '\x1b[31m',
  FATAL: '\x1b[31m',
  PANIC: '\x1b[31m',
};
const SHORT: Record<LogLevel, string> = { TRACE: 'TRC', DEBUG: 'DBG', INFO: 'INF', WARN: 'WRN', ERROR: 'ERR', FATAL: 'FTL', PANIC: 'PNC' };

export interface LogOutput {
  readonly log: Logger;
  /** Opens the file anew (SIGUSR1, after logrotate moved it away). */
  reopen(): void;
}

/** Writes the program's own log: `common` for people, JSON for machines, with Traefik's field names. */
export function createLogOutput({ level, format, filePath, colours }: LogOutputOptions): LogOutput {
  const open = (): number => (filePath === undefined ? 1 : openSync(filePath, 'a'));
  let file = open();
  const print = format === 'json' ? jsonLine : (line: LogLine) => textLine(line, colours && filePath === undefined);
  return {
    log: createLogger((line) => {
      try {
        writeSync(file, `${print(line)}\n`);
      } catch {
        // A full disk or a closed pipe loses lines, never requests.
      }
    }, level),
    reopen() {
      if (filePath !== undefined) file = open();
    },
  };
}

const jsonLine = ({ level, message, fields }: LogLine): string =>
  JSON.stringify({ level: level.toLowerCase(), ...fields, time: new Date().toISOString(), message }, (_, value) =>
    typeof value === 'bigint' ? String(value) : value,
  );

function textLine({ level, message, fields }: LogLine, colours: boolean): string {
  const short = colours ? `${COLOURS[level] ?? ''}${SHORT[level]}\x1b[0m` : SHORT[level];
  const rest = Object.entries(fields).map(
    ([name, value]) => ` ${name}=${typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value)}`,
  );
  return `${new Date().toISOString()} ${short} ${message}${rest.join('')}`;
}
