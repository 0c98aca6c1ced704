import { readFileSync } from 'node:fs';
import type { Command } from './io.ts';

/** Version of the package. */
export function packageVersion(): string {
  return (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }).version;
}

export const run: Command = async (_args, io) => {
  io.stdout.write(`edgeway ${packageVersion()} (node ${process.versions.node})\n`);
  return 0;
};
