// The tests in the real VS Code: one after the other in one process, because each drives a server and a browser.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    name: 'vscode',
    root: import.meta.dirname,
    include: ['*.test.ts'],
    globalSetup: ['globalSetup.mjs'],
    pool: 'forks',
    maxWorkers: 1,
    fileParallelism: false,
    sequence: { concurrent: false },
    // A menu, a hover or a dialog of the browser can be late for its click; a bug of ours fails every time.
    retry: 2,
    testTimeout: 180_000,
    hookTimeout: 300_000,
    teardownTimeout: 60_000,
    // What is waited for is drawn by several processes on a machine that may be busy; the default is one second.
    expect: { poll: { timeout: 20_000, interval: 100 } },
  },
});
