import type { Io } from '../io.ts';

/** A line on standard error that is written over, where that is a terminal. */
export function createProgress({ stderr, isErrorTty = false }: Pick<Io, 'stderr' | 'isErrorTty'>) {
  let isShown = false;
  const clear = (): void => {
    if (isShown) stderr.write('\r\u001b[K');
    isShown = false;
  };
  return {
    show(done: number, total: number): void {
      if (!isErrorTty) return;
      clear();
      if (done === total) return;
      stderr.write(`${done} of ${total} keys written`);
      isShown = true;
    },
    /** Writes something of its own. */
    line(write: () => void): void {
      clear();
      write();
    },
  };
}
