// Which columns of TRL and ms-swift are rewards: those between the completion and the first that is no number.
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/base/json.ts';
import { rewardColumns, rewardNames, summedNotice, summedReward } from '../../../src/readers/namedRewards.ts';

const row = (columns: JsonObject): JsonObject => ({ step: 1, prompt: 'a', completion: 'b', ...columns });

describe('reward columns', () => {
  test.each([
    { rows: [row({ accuracy_reward: 1, len_penalty: -0.5, advantage: 0 })], names: ['accuracy_reward', 'len_penalty'] },
    { rows: [row({ fn: 1, source: 'web', score: 3, advantage: 0 })], names: ['fn'] },
    { rows: [row({ fn: 1, completion_length: 3, num_turns: 2, kl: 0.1, advantage: 0 })], names: ['fn'] },
    { rows: [row({ fn: null, tools: null }), row({ fn: 0.5, tools: null })], names: ['fn'] },
    { rows: [row({ fn: null, reward_b: null })], names: ['reward_b'] },
    { rows: [row({ fn: 1, note: null, extra: 2 }), row({ fn: 1, note: 'x', extra: 2 })], names: ['fn'] },
    { rows: [row({ fn: 1, advantages: 0.1, entropy: 0.4, other: 1 })], names: ['fn'] },
    { rows: [{ id: 3, ...row({ fn: 1 }) }], names: ['fn'] },
    { rows: [row({})], names: [] },
    { rows: [], names: [] },
  ])('$names', ({ rows, names }) => {
    expect(rewardColumns(rows).names).toEqual(names);
  });
});

describe('one more row', () => {
  const known = rewardColumns([row({ a_reward: 1, check: null, source: 'web', size: 3 })]);

  test.each([
    { columns: { a_reward: 0, check: null, source: 'web', size: 3 }, names: ['a_reward'] },
    { columns: { a_reward: null, check: 0.5, source: null, size: 3 }, names: ['a_reward', 'check'] },
    { columns: { a_reward: 0, check: 'text', source: null, size: 3 }, names: ['a_reward'] },
    { columns: { check: 1 }, names: ['check'] },
  ])('$columns has $names', ({ columns, names }) => {
    expect(known).toEqual({ names: ['a_reward'], end: 'source' });
    expect(rewardNames(row(columns), known)).toEqual(names);
  });
});

describe('the sum', () => {
  test('a function that did not apply adds nothing; none at all is no reward', () => {
    expect(summedReward(row({ a: 0.5, b: null, c: -1 }), ['a', 'b', 'c'])).toMatchObject({ total: -0.5 });
    expect(summedReward(row({ a: null }), ['a'])).toMatchObject({ total: null });
    expect(summedReward(row({}), [])).toMatchObject({ total: null, parts: [] });
  });

  test.each([
    { columns: { MathAccuracy: 1 }, correct: true },
    { columns: { accuracy_reward: 0 }, correct: false },
    { columns: { accuracy_reward: 0.5 }, correct: undefined },
    { columns: { accuracy_reward: null }, correct: undefined },
    { columns: { inaccurate_thing: 1 }, correct: undefined },
  ])('$columns is correct: $correct', ({ columns, correct }) => {
    expect(summedReward(row(columns), Object.keys(columns)).correct).toBe(correct);
  });

  test('a sum of several is told, a single column is the total', () => {
    expect(summedNotice(['a'], 'TRL')).toBeNull();
    expect(summedNotice(['a', 'b'], 'TRL')).toBe(
      'TRL logs no total reward and no reward weights: the total is the sum of a, b',
    );
  });
});
