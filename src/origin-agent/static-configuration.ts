import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { ConfigError } from '../base/errors.ts';
import type { StoreKeys } from '../config/static/store-keys.ts';
import { type LoadedStatic, loadStart } from '../config/static-sources.ts';
import { type Bootstrap, type BootstrapContext, readBootstrap } from './bootstrap.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The static configuration of this machine: flags, file or variables, as Traefik chooses among them. With `edge.bootstrap` it is
 * not all: `bootstrap` then says where the rest is.
 */
export function readStaticConfiguration(args: readonly string[], environment: Environment, cwd: string, store?: StoreKeys): LoadedStatic {
  return loadStart({
    arguments: args,
    environment,
    ...(store && { store }),
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

export interface StartConfiguration extends LoadedStatic {
  /** The store that it was read from, still open. */
  readonly store?: Bootstrap;
}

/** The same with what a store says where `edge.bootstrap` names one. Nothing is thrown: what is wrong is a problem. */
export async function readStartConfiguration(
  args: readonly string[],
  environment: Environment,
  cwd: string,
  context: BootstrapContext,
): Promise<StartConfiguration> {
  const local = readStaticConfiguration(args, environment, cwd);
  if (local.bootstrap === undefined || local.problems.length > 0) return local;
  const { url, stateDirectory } = local.bootstrap;
  try {
    const store = await readBootstrap(url, resolve(cwd, stateDirectory), context);
    return { ...readStaticConfiguration(args, environment, cwd, store.keys), store };
  } catch (error) {
    const problem =
      error instanceof ConfigError ? error : new ConfigError('config.io', (error as Error).message, { object: 'edge.bootstrap' });
    return { ...local, problems: [problem] };
  }
}
