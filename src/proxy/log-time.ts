/** Times of log lines. What changes once a second is made once a second: formatting a date costs more than all else in a line. */

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const two = (value: number): string => String(value).padStart(2, '0');

/** Minutes east of UTC. */
const offsetOf = (ms: number): number => -new Date(ms).getTimezoneOffset();

function zone(minutes: number, separator: string): string {
  const all = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(all / 60))}${separator}${two(all % 60)}`;
}

/** Remembers the text of the second that was asked for last. */
function oncePerSecond<T>(make: (ms: number) => T): (second: number) => T {
  let known = Number.NaN;
  let value: T;
  return (second) => {
    if (second !== known) {
      value = make(second * 1000);
      known = second;
    }
    return value;
  };
}

const iso = (ms: number): string => new Date(ms).toISOString().slice(0, 19);

/** `.0065`: as many digits of the second as there are, to the nanosecond. `ms` of the time, `second` its whole seconds. */
function fraction(ms: number, second: number): string {
  const ns = Math.min(Math.round((ms - second * 1000) * 1e6), 999_999_999);
  if (ns <= 0) return '';
  const digits = String(1_000_000_000 + ns);
  let end = 10;
  while (digits.charCodeAt(end - 1) === 48) end--;
  return `.${digits.slice(1, end)}`;
}

export interface LogTimes {
  /** RFC 3339 with the fraction, in UTC. */
  utc(ms: number): string;
  /** The same in the time zone of this machine. */
  local(ms: number): string;
  /** Likewise, in whole seconds. */
  localSecond(ms: number): string;
  /** `02/Jan/2026:03:04:05 +0000`. */
  clfUtc(ms: number): string;
  clfLocal(ms: number): string;
}

export function createLogTimes(): LogTimes {
  const utc = oncePerSecond(iso);
  const local = oncePerSecond((ms) => {
    const offset = offsetOf(ms);
    return { text: iso(ms + offset * 60_000), zone: offset === 0 ? 'Z' : zone(offset, ':') };
  });
  const ended = oncePerSecond((ms) => {
    const offset = offsetOf(ms);
    return iso(ms + offset * 60_000) + (offset === 0 ? 'Z' : zone(offset, ':'));
  });
  const clfUtc = oncePerSecond((ms) => clf(ms, 0));
  const clfLocal = oncePerSecond((ms) => clf(ms, offsetOf(ms)));
  return {
    utc(ms) {
      const second = Math.floor(ms / 1000);
      return `${utc(second)}${fraction(ms, second)}Z`;
    },
    local(ms) {
      const second = Math.floor(ms / 1000);
      const { text, zone } = local(second);
      return text + fraction(ms, second) + zone;
    },
    localSecond: (ms) => ended(Math.floor(ms / 1000)),
    clfUtc: (ms) => clfUtc(Math.floor(ms / 1000)),
    clfLocal: (ms) => clfLocal(Math.floor(ms / 1000)),
  };
}

function clf(ms: number, offsetMinutes: number): string {
  const date = new Date(ms + offsetMinutes * 60_000);
  const day = `${two(date.getUTCDate())}/${MONTHS[date.getUTCMonth()]}/${date.getUTCFullYear()}`;
  return `${day}:${date.toISOString().slice(11, 19)} ${zone(offsetMinutes, '')}`;
}
