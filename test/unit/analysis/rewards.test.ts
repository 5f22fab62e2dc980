// Rewards of one rollout against hdpo.md section 1: the decoded sums, their float32 forms, and the borders of the tolerance.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accuracyReward, correctFromReward, decodeMetisScore, toolReward } from '../../../src/analysis/rewards.ts';

describe('decodeMetisScore', () => {
  it.each([
    [1, { answer: 1, format: 1 }],
    [0.9, { answer: 1, format: 0 }],
    [0.8999999761581421, { answer: 1, format: 0 }],
    [0.1, { answer: 0, format: 1 }],
    [0.10000000149011612, { answer: 0, format: 1 }],
    [0, { answer: 0, format: 0 }],
    [-0, { answer: 0, format: 0 }],
    [0.99991, { answer: 1, format: 1 }],
    [0.9989, null],
    [0.5, null],
    [-1, null],
    [Number.NaN, null],
    [Number.POSITIVE_INFINITY, null],
  ])('%d', (score, expected) => {
    expect(decodeMetisScore(score)).toEqual(expected);
  });

  it('undoes accuracyReward, in float64 and in float32', () => {
    for (const answer of [0, 1]) {
      for (const format of [0, 1]) {
        const sum = accuracyReward(answer, format);
        expect(decodeMetisScore(sum)).toEqual({ answer, format });
        expect(decodeMetisScore(Math.fround(sum))).toEqual({ answer, format });
      }
    }
  });
});

describe('toolReward', () => {
  it.each([
    [1, 0, 1],
    [1, 1, 0.5],
    [1, 4, 0.2],
    [0, 0, 0],
    [0, 7, 0],
    [2, 3, Number.NaN],
  ])('correct %d with %d calls', (correct, calls, expected) => {
    expect(toolReward(correct, calls)).toBe(expected);
  });

  it('falls with every further call of a right rollout and never reaches 0', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 100_000 }), (calls) => {
        expect(toolReward(1, calls + 1)).toBeLessThan(toolReward(1, calls));
        expect(toolReward(1, calls)).toBeGreaterThan(0);
      }),
    );
  });
});

describe('correctFromReward', () => {
  it.each([
    [1, 0.5, 1],
    [0.5, 0.5, 0],
    [0.50001, 0.5, 1],
    [0, -1, 1],
    [Number.NaN, 0.5, 2],
  ])('reward %d above %d', (reward, threshold, expected) => {
    expect(correctFromReward(reward, threshold)).toBe(expected);
  });
});
