// HDPO advantages against groups worked by hand (sums in the comments) and against hdpo.md section 2 rule by rule.
import { describe, expect, it } from 'vitest';
import { computeAdvantages, EPSILON } from '../../../src/analysis/hdpo.ts';
import { advantagesOf, batchOf, groupOf } from './batch.ts';

describe('a group worked by hand', () => {
  // r_acc 1, 0.9, 0.1, 0: mean 2/4 = 0.5; squares 0.25 + 0.16 + 0.16 + 0.25 = 0.82; sample variance 0.82/3; std 0.522813.
  // Right: the first two with T = 0 and 1, so r_tool 1 and 0.5: mean 0.75, sample variance 2·0.0625/1, std 0.353553.
  const rows = groupOf([1, 1, 0], [0.9, 1, 1], [0.1, 0, 3], [0, 0, 2]);
  const result = advantagesOf(rows);

  it('has the statistics of the accuracy channel', () => {
    expect(result.groups.accMean[0]).toBeCloseTo(0.5, 14);
    expect(result.groups.accStd[0]).toBeCloseTo(0.522813, 6);
    expect(result.accAdvantage[0]).toBeCloseTo(0.5 / (Math.sqrt(0.82 / 3) + 1e-6), 12);
    expect(result.accAdvantage[1]).toBeCloseTo(0.765091, 5);
    expect(result.accAdvantage[2]).toBeCloseTo(-0.765091, 5);
    expect(result.accAdvantage[3]).toBeCloseTo(-0.956363, 5);
  });

  it('has Q, its statistics and exactly 0 outside Q', () => {
    expect([...result.toolReward]).toEqual([1, 0.5, 0, 0]);
    expect([...result.qualifies]).toEqual([1, 1, 0, 0]);
    expect(result.groups.toolMean[0]).toBe(0.75);
    expect(result.groups.toolStd[0]).toBeCloseTo(0.353553, 6);
    expect(result.toolAdvantage[0]).toBeCloseTo(0.25 / (Math.sqrt(0.125) + 1e-6), 12);
    expect(result.toolAdvantage[1]).toBeCloseTo(-0.707105, 6);
    expect([...result.toolAdvantage.subarray(2)]).toEqual([0, 0]);
    expect([...result.groupSize]).toEqual([4, 4, 4, 4]);
    expect([...result.groupQualifying]).toEqual([2, 2, 2, 2]);
    expect([result.groups.efficiencySignal[0], result.groups.equalAccReward[0]]).toEqual([1, 0]);
  });

  it('drops the division in both channels without std normalisation', () => {
    const plain = computeAdvantages(batchOf(rows), { normalise: 'mean-only' });
    [0.5, 0.4, -0.4, -0.5].forEach((expected, i) => expect(plain.accAdvantage[i]).toBeCloseTo(expected, 14));
    expect([...plain.toolAdvantage]).toEqual([0.25, -0.25, 0, 0]);
  });
});

describe('rules of hdpo.md section 2', () => {
  it('a right rollout without calls qualifies with r_tool 1', () => {
    // r_tool 1, 1/3, 1/4: mean 19/36; the reference code, not its docstring.
    const { qualifies, toolAdvantage, groups } = advantagesOf(groupOf([1, 1, 0], [1, 1, 2], [1, 1, 3]));
    expect([...qualifies]).toEqual([1, 1, 1]);
    expect(groups.toolMean[0]).toBeCloseTo(19 / 36, 14);
    expect(toolAdvantage[0]).toBeGreaterThan(0);
  });

  it('a group of one uses mean 0 and std 1', () => {
    const { accAdvantage, toolAdvantage, groups } = advantagesOf(groupOf([0.9, 1, 2]));
    expect(accAdvantage[0]).toBe(0.9 / (1 + EPSILON));
    expect([groups.accMean[0], groups.accStd[0], groups.equalAccReward[0]]).toEqual([0, 1, 0]);
    expect(toolAdvantage[0]).toBe(0);
    expect(computeAdvantages(batchOf(groupOf([0.9, 1, 2])), { normalise: 'mean-only' }).accAdvantage[0]).toBe(0.9);
  });

  it('|Q| = 1 gives 0 and no std', () => {
    const { toolAdvantage, groups } = advantagesOf(groupOf([1, 1, 4], [0, 0, 0], [0.1, 0, 9]));
    expect([...toolAdvantage]).toEqual([0, 0, 0]);
    expect([groups.qualifying[0], groups.toolMean[0], groups.toolStd[0]]).toEqual([1, 0.2, Number.NaN]);
  });

  it('equal r_acc gives exactly 0 up to a range of 1e-6, and no further', () => {
    const nearly = advantagesOf(groupOf([0.1, 0, 1], [0.1 + 9e-7, 0, 1], [0.1, 0, 2]));
    expect([...nearly.accAdvantage]).toEqual([0, 0, 0]);
    expect(nearly.groups.equalAccReward[0]).toBe(1);
    const apart = advantagesOf(groupOf([0.1, 0, 1], [0.1 + 2e-6, 0, 1]));
    expect(apart.groups.equalAccReward[0]).toBe(0);
    // 2e-6 apart: deviation 1e-6, std √2·1e-6, so 1/(√2 + 1): ε damps what is hardly a difference.
    expect(apart.accAdvantage[1]).toBeCloseTo(1 / (Math.SQRT2 + 1), 5);
  });

  it('equal T in Q gives exactly 0, whatever the wrong ones did', () => {
    const { toolAdvantage, groups } = advantagesOf(groupOf([1, 1, 2], [0.9, 1, 2], [0, 0, 5], [1, 1, 2]));
    expect([...toolAdvantage]).toEqual([0, 0, 0, 0]);
    expect([groups.equalCalls[0], groups.efficiencySignal[0], groups.qualifying[0]]).toEqual([1, 0, 3]);
  });

  it('sees a difference in T that r_tool hides: 1/2001 and 1/2002 are 2.5e-7 apart', () => {
    const { groups, toolAdvantage } = advantagesOf(groupOf([1, 1, 2000], [1, 1, 2001]));
    expect(groups.efficiencySignal[0]).toBe(1);
    expect(toolAdvantage[0]).toBeGreaterThan(0);
  });

  it('a member at the mean has exactly 0, not a rounding residue', () => {
    // r_tool 1/2, 1/3, 1/6: their mean is 1/3.
    expect(advantagesOf(groupOf([1, 1, 1], [1, 1, 2], [1, 1, 5])).toolAdvantage[1]).toBe(0);
    expect(advantagesOf(groupOf([0.1, 0, 1], [0.2, 0, 2], [0.3, 0, 5])).accAdvantage[1]).toBe(0);
  });

  it('a masked rollout counts in mean and std and keeps its advantage', () => {
    const rows = groupOf([1, 1, 0], [0.9, 1, 1], [0.1, 0, 3], [0, 0, 2]);
    const masked = advantagesOf(rows.map((row, i) => ({ ...row, masked: i === 0 ? 1 : 0 })));
    expect(masked.accAdvantage).toEqual(advantagesOf(rows).accAdvantage);
    expect(masked.toolAdvantage).toEqual(advantagesOf(rows).toolAdvantage);
  });

  it('leaves rollouts without a reward out of everything', () => {
    for (const missing of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const result = advantagesOf(groupOf([1, 1, 0], [missing, 1, 9], [0, 0, 1]));
      // Of 1 and 0: mean 0.5, sample std sqrt(0.5).
      expect(result.accAdvantage[0]).toBeCloseTo(0.5 / (Math.SQRT1_2 + 1e-6), 12);
      for (const column of [result.accAdvantage, result.toolAdvantage, result.toolReward]) expect(column[1]).toBeNaN();
      expect([result.qualifies[1], result.groupSize[1], result.groups.rewarded[0]]).toEqual([0, 3, 2]);
      expect(result.groups.qualifying[0]).toBe(1);
    }
    const nothing = advantagesOf(groupOf([Number.NaN, 2, 0]));
    expect([nothing.groups.accMean[0], nothing.groups.accStd[0]]).toEqual([Number.NaN, Number.NaN]);
  });

  it('keeps the accuracy channel where correctness is unknown', () => {
    const result = advantagesOf(groupOf([0.3, 2, 0], [0.7, 2, 1]));
    expect(result.accAdvantage[1]).toBeCloseTo(0.2 / (Math.sqrt(0.08) + 1e-6), 12);
    expect([result.toolReward[1], result.toolAdvantage[1], result.groups.judged[0]]).toEqual([
      Number.NaN,
      Number.NaN,
      0,
    ]);
  });

  it('keeps digits next to a large offset', () => {
    const offset = 2 ** 40;
    const near = advantagesOf(groupOf([1, 0, 0], [0.5, 0, 0], [0.25, 0, 0]));
    const far = advantagesOf(groupOf([offset + 1, 0, 0], [offset + 0.5, 0, 0], [offset + 0.25, 0, 0]));
    near.accAdvantage.forEach((advantage, i) => expect(far.accAdvantage[i]).toBeCloseTo(advantage, 3));
    expect(far.groups.accStd[0]).toBeCloseTo(near.groups.accStd[0] ?? 0, 8);
  });

  it('refuses columns of another length and sparse ordinals, and takes an empty batch', () => {
    const batch = batchOf(groupOf([1, 1, 0], [0, 0, 1]));
    const options = { normalise: 'std' } as const;
    expect(() => computeAdvantages({ ...batch, calls: new Uint32Array(3) }, options)).toThrow(RangeError);
    expect(() => computeAdvantages({ ...batch, masked: new Uint8Array(1) }, options)).toThrow(RangeError);
    expect(() => computeAdvantages({ ...batch, group: Uint32Array.of(0, 9) }, options)).toThrow(RangeError);
    expect(advantagesOf([]).groups.count).toBe(0);
  });
});
