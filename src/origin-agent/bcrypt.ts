import { Worker } from 'node:worker_threads';
import type { BcryptAnswer, BcryptQuestion } from './bcrypt-thread.ts';

/** In a clone Node runs the source; the bundle has a file of its own beside it. */
const THREAD = import.meta.url.endsWith('.ts') ? './bcrypt-thread.ts' : './bcrypt-thread.mjs';

/**
 * Bcrypt on a thread of its own, started at the first question: a wrong password costs 70 ms of CPU at cost 10 (measured), during
 * which a data thread would serve nobody. A thread that dies fails what waits and is replaced at the next question.
 */
export function createBcrypt(): { verify(password: string, hash: string): Promise<boolean>; close(): void } {
  let thread: Worker | undefined;
  let lastId = 0;
  const waiting = new Map<number, { resolve: (fits: boolean) => void; reject: (error: Error) => void }>();

  function start(): Worker {
    const worker = new Worker(new URL(THREAD, import.meta.url));
    const end = (error: Error): void => {
      if (thread === worker) thread = undefined;
      for (const { reject } of waiting.values()) reject(error);
      waiting.clear();
    };
    worker.on('message', ({ id, fits }: BcryptAnswer) => {
      waiting.get(id)?.resolve(fits);
      waiting.delete(id);
    });
    worker.on('error', (error) => end(error as Error));
    worker.on('exit', () => end(new Error('The bcrypt thread ended')));
    worker.unref();
    return worker;
  }

  return {
    verify: (password, hash) =>
      new Promise((resolve, reject) => {
        thread ??= start();
        const question: BcryptQuestion = { id: ++lastId, password, hash };
        waiting.set(question.id, { resolve, reject });
        thread.postMessage(question);
      }),
    close: () => void thread?.terminate(),
  };
}
