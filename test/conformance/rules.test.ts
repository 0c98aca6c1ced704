import { expect, test } from 'vitest';
import { run } from '../../scripts/vectors/rules.ts';

const FOLDER = `${import.meta.dirname}/../vectors/rules`;

test('every recorded rule, request, connection and expression is answered as Traefik answers it', { timeout: 120_000 }, async () => {
  const { equal, different, listed } = await run(FOLDER);
  expect(different).toEqual([]);
  expect({ equal, listed }).toEqual({ equal: 2916, listed: 2 });
});
