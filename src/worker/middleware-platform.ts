import zlib from 'node:zlib';
import type { MiddlewarePlatform } from '../middlewares/middleware.ts';
import { createCodings } from '../middlewares/zlib-codings.ts';

/** What words of the language need of workerd: codings. Files, Redis and a disk it does not have; words that need them are handed over. */
export const MIDDLEWARE_PLATFORM: MiddlewarePlatform = createCodings(zlib);
