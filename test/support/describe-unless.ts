import { describe } from 'vitest';

/** Tests that something missing on this machine forbids: they are skipped, and their name says why. */
export const describeUnless = (missing: string | undefined, name: string, tests: () => void): void => {
  describe.skipIf(missing !== undefined)(missing === undefined ? name : `${name} (skipped: ${missing})`, tests);
};
