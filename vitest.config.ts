import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/unit/**/*.test.ts'],
    globalSetup: ['test/unit/globalSetup.mjs'],
    testTimeout: 30_000,
    pool: 'forks',
    maxWorkers: 2,
  },
});
