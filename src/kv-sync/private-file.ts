import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Replaces a file that holds secrets, and makes its folder: only its owner may read it, and nobody ever reads half of it. */
export function writePrivateFile(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}`;
  // The mode counts only for a file that is new.
  rmSync(draft, { force: true });
  writeFileSync(draft, text, { mode: 0o600, flag: 'wx' });
  renameSync(draft, path);
}

/** Why such a file cannot be read. Node's own words about JSON show a piece of the text, which may be a secret. */
export const readProblem = (error: Error): string => (error instanceof SyntaxError ? 'It is no valid JSON' : error.message);
