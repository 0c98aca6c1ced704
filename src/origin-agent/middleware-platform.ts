import { readFileSync } from 'node:fs';
import zlib from 'node:zlib';
import { ConfigError } from '../base/errors.ts';
import type { MiddlewarePlatform } from '../middlewares/middleware.ts';
import { createCodings } from '../middlewares/zlib-codings.ts';
import { createBcrypt } from './bcrypt.ts';
import { createRedisScripts } from './redis-scripts.ts';
import { createSpill } from './spill.ts';

/** What words of the language need of Node: compression, files, Redis, room on disk. `close` ends connections. */
export function createMiddlewarePlatform(): MiddlewarePlatform & { close(): void } {
  const redis = createRedisScripts();
  const bcrypt = createBcrypt();
  return {
    ...createCodings(zlib),
    readFile,
    verifyBcrypt: bcrypt.verify,
    redis: redis.of,
    spill: createSpill,
    close() {
      redis.close();
      bcrypt.close();
    },
  };
}

function readFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new ConfigError('config.io', `'${path}' cannot be read: ${(cause as NodeJS.ErrnoException).code ?? cause}`, {}, { cause });
  }
}
