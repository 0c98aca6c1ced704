import { test } from 'vitest';
import { fuzz } from '../../scripts/fuzz/snapshot.ts';

test('2,000 generated publications are compiled object by object, and Workers read what the hub wrote', async () => {
  await fuzz(2_000);
});
