import { expect, it } from 'vitest';
import { textResponse } from '../../../src/base/body.ts';
import { responseHeaderModifier } from '../../../src/middlewares/http/response-header-modifier.ts';
import { build } from '../../support/middleware-harness.ts';

it('sets, adds and removes fields of the answer', async () => {
  const { ask } = build(
    responseHeaderModifier,
    { set: { 'X-A': '1' }, add: { 'X-B': '2' }, remove: ['x-c'] },
    { server: async () => textResponse(200, '', { headers: ['x-a', '0', 'X-B', '1', 'X-C', '1'] }) },
  );
  expect((await ask()).headers).toEqual([
    ['X-A', '1'],
    ['X-B', '1'],
    ['Content-Length', '0'],
    ['X-B', '2'],
  ]);
});
