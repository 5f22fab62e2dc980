// The numbers of the advantage charts by step: a group worked by hand, and that sums are those of the rollouts.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { computeAdvantages } from '../../../src/analysis/hdpo.ts';
import { REGION } from '../../../src/analysis/regions.ts';
import { rolloutPushes, usualPushes, type PushInput } from '../../../src/analysis/rolloutPushes.ts';
import { pushColumns, stepPushes } from '../../../src/analysis/stepPushes.ts';

/** Rollouts with the advantages of their groups. */
function runOf(
  rollouts: readonly {
    readonly step: number;
    readonly group: number;
    readonly right: boolean;
    readonly calls: number;
  }[],
): PushInput {
  const group = Uint32Array.from(rollouts, (one) => one.group);
  const correct = Uint8Array.from(rollouts, ({ right }) => Number(right));
  const calls = Uint16Array.from(rollouts, (one) => one.calls);
  const accReward = Float64Array.from(correct);
  const found = computeAdvantages(
    { count: rollouts.length, group, accReward, correct, calls: Uint32Array.from(calls) },
    { normalise: 'std' },
  );
  return {
    step: Int32Array.from(rollouts, ({ step }) => step),
    group,
    accReward: Float32Array.from(accReward),
    correct,
    calls,
    accAdvantage: Float32Array.from(found.accAdvantage),
    toolAdvantage: Float32Array.from(found.toolAdvantage),
    length: new Float32Array(rollouts.length).fill(10),
    masked: new Uint8Array(rollouts.length),
  };
}

/** Right with 0 and 1 calls, wrong with 0 and 2: A_acc = ±0.866, A_tool = ±0.707 for the right ones. */
const worked = runOf([
  { step: 3, group: 0, right: true, calls: 0 },
  { step: 3, group: 0, right: true, calls: 1 },
  { step: 3, group: 0, right: false, calls: 0 },
  { step: 3, group: 0, right: false, calls: 2 },
]);

describe('stepPushes', () => {
  it('is what a group worked by hand gives', () => {
    const [row, ...others] = stepPushes(worked);
    expect(others).toEqual([]);
    // Two of four carry a signal: w_tool·N/N_sig = 0.3, times 0.707 = 0.212 for each of the two, 0.106 on average.
    expect(row).toMatchObject({
      step: 3,
      acc_push_abs: expect.closeTo(0.866, 3) as number,
      tool_push_abs: expect.closeTo(0.10607, 4) as number,
      tool_push_share: expect.closeTo(0.10607 / 0.97209, 3) as number,
      negative_push_share: 0,
      coupled_opposite_share: 0,
      ambiguity_pairs: 0,
      right_lean: 1,
      right_wasteful: 1,
      right_no_signal: 0,
      wrong: 2,
    });
    // r_acc 1, 1, 0, 0 with 1/(T+1) 1, 1/2, 1, 1/3: Σ of products of deviations / √(Σ squares · Σ squares).
    expect(row?.reward_calls_correlation).toBeCloseTo(0.14, 3);
  });
  it('changes with the coupled reward it compares with', () => {
    // α = 2: r = 3, 2, 2, 0.667 about 1.917: the wrong one without calls is pushed up, and told from no right one.
    const [row] = stepPushes(worked, { ...usualPushes, alpha: 2 });
    expect(row).toMatchObject({ coupled_opposite_share: 0.25, ambiguity_pairs: 1 });
    const [gated] = stepPushes(worked, { ...usualPushes, alpha: 2, form: 'gated' });
    expect(gated).toMatchObject({ ambiguity_pairs: 0 });
  });
  it('counts each rollout of each step once, whatever the run', () => {
    const rollout = fc.record({ right: fc.boolean(), calls: fc.integer({ min: 0, max: 4 }) });
    fc.assert(
      fc.property(
        fc.array(fc.array(rollout, { minLength: 4, maxLength: 4 }), { minLength: 1, maxLength: 15 }),
        (groups) => {
          const rollouts = groups.flat();
          const input = runOf(
            rollouts.map((one, i) => ({ ...one, step: Math.floor(i / 12), group: Math.floor(i / 4) })),
          );
          const pushes = rolloutPushes(input);
          const rows = stepPushes(input);
          expect(rows.map(({ step }) => step)).toEqual([...new Set(input.step)]);
          rows.forEach((row, k) => {
            const [from, end] = [pushes.first[k] ?? 0, pushes.first[k + 1] ?? 0];
            const regions = pushes.regions.region.subarray(from, end);
            const { right_lean: lean, right_wasteful: wasteful, right_no_signal: idle, wrong } = row;
            expect(lean + wasteful + idle + wrong).toBe(end - from);
            expect(wrong).toBe(regions.filter((code) => code === REGION.wrong).length);
            const shares = [row.coupled_opposite_share, row.coupled_lost_share, row.coupled_gained_share];
            for (const share of shares) expect(share ?? 0).toBeLessThanOrEqual(1);
            // The pushes of a step sum up to zero in the accuracy channel: every group does.
            expect(pushes.acc.subarray(from, end).reduce((sum, value) => sum + value, 0)).toBeCloseTo(0, 3);
          });
        },
      ),
    );
  });
  it('explains each of its columns', () => {
    const [row] = stepPushes(worked);
    expect(['step', ...pushColumns.map(({ name }) => name)]).toEqual(Object.keys(row ?? {}));
  });
  it('needs rollouts in the order of their steps', () => {
    const rollouts = [2, 1].map((step, group) => ({ step, group, right: true, calls: 0 }));
    expect(() => stepPushes(runOf(rollouts))).toThrow(RangeError);
    expect(stepPushes(runOf([]))).toEqual([]);
  });
});
