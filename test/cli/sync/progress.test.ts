import { expect, it } from 'vitest';
import { createProgress } from '../../../src/cli/sync/progress.ts';

it.each([
  [true, '1 of 3 keys written\r\u001b[K2 of 3 keys written\r\u001b[Kdone\n'],
  [false, 'done\n'],
])('is written over, and only on a terminal: %s', (isErrorTty, expected) => {
  let text = '';
  const progress = createProgress({ stderr: { write: (part: string) => (text += part) }, isErrorTty });
  progress.show(1, 3);
  progress.show(2, 3);
  progress.line(() => (text += 'done\n'));
  progress.show(3, 3);
  expect(text).toBe(expected);
});
