import { createLogger, type Logger, type LogLevel, type LogLine } from '../base/log.ts';
import { type LogFile, openLogFile } from './log-file.ts';
import { createStdoutLines } from './stdout-lines.ts';

export interface LogOutputOptions {
  readonly level: LogLevel;
  readonly format: 'common' | 'json';
  /** Standard output when absent. */
  readonly filePath?: string | undefined;
  /** Megabytes; 100 without. */
  readonly maxSize?: number | undefined;
  readonly maxBackups?: number | undefined;
  /** Days. */
  readonly maxAge?: number | undefined;
  readonly compress?: boolean | undefined;
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

/** Writes the program's own log: `common` for people, JSON for machines, with Traefik's field names. Throws Node's error when the file cannot be opened. */
export function createLogOutput(options: LogOutputOptions): LogOutput {
  const { level, format, filePath, colours } = options;
  const file = !filePath ? undefined : openFile(filePath, options);
  const toStdout = createStdoutLines();
  const print = format === 'json' ? jsonLine : (line: LogLine) => textLine(line, colours && filePath === undefined);
  return {
    log: createLogger((line) => {
      try {
        const text = `${print(line)}\n`;
        if (file === undefined) toStdout(text);
        else file.write(text);
      } catch {
        // A full disk or a closed pipe loses lines, never requests.
      }
    }, level),
    reopen() {
      try {
        file?.reopen();
      } catch {
        // The old one goes on.
      }
    },
  };
}

const MEGABYTE = 1024 * 1024;
const DAY_MS = 86_400_000;

function openFile(path: string, { maxSize, maxBackups, maxAge, compress }: LogOutputOptions): LogFile {
  return openLogFile({
    path,
    maxBytes: (maxSize || 100) * MEGABYTE,
    maxBackups: maxBackups ?? 0,
    maxAgeMs: (maxAge ?? 0) * DAY_MS,
    compress: compress === true,
    now: Date.now,
  });
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
