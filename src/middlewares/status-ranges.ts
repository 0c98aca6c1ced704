import { ConfigError } from '../base/errors.ts';

export interface StatusRange {
  readonly low: number;
  readonly high: number;
}

/** `404` or `500-599`, both ends included. */
export function parseStatusRange(text: string, option: string): StatusRange {
  const match = /^\s*(\d{3})(?:-(\d{3}))?\s*$/.exec(text);
  const low = Number(match?.[1]);
  const high = Number(match?.[2] ?? match?.[1]);
  if (match === null || low > high)
    throw new ConfigError('config.bad-value', `'${text}' in '${option}' is no status and no range of statuses; write 404 or 500-599`);
  return { low, high };
}

/** A test whether a status is in one of the ranges. */
export function createStatusTest(texts: readonly string[], option: string): (status: number) => boolean {
  const ranges = texts.map((text) => parseStatusRange(text, option));
  return (status) => ranges.some(({ low, high }) => low <= status && status <= high);
}
