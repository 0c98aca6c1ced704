import { expect, it } from 'vitest';
import { chain } from '../../../src/middlewares/http/chain.ts';

it.each([
  [{ middlewares: ['a', 'b@file'] }, ['a', 'b@file']],
  [{}, []],
])('%j stands for %j, and is never made itself', (options, expected) => {
  expect(chain.expand!(options)).toEqual(expected);
  expect(chain.create).toBeUndefined();
});
