// The rows of `steps`, worked by hand for two steps of two prompts each, plus what is null and why, plus properties.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stepColumns, stepRows, type StepAggregates, type StepInput } from '../../../src/analysis/steps.ts';
import { batchOf, metisRow, type Row } from './batch.ts';

type StepTestRow = Row & { readonly step: number; readonly failed?: number; readonly redundant?: number };

const columns = (rows: readonly StepTestRow[]): StepInput => ({
  ...batchOf(rows),
  step: Int32Array.from(rows, (row) => row.step),
  failedCalls: Uint32Array.from(rows, (row) => row.failed ?? 0),
  redundantCalls: Uint32Array.from(rows, (row) => row.redundant ?? 0),
});

const only = (rows: readonly StepAggregates[]): StepAggregates => {
  const [row] = rows;
  if (row === undefined || rows.length !== 1) throw new Error(`${rows.length} rows`);
  return row;
};

describe('stepRows', () => {
  // Step 7, prompt 0: r_acc 1, 1, 0, 0; T 0, 1, 2, 0; the first two right. mean 0.5, std sqrt(1/3), |A_acc| each 0.5/(std + ε).
  //   Q: r_tool 1, 0.5: |A_tool| each 0.25/(sqrt(0.125) + ε). Signal.
  // Step 7, prompt 1: r_acc 1, 1; T 3, 3; both right: both channels dead.
  // Step 9, prompt 0 again: one right rollout alone with T 2: A_acc = 1/(1 + ε), |Q| = 1.
  const rows: readonly StepTestRow[] = [
    { step: 9, group: 0, acc: 1, correct: 1, calls: 2, failed: 1 },
    { step: 7, group: 0, acc: 1, correct: 1, calls: 0 },
    { step: 7, group: 1, acc: 1, correct: 1, calls: 3, redundant: 2 },
    { step: 7, group: 0, acc: 1, correct: 1, calls: 1, redundant: 1 },
    { step: 7, group: 0, acc: 0, correct: 0, calls: 2, failed: 1 },
    { step: 7, group: 1, acc: 1, correct: 1, calls: 3 },
    { step: 7, group: 0, acc: 0, correct: 0, calls: 0 },
  ];
  const accAbs = 0.5 / (Math.sqrt(1 / 3) + 1e-6);
  const toolAbs = 0.25 / (Math.sqrt(0.125) + 1e-6);

  it('agrees with the sums made by hand', () => {
    const [seven, nine, ...more] = stepRows(columns(rows), { normalise: 'std' });
    expect(more).toEqual([]);
    expect(seven).toEqual({
      step: 7,
      rollouts: 6,
      groups: 2,
      accuracy: 4 / 6,
      reward_mean: 4 / 6,
      calls_mean: 9 / 6,
      tool_rate: 4 / 6,
      redundant_call_rate: 3 / 9,
      acc_advantage_abs: expect.closeTo((4 * accAbs) / 6, 12) as number,
      tool_advantage_abs: expect.closeTo((2 * toolAbs) / 6, 12) as number,
      qualifying_share: 1,
      efficiency_signal_share: 0.5,
      effective_w_tool: expect.closeTo((0.15 * 6) / 2, 12) as number,
      failed_call_rate: 1 / 9,
      dead_accuracy_groups: 1,
      dead_efficiency_groups: 1,
      group_size: 4,
      groups_merged_or_cut: null,
      redundant_intrinsic_rate: 2 / 6,
      redundant_sibling_rate: 0,
      dead_all_right_share: 1 / 2,
      dead_all_wrong_share: 0,
      response_tokens_mean: null,
      response_characters_mean: null,
      truncated_share: null,
    });
    expect(nine).toMatchObject({
      step: 9,
      rollouts: 1,
      acc_advantage_abs: 1 / (1 + 1e-6),
      tool_advantage_abs: 0,
      qualifying_share: 0,
      efficiency_signal_share: 0,
      effective_w_tool: null,
      failed_call_rate: 0.5,
      redundant_call_rate: 0,
      dead_accuracy_groups: 0,
      dead_efficiency_groups: 1,
    });
  });

  it('takes another w_tool, and mean-only advantages', () => {
    const [seven] = stepRows(columns(rows), { normalise: 'mean-only', toolWeight: 1 });
    expect(seven?.effective_w_tool).toBeCloseTo(3, 12);
    expect(seven?.acc_advantage_abs).toBeCloseTo((4 * 0.5) / 6, 12);
    expect(seven?.tool_advantage_abs).toBeCloseTo((2 * 0.25) / 6, 12);
  });

  it('has null, never NaN, where the log does not say', () => {
    const blank = columns([{ step: 1, group: 0, acc: Number.NaN, correct: 2, calls: 0 }]);
    const row = only(stepRows(blank, { normalise: 'std' }));
    expect(row).toEqual({
      step: 1,
      rollouts: 1,
      groups: 1,
      accuracy: null,
      reward_mean: null,
      calls_mean: 0,
      tool_rate: 0,
      redundant_call_rate: null,
      acc_advantage_abs: null,
      tool_advantage_abs: null,
      qualifying_share: null,
      efficiency_signal_share: null,
      effective_w_tool: null,
      failed_call_rate: null,
      dead_accuracy_groups: null,
      dead_efficiency_groups: null,
      group_size: 1,
      groups_merged_or_cut: null,
      redundant_intrinsic_rate: null,
      redundant_sibling_rate: null,
      dead_all_right_share: null,
      dead_all_wrong_share: null,
      response_tokens_mean: null,
      response_characters_mean: null,
      truncated_share: null,
    });
    const unknown = { ...batchOf(rows), step: rows.map((row) => row.step) };
    const [seven] = stepRows(unknown, { normalise: 'std' });
    expect([seven?.failed_call_rate, seven?.redundant_call_rate]).toEqual([null, null]);
  });

  it('tells dead groups by cause, a lone rollout and one of unknown correctness being neither', () => {
    const dead = [
      ...[0, 0].map((acc) => ({ step: 1, group: 0, acc, correct: 0, calls: 1 })),
      ...[0.9, 0.9].map((acc) => ({ step: 1, group: 1, acc, correct: 1, calls: 1 })),
      ...[0.5, 0.5].map((acc) => ({ step: 1, group: 2, acc, correct: 2, calls: 1 })),
      { step: 1, group: 3, acc: 0, correct: 0, calls: 0 },
    ];
    expect(only(stepRows(columns(dead), { normalise: 'std' }))).toMatchObject({
      dead_accuracy_groups: 3,
      dead_all_right_share: 1 / 4,
      dead_all_wrong_share: 1 / 4,
    });
  });

  it('averages lengths over those that are logged, and ends likewise', () => {
    const input = {
      ...columns(rows),
      modelTokens: Float64Array.from([10, 20, Number.NaN, 40, 30, Number.NaN, Number.NaN]),
      modelCharacters: Float64Array.from([50, 100, 20, 60, 30, 0, 0]),
      truncated: Uint8Array.from([2, 1, 0, 2, 1, 2, 0]),
    };
    expect(stepRows(input, { normalise: 'std' })).toMatchObject([
      { step: 7, response_tokens_mean: 30, response_characters_mean: 35, truncated_share: 0.5 },
      { step: 9, response_tokens_mean: 10, response_characters_mean: 50, truncated_share: null },
    ]);
  });

  it('takes the logged total where it is not r_acc', () => {
    const input = { ...columns(rows), reward: new Float64Array(rows.length).fill(2.5) };
    expect(stepRows(input, { normalise: 'std' }).map((row) => row.reward_mean)).toEqual([2.5, 2.5]);
  });

  it('marks inferred groups of another size and can leave them out', () => {
    const sizes = [2, 2, 2, 4];
    const many = sizes.flatMap((size, group) =>
      Array.from({ length: size }, () => ({
        step: 1,
        group,
        acc: group === 3 ? 0 : 1,
        correct: group === 3 ? 0 : 1,
        calls: 1,
      })),
    );
    const inferred = { ...columns(many), groupInferred: new Uint8Array(many.length).fill(1) };
    const all = only(stepRows(inferred, { normalise: 'std' }));
    expect([all.group_size, all.groups_merged_or_cut, all.groups, all.accuracy]).toEqual([2, 1, 4, 0.6]);
    const usual = only(stepRows(inferred, { normalise: 'std', groups: 'usual-size' }));
    expect([usual.groups_merged_or_cut, usual.groups, usual.rollouts, usual.accuracy]).toEqual([1, 3, 6, 1]);
    const logged = only(stepRows(columns(many), { normalise: 'std', groups: 'usual-size' }));
    expect([logged.groups, logged.groups_merged_or_cut]).toEqual([4, null]);
  });

  it('counts a rollout with the larger of what its own rules and its siblings flag', () => {
    // Three right without calls; one right with 3 calls, one of them flagged by a rule of its own.
    const step = only(
      stepRows(
        {
          count: 4,
          step: [1, 1, 1, 1],
          group: [0, 0, 0, 0],
          accReward: new Float64Array(4).fill(1),
          correct: new Uint8Array(4).fill(1),
          calls: Uint32Array.from([0, 0, 0, 3]),
          redundantCalls: [0, 0, 0, 1],
        },
        { normalise: 'std' },
      ),
    );
    expect(step.redundant_call_rate).toBe(1);
    expect([step.redundant_intrinsic_rate, step.redundant_sibling_rate]).toEqual([1 / 3, 1]);
  });

  it('refuses columns of another length and takes an empty batch', () => {
    expect(stepRows(columns([]), { normalise: 'std' })).toEqual([]);
    expect(() => stepRows({ ...columns(rows), step: [1] }, { normalise: 'std' })).toThrow(RangeError);
    expect(() => stepRows({ ...columns(rows), failedCalls: [1] }, { normalise: 'std' })).toThrow(RangeError);
  });

  it('lists every column of a row once, in order, with formula and source', () => {
    const [row] = stepRows(columns(rows), { normalise: 'std' });
    expect(stepColumns.map((column) => column.name)).toEqual(Object.keys(row ?? {}));
    for (const column of stepColumns) expect(column.formula.length * column.source.length).toBeGreaterThan(0);
  });

  const random = fc.array(
    fc.tuple(metisRow(5), fc.integer({ min: 1, max: 3 })).map(([row, step]) => ({ ...row, step })),
    { minLength: 1, maxLength: 80 },
  );

  it('is the same a step alone and among others, and in any order', () => {
    fc.assert(
      fc.property(random, (many) => {
        const together = stepRows(columns(many), { normalise: 'std' });
        expect(together.map((row) => row.step)).toEqual(
          [...new Set(many.map((row) => row.step))].sort((a, b) => a - b),
        );
        for (const row of together) {
          const alone = many.filter((rollout) => rollout.step === row.step);
          expect(only(stepRows(columns(alone), { normalise: 'std' }))).toEqual(row);
        }
        stepRows(columns([...many].reverse()), { normalise: 'std' }).forEach((row, i) => {
          for (const { name } of stepColumns) {
            const expected = together[i]?.[name] ?? null;
            if (expected === null || row[name] === null) expect(row[name]).toBe(expected);
            else expect(row[name]).toBeCloseTo(expected, 9);
          }
        });
      }),
    );
  });

  it('keeps shares within 0…1, in order, and counts that add up', () => {
    fc.assert(
      fc.property(random, (many) => {
        for (const row of stepRows(columns(many), { normalise: 'std' })) {
          const [signal, qualifying] = [row.efficiency_signal_share ?? 0, row.qualifying_share ?? 0];
          expect(signal).toBeLessThanOrEqual(qualifying);
          expect(qualifying).toBeLessThanOrEqual(1);
          expect(row.effective_w_tool === null).toBe(!(signal > 0));
          if (row.effective_w_tool !== null) expect(row.effective_w_tool).toBeGreaterThanOrEqual(0.15);
          if (row.effective_w_tool !== null) expect(row.tool_advantage_abs).toBeGreaterThan(0);
        }
      }),
    );
  });
});
