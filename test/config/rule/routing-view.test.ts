import { expect, test } from 'vitest';
import { createRequest, HeaderList } from '../../../src/base/message.ts';
import { createRoutingView, parsePeer } from '../../../src/config/rule/routing-view.ts';

test('a view has what matchers see', () => {
  const headers = new HeaderList(['X-A', '1']);
  const view = createRoutingView(
    createRequest({
      method: 'PUT',
      host: 'Shop.test:80',
      path: '/a%20b%2Fc%C3%A9',
      query: 'k=1&k=%32&empty',
      clientAddress: '10.0.0.1',
      headers,
    }),
    'cdn.test',
  );
  expect([view.method, view.host, view.rawHost, view.flattenedHost, view.path, view.headers]).toEqual([
    'PUT',
    'shop.test',
    'Shop.test:80',
    'cdn.test',
    '/a b%2Fc\xc3\xa9',
    headers,
  ]);
  expect([view.query('k'), view.query('empty'), view.query('none')]).toEqual([['1', '2'], [''], undefined]);
  expect([view.ip()?.at(-1), view.ip()]).toEqual([1, view.ip()]);
});

test('without query and readable peer there is nothing', () => {
  const view = createRoutingView(createRequest({ clientAddress: '@' }));
  expect([view.query('k'), view.ip(), view.flattenedHost]).toEqual([undefined, undefined, '']);
});

test('the zone of a peer does not count', () => {
  expect(parsePeer('fe80::1%eth0')).toEqual(parsePeer('fe80::1'));
});
