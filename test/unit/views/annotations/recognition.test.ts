/** What decides whether the engine is asked about an open file, and how long a hover waits. */
import { describe, expect, test } from 'vitest';
import { looksLikeRolloutLog } from '../../../../src/views/annotations/logSniff.ts';
import { withinTime } from '../../../../src/views/annotations/withinTime.ts';

describe('the head of a file', () => {
  test.each([
    ['a verl dump', '{"input": "<|im_start|>user", "output": "x", "score": 1.0}\n', true],
    ['a verl V1 dump, sorted keys', '{"acc": 1, "gts": "3", "uid": "x"}', true],
    ['tau-bench', '[\n  {\n    "task_id": 0,\n    "reward": 1.0,\n    "traj": [', true],
    ['with a byte order mark', '\ufeff{"input":"a","gts":null}', true],
    ['a first line longer than the head', `{"input": "${'x'.repeat(70_000)}`, true],
    ['package.json', '{\n  "name": "x",\n  "scripts": {}\n}', false],
    ['one key only', '{"input": "x"}\n{"input": "y"}\n', false],
    ['source code', 'const input = {"output": 1, "input": 2}', false],
    ['a list of numbers', '[1, 2, 3]', false],
    ['nothing', '', false],
  ])('%s', (_, head, expected) => {
    expect(looksLikeRolloutLog(head)).toBe(expected);
  });

  test('keys beyond the first 64 K characters do not count', () => {
    expect(looksLikeRolloutLog(`{"x":"${'a\n'.repeat(40_000)}","input":1,"output":2}`)).toBe(false);
  });
});

describe('a deadline', () => {
  test('gives what comes in time, null where nothing does', async () => {
    expect(await withinTime(Promise.resolve(1), 1000)).toBe(1);
    expect(await withinTime(new Promise<number>(() => undefined), 5)).toBeNull();
  });

  test('passes on a failure in time, and keeps a late one quiet', async () => {
    await expect(withinTime(Promise.reject(new Error('now')), 1000)).rejects.toThrow('now');
    const late = new Promise<number>((_, reject) => {
      setTimeout(() => {
        reject(new Error('late'));
      }, 20);
    });
    expect(await withinTime(late, 1)).toBeNull();
    await expect(late).rejects.toThrow('late');
  });
});
