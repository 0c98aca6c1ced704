import { test } from 'vitest';
import { fuzz } from '../../scripts/fuzz/rules.ts';

test('10,000 generated rules are read or refused, in linear time', async () => {
  await fuzz(10_000, 42);
});
