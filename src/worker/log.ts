import { createLogger, LOG_LEVELS, type Logger, type LogLevel } from '../base/log.ts';

/** Lines of JSON for Workers Logs, which indexes their fields. */
export function createConsoleLogger(level: string | undefined): Logger {
  const wanted = (level ?? 'INFO').toUpperCase() as LogLevel;
  return createLogger(
    ({ level: lineLevel, message, fields }) => console.log(JSON.stringify({ level: lineLevel.toLowerCase(), message, ...fields })),
    LOG_LEVELS.includes(wanted) ? wanted : 'INFO',
  );
}
