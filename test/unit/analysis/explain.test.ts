// The arithmetic shown for a rollout: its formula has to give its advantage, and every rule has a case.
import { describe, expect, it } from 'vitest';
import { advantageFormula, explainRollout, formatNumber } from '../../../src/analysis/explain.ts';
import { computeAdvantages, type Normalisation } from '../../../src/analysis/hdpo.ts';
import { batchOf, groupOf, type Row } from './batch.ts';

const explain = (rows: readonly Row[], rollout: number, normalise: Normalisation = 'std') => {
  const batch = batchOf(rows);
  return explainRollout(batch, computeAdvantages(batch, { normalise }), { normalise, rollout });
};

describe('formatNumber', () => {
  it.each([
    [0.8999999761581421, '0.9'],
    [-0.70710478, '−0.7071'],
    [1, '1'],
    [0, '0'],
    [1e-9, '1e−9'],
    [Number.NaN, '?'],
  ])('%d', (value, expected) => expect(formatNumber(value)).toBe(expected));
});

describe('explainRollout', () => {
  const rows = groupOf([1, 1, 0], [0.9, 1, 1], [0.1, 0, 3], [0, 0, 2]);

  it('writes the formula with the numbers of the group', () => {
    const { accuracy, efficiency, members, qualifying } = explain(rows, 0);
    expect(accuracy.formula).toBe('(1 − 0.5) / (0.5228 + 1e-6)');
    expect(efficiency.formula).toBe('(1 − 0.75) / (0.3536 + 1e-6)');
    expect(efficiency.advantage).toBeCloseTo(0.707105, 6);
    expect([members, qualifying]).toEqual([
      [0, 1, 2, 3],
      [0, 1],
    ]);
    expect(explain(rows, 0, 'mean-only').accuracy.formula).toBe('1 − 0.5');
    expect(advantageFormula({ reward: -1, mean: -0.5, std: 0.1 }, { normalise: 'std' })).toBe(
      '(−1 − (−0.5)) / (0.1 + 1e-6)',
    );
  });

  it.each<[string, readonly Row[], number, string, string]>([
    ['in the middle of things', rows, 1, 'normalised', 'normalised'],
    ['wrong', rows, 3, 'normalised', 'outside'],
    ['alone', groupOf([1, 1, 1]), 0, 'group-of-one', 'single'],
    ['only right one', groupOf([1, 1, 1], [0, 0, 1]), 0, 'normalised', 'single'],
    ['all equal', groupOf([1, 1, 1], [1, 1, 1]), 1, 'equal', 'equal'],
    ['no reward', groupOf([Number.NaN, 2, 1], [1, 1, 1]), 0, 'no-reward', 'unknown'],
    ['correctness unknown', groupOf([0.5, 2, 1], [1, 1, 1]), 0, 'normalised', 'unknown'],
  ])('names the rule: %s', (_, group, rollout, accuracy, efficiency) => {
    const arithmetic = explain(group, rollout);
    expect([arithmetic.accuracy.rule, arithmetic.efficiency.rule]).toEqual([accuracy, efficiency]);
  });

  it('says whether the rollout is masked, and refuses positions outside the batch', () => {
    expect(
      explain(
        rows.map((row) => ({ ...row, masked: 1 })),
        2,
      ).masked,
    ).toBe(true);
    expect(() => explain(rows, 4)).toThrow(RangeError);
    expect(() => explain(rows, -1)).toThrow(RangeError);
  });
});
