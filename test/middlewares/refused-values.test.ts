import { fileURLToPath } from 'node:url';
import type { Schema } from '../../src/base/schema.ts';
import { HTTP_MIDDLEWARES, TCP_MIDDLEWARES } from '../../src/middlewares/index.ts';
import { testRefusedValues } from '../support/refused-values.ts';

/** What only `create` refuses stands in the test of its word. */
testRefusedValues(
  fileURLToPath(new URL('refused-values.txt', import.meta.url)),
  new Map<string, Schema>([
    ...Object.entries(HTTP_MIDDLEWARES).map(([word, { options }]) => [word, options] as const),
    ...Object.entries(TCP_MIDDLEWARES).map(([word, { options }]) => [`tcp.${word}`, options] as const),
  ]),
);
