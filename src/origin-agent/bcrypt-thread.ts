import { parentPort } from 'node:worker_threads';
import bcrypt from 'bcryptjs';

/** One question after the other; the thread has nothing else to do. */
export interface BcryptQuestion {
  readonly id: number;
  readonly password: string;
  readonly hash: string;
}
export interface BcryptAnswer {
  readonly id: number;
  readonly fits: boolean;
}

parentPort!.on('message', ({ id, password, hash }: BcryptQuestion) => {
  const answer: BcryptAnswer = { id, fits: bcrypt.compareSync(password, hash) };
  parentPort!.postMessage(answer);
});
