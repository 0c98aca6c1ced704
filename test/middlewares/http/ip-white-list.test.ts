import { expect, it } from 'vitest';
import { ipWhiteList } from '../../../src/middlewares/http/ip-white-list.ts';
import { build, refusal } from '../../support/middleware-harness.ts';

it.each([
  ['10.1.1.1', 200],
  ['11.1.1.1', 403],
])('lets %s: %i', async (clientAddress, status) => {
  expect((await build(ipWhiteList, { sourceRange: ['10.0.0.0/8'] }).ask({ clientAddress })).status).toBe(status);
});

it('knows no rejectStatusCode', () => {
  expect(refusal(ipWhiteList, { sourceRange: ['10.0.0.1'], rejectStatusCode: 404 })).toMatch(/^rejectStatusCode is no option here/);
});
