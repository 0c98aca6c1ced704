import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 180_000,
    pool: 'forks',
    // Suites with real engines and processes share two cores: what fails once in CI is asked a second time, and reported as flaky.
    retry: process.env.CI === 'true' ? 2 : 0,
  },
});
