import type { Clock } from '../../base/clock.ts';

/** Milliseconds for which lines are held to travel together. */
const HOLD_MS = 20;
const MAX_LINES = 1000;

/** Lines on their way from a data thread to the thread that writes: many in one message. */
export interface LineBatch {
  add(line: string): void;
  flush(): void;
}

export function createLineBatch(clock: Clock, send: (lines: string) => void): LineBatch {
  let lines: string[] = [];
  let cancel: (() => void) | undefined;
  const flush = (): void => {
    cancel?.();
    cancel = undefined;
    if (lines.length === 0) return;
    const text = `${lines.join('\n')}\n`;
    lines = [];
    send(text);
  };
  return {
    add(line) {
      lines.push(line);
      if (lines.length >= MAX_LINES) flush();
      else cancel ??= clock.after(HOLD_MS, flush);
    },
    flush,
  };
}
