import { expect, it } from 'vitest';
import { decode } from '../../../src/base/decode.ts';
import { plugin } from '../../../src/middlewares/http/plugin.ts';
import { runsAtEdge } from '../../../src/middlewares/middleware.ts';

it('reads any options, and runs nowhere', () => {
  const options = { my: { Header: { Name: 'v' }, list: ['a', 1] } };
  expect(decode(plugin.options, options)).toMatchObject({ value: { my: { Header: { Name: 'v' }, list: ['a', '1'] } }, problems: [] });
  expect(plugin.create).toBeUndefined();
  expect(runsAtEdge(plugin, options)).toBe('nobody runs plugins');
});
