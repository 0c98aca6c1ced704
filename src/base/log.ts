/** Traefik's levels, quietest last. */
export const LOG_LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL', 'PANIC'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Data of a line, under Traefik's field names (`entryPointName`, `routerName`, `middlewareName`, `serviceName`, `providerName`). */
export type LogFields = Record<string, unknown>;

export interface LogLine {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
}

/** Messages are fixed texts; what varies goes into fields. */
export interface Logger {
  trace(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger whose lines all carry these fields. */
  with(fields: LogFields): Logger;
}

/** A value that must never be printed: it shows as `***` in every form of output. */
export class Secret {
  readonly #value: string;
  constructor(value: string) {
    this.#value = value;
  }
  reveal(): string {
    return this.#value;
  }
  toString(): string {
    return '***';
  }
  toJSON(): string {
    return '***';
  }
}

/** Lines below `level` cost one comparison. The sink writes (text, JSON, console); it must not throw. */
export function createLogger(sink: (line: LogLine) => void, level: LogLevel = 'INFO', base: LogFields = {}): Logger {
  const threshold = LOG_LEVELS.indexOf(level);
  const at = (lineLevel: LogLevel) => {
    if (LOG_LEVELS.indexOf(lineLevel) < threshold) return () => {};
    return (message: string, fields?: LogFields) =>
      sink({ level: lineLevel, message, fields: fields === undefined ? base : { ...base, ...fields } });
  };
  return {
    trace: at('TRACE'),
    debug: at('DEBUG'),
    info: at('INFO'),
    warn: at('WARN'),
    error: at('ERROR'),
    with: (fields) => createLogger(sink, level, { ...base, ...fields }),
  };
}

/** For code that must be handed a logger and has nothing to say. */
export const silentLogger: Logger = createLogger(() => {}, 'PANIC');
