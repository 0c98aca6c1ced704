import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type LoadedStatic, loadStart } from '../config/static-sources.ts';

/** The static configuration of this machine: flags, file or variables, as Traefik chooses among them. */
export function readStaticConfiguration(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  cwd: string,
): LoadedStatic {
  return loadStart({
    arguments: args,
    environment,
    readFile(path) {
      try {
        return readFileSync(resolve(cwd, path), 'utf8');
      } catch (error) {
        if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
        throw error;
      }
    },
  });
}
