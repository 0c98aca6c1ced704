import { expect, it } from 'vitest';
import { requestHeaderModifier } from '../../../src/middlewares/http/request-header-modifier.ts';
import { build } from '../../support/middleware-harness.ts';

it('sets, adds and removes fields, and the host', async () => {
  const { ask, seen } = build(requestHeaderModifier, { set: { 'X-A': 'é', host: 'y.test' }, add: { 'X-B': '2' }, remove: ['x-c'] });
  await ask({
    headers: [
      ['x-a', '0'],
      ['X-B', '1'],
      ['X-C', '1'],
      ['X-A', '0'],
    ],
  });
  expect(seen[0]).toMatchObject({
    host: 'y.test',
    headers: [
      ['X-A', 'Ã©'],
      ['X-B', '1'],
      ['X-B', '2'],
    ],
  });
});
