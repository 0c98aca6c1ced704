import { expect, it } from 'vitest';
import { ipAllowList } from '../../../src/middlewares/http/ip-allow-list.ts';
import { build, refusal } from '../../support/middleware-harness.ts';

const ranges = { sourceRange: ['127.0.0.1/32', '10.0.0.0/8'] };
const forwarded = (value: string) => [['X-Forwarded-For', value]] as [string, string][];

it.each([
  [ranges, '127.0.0.1', [], 200, 'from a'],
  [ranges, '127.0.0.5', [], 403, 'Forbidden'],
  [ranges, '127.0.0.5', forwarded('10.1.1.1'), 403, 'Forbidden'],
  [{ ...ranges, rejectStatusCode: 404 }, '1.1.1.1', [], 404, 'Not Found'],
  [{ ...ranges, ipStrategy: { depth: 2 } }, '1.1.1.1', forwarded('10.0.0.1, 1.1.1.1'), 200, 'from a'],
  [{ ...ranges, ipStrategy: { depth: 2 } }, '127.0.0.1', forwarded('10.0.0.1'), 403, 'Forbidden'],
  [{ ...ranges, ipStrategy: {} }, '127.0.0.1', [], 200, 'from a'],
  [{ ...ranges, ipStrategy: { excludedIPs: ['192.168.0.0/16'] } }, '1.1.1.1', forwarded('10.0.0.1, 192.168.1.1'), 200, 'from a'],
  [{ ...ranges, ipStrategy: { excludedIPs: ['192.168.0.0/16'] } }, '1.1.1.1', forwarded('192.168.1.1'), 403, 'Forbidden'],
  [{ sourceRange: ['2001:db8::/64'], ipStrategy: { ipv6Subnet: 64 } }, '2001:db8::5', [], 200, 'from a'],
])('%j lets %s with %j: %i', async (options, clientAddress, headers, status, body) => {
  expect(await build(ipAllowList, options).ask({ clientAddress, headers })).toMatchObject({ status, body });
});

it.each([
  [{}, "'sourceRange' is empty; write the addresses that are let in, as 10.0.0.0/8"],
  [{ sourceRange: [] }, "'sourceRange' is empty; write the addresses that are let in, as 10.0.0.0/8"],
  [
    { sourceRange: ['10.0.0.300'] },
    "'10.0.0.300' in 'sourceRange' is neither an address nor a network; write 10.0.0.1, 10.0.0.0/8 or fd00::/8",
  ],
  [{ sourceRange: ['127.0.0.1'], rejectStatusCode: 99 }, "'rejectStatusCode' 99 is no HTTP status; write 403 or 404"],
  [{ sourceRange: ['127.0.0.1'], rejectStatusCode: 0 }, undefined],
])('%j: %s', (options, expected) => {
  expect(refusal(ipAllowList, options)).toBe(expected);
});
