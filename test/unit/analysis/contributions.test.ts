// Contributions of one step worked by hand: three modes, masked rollouts, steps without any efficiency signal.
import { describe, expect, it } from 'vitest';
import { contributionsOf, effectiveToolWeight } from '../../../src/analysis/contributions.ts';

// N = 4, N_sig = 2 (the first two), mean(L) = (100 + 300 + 200 + 200)/4 = 200, mean_sig(L) = 200.
const step = { accAdvantage: [1, 0.5, -0.5, -1], toolAdvantage: [0.7, -0.7, 0, 0], length: [100, 300, 200, 200] };

describe('effectiveToolWeight', () => {
  it.each([
    [[0.7, -0.7, 0, 0], 0.3],
    [[0.7, -0.7], 0.15],
    [[0, 0], null],
    [[], null],
    [[Number.NaN, 0.5, 0], 0.3],
  ])('%j', (advantages, expected) => {
    const weight = effectiveToolWeight(advantages);
    if (expected === null) expect(weight).toBeNull();
    else expect(weight).toBeCloseTo(expected, 12);
  });
});

describe('contributionsOf', () => {
  const near = (actual: Float64Array, expected: readonly number[]): void => {
    expect(actual.length).toBe(expected.length);
    expected.forEach((value, i) => expect(actual[i]).toBeCloseTo(value, 12));
  };

  it('plain: w_acc·A_acc and w_tool·A_tool', () => {
    const { acc, tool } = contributionsOf(step, { mode: 'plain', accWeight: 2 });
    near(acc, [2, 1, -1, -2]);
    near(tool, [0.105, -0.105, 0, 0]);
  });

  it('by-sequence: the tool channel times N/N_sig = 2', () => {
    const { acc, tool, effectiveToolWeight: weight } = contributionsOf(step, { mode: 'by-sequence' });
    near(acc, [1, 0.5, -0.5, -1]);
    near(tool, [0.21, -0.21, 0, 0]);
    expect(weight).toBeCloseTo(0.3, 12);
  });

  it('loss-weighted: also times L/mean(L) and L/mean_sig(L)', () => {
    const { acc, tool } = contributionsOf(step, { mode: 'loss-weighted' });
    near(acc, [0.5, 0.75, -0.5, -1]);
    near(tool, [0.105, -0.315, 0, 0]);
  });

  it('a masked rollout contributes 0 and brings no tokens', () => {
    // mean(L) = (0 + 300 + 200 + 200)/4 = 175, mean_sig(L) = (0 + 300)/2 = 150.
    const { acc, tool } = contributionsOf({ ...step, masked: [1, 0, 0, 0] }, { mode: 'loss-weighted' });
    near(acc, [0, (0.5 * 300) / 175, (-0.5 * 200) / 175, -200 / 175]);
    near(tool, [0, (-0.7 * 0.3 * 300) / 150, 0, 0]);
  });

  it('gives 0, not NaN, in a step without signal, and NaN only for unknown advantages', () => {
    const quiet = { ...step, toolAdvantage: [0, 0, 0, Number.NaN] };
    for (const mode of ['plain', 'loss-weighted', 'by-sequence'] as const) {
      expect([...contributionsOf(quiet, { mode }).tool]).toEqual([0, 0, 0, Number.NaN]);
      expect(contributionsOf(quiet, { mode }).effectiveToolWeight).toBeNull();
    }
    expect(() => contributionsOf({ ...step, length: [1] }, { mode: 'plain' })).toThrow(RangeError);
  });
});
