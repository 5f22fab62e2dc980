// Rewards of one rollout against hdpo.md section 1 (decoding a dumped sum: test/unit/model/metisScore.test.ts).
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accuracyReward, correctFromReward, toolReward } from '../../../src/analysis/rewards.ts';
import { decodeMetisScore } from '../../../src/model/metisScore.ts';

describe('accuracyReward', () => {
  it('is what decodeMetisScore undoes, in float64 and in float32', () => {
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
