import { writeSync } from 'node:fs';

const STDOUT = 1;
const RETRY_MS = 5;
/** Lines that wait for a slow reader; beyond, they are lost. */
const MAX_WAITING = 10_000;

/**
 * Writes lines to standard output at once. A pipe that is full is tried again, in order: Node makes pipes non-blocking, and access log
 * lines fill them. A closed one loses lines, never requests.
 */
export function createStdoutLines(write: (text: string) => void = (text) => void writeSync(STDOUT, text)): (line: string) => void {
  let waiting: string[] = [];

  /** False when the pipe is full. */
  function put(line: string): boolean {
    try {
      write(line);
      return true;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code !== 'EAGAIN';
    }
  }

  function retry(): void {
    const lines = waiting;
    const full = lines.findIndex((line) => !put(line));
    waiting = full === -1 ? [] : lines.slice(full);
    if (waiting.length > 0) setTimeout(retry, RETRY_MS);
  }

  return (line) => {
    if (waiting.length === 0 && put(line)) return;
    if (waiting.length >= MAX_WAITING) return;
    waiting.push(line);
    if (waiting.length === 1) setTimeout(retry, RETRY_MS);
  };
}
