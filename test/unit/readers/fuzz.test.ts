// A seeded share of `npm run fuzz` on every run of the tests: the whole command, child process and memory limit included.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../../..');
/** A number of cases, not a time: a quicker machine must not meet others than this one did. */
const cases = 20_000;
const mostMinutes = 3;

test('damaged logs break no reader', { timeout: 240_000 }, async () => {
  const { code, output } = await new Promise<{ code: number; output: string }>((resolve) => {
    const command = ['test/fuzz/fuzz.mjs', '--minutes', String(mostMinutes), '--cases', String(cases), '--seed', '1'];
    execFile(process.execPath, command, { cwd: root }, (error, stdout, stderr) => {
      resolve({
        code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1,
        output: stdout + stderr,
      });
    });
  });
  console.log(output.trim());
  // The findings, with their seeds, are the failure.
  expect(output).toMatch(/^fuzz: 0 findings$/m);
  expect(code).toBe(0);
  expect(Number(/(\d+) cases/.exec(output)?.[1])).toBeGreaterThan(cases / 20);
});
