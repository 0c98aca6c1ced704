import type { Clock } from '../../base/clock.ts';
import { LineBuffer } from '../../proxy/line-buffer.ts';

/** Milliseconds for which lines are held to travel together. */
const HOLD_MS = 20;
const MAX_LINES = 1000;
/** Nor more than these, however long the lines are. */
const MAX_BYTES = 1024 * 1024;

/** Lines on their way from a data thread to the thread that writes: many in one message. */
export interface LineBatch {
  /** Takes the next line, with its end; then `added` is called. */
  readonly buffer: LineBuffer;
  added(): void;
  flush(): void;
}

/** `maxLines` travel together at most. */
export function createLineBatch(clock: Clock, send: (lines: Uint8Array<ArrayBuffer>) => void, maxLines = MAX_LINES): LineBatch {
  const buffer = new LineBuffer();
  let count = 0;
  let cancel: (() => void) | undefined;
  const flush = (): void => {
    cancel?.();
    cancel = undefined;
    if (count === 0) return;
    count = 0;
    send(buffer.take());
  };
  return {
    buffer,
    added() {
      count += 1;
      if (count >= maxLines || buffer.length >= MAX_BYTES) flush();
      else cancel ??= clock.after(HOLD_MS, flush);
    },
    flush,
  };
}
