/** Nanoseconds by Go's unit names. */
const NANOSECONDS: Record<string, number> = { ns: 1, us: 1e3, µs: 1e3, μs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };
/** Go keeps durations in 64 bits. */
const MAX_NANOSECONDS = 2 ** 63;

/** Milliseconds of a duration as Traefik reads it: Go's form (`1m30s`, `-1.5h`) or digits alone, which are seconds. Undefined when it is neither. */
export function parseDuration(text: string): number | undefined {
  if (/^[+-]?\d+$/.test(text)) return inRange(Number(text) * 1e9);
  const sign = text[0] === '-' ? -1 : 1;
  const start = text[0] === '-' || text[0] === '+' ? 1 : 0;
  const part = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/y;
  part.lastIndex = start;
  let total = 0;
  while (part.lastIndex < text.length) {
    const match = part.exec(text);
    if (match === null) return undefined;
    total += Number(match[1]) * NANOSECONDS[match[2]!]!;
  }
  return text.length === start ? undefined : inRange(sign * total);
}

const inRange = (ns: number): number | undefined => (ns >= MAX_NANOSECONDS || ns < -MAX_NANOSECONDS ? undefined : Math.round(ns) / 1e6);

/** Go's text of a duration given in milliseconds: `0s`, `1.5ms`, `1m30s`, `3h0m0s`. */
export function formatDuration(ms: number): string {
  const sign = ms < 0 ? '-' : '';
  const ns = Math.round(Math.abs(ms) * 1e6);
  if (ns === 0) return '0s';
  if (ns < 1e3) return `${sign}${ns}ns`;
  if (ns < 1e6) return `${sign}${ns / 1e3}µs`;
  if (ns < 1e9) return `${sign}${ns / 1e6}ms`;
  const hours = Math.floor(ns / 3600e9);
  const minutes = Math.floor((ns % 3600e9) / 60e9);
  const seconds = (ns % 60e9) / 1e9;
  return `${sign}${hours > 0 ? `${hours}h` : ''}${hours > 0 || minutes > 0 ? `${minutes}m` : ''}${Number(seconds.toFixed(9))}s`;
}
