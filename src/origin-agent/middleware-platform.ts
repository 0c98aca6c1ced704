import { readFileSync } from 'node:fs';
import { ConfigError } from '../base/errors.ts';
import type { MiddlewarePlatform } from '../middlewares/middleware.ts';

/** What only Node can do for middlewares. */
export function createMiddlewarePlatform(): MiddlewarePlatform {
  return {
    readFile(path) {
      try {
        return readFileSync(path, 'utf8');
      } catch (cause) {
        throw new ConfigError('config.io', `Cannot read '${path}': ${(cause as Error).message}`, {}, { cause });
      }
    },
  };
}
