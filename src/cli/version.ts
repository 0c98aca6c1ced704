import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from './io.ts';
import { ROOT } from './root.ts';

/** Version of the package. */
export function packageVersion(): string {
  return (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }).version;
}

export const run: Command = async (_args, io) => {
  io.stdout.write(`edgeway ${packageVersion()} (node ${process.versions.node})\n`);
  return 0;
};
