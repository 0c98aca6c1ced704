import type { Clock } from '../../base/clock.ts';

/** Milliseconds for which lines are held to travel together. */
const HOLD_MS = 20;
const MAX_LINES = 1000;
/** Nor more characters than these, however long the lines are. */
const MAX_CHARACTERS = 1024 * 1024;

/** Lines on their way from a data thread to the thread that writes: many in one message. */
export interface LineBatch {
  add(line: string): void;
  flush(): void;
}

/** `maxLines` travel together at most. */
export function createLineBatch(clock: Clock, send: (lines: string) => void, maxLines = MAX_LINES): LineBatch {
  let lines: string[] = [];
  let size = 0;
  let cancel: (() => void) | undefined;
  const flush = (): void => {
    cancel?.();
    cancel = undefined;
    if (lines.length === 0) return;
    const text = `${lines.join('\n')}\n`;
    lines = [];
    size = 0;
    send(text);
  };
  return {
    add(line) {
      lines.push(line);
      size += line.length;
      if (lines.length >= maxLines || size >= MAX_CHARACTERS) flush();
      else cancel ??= clock.after(HOLD_MS, flush);
    },
    flush,
  };
}
