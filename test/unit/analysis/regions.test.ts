// Regions of A_acc × A_tool, pass rates and prepared contributions: cases worked by hand and properties.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contributionsOf, type ContributionMode } from '../../../src/analysis/contributions.ts';
import { passRates } from '../../../src/analysis/passRate.ts';
import { prepareContributions } from '../../../src/analysis/preparedContributions.ts';
import { REGION, regionsOf, type Region } from '../../../src/analysis/regions.ts';
import { advantagesOf, batchOf, metisRow } from './batch.ts';

describe('regionsOf', () => {
  it('goes by correctness and the sign of A_tool, and spreads by T − mean T of the group', () => {
    const { region, spread, step, counts } = regionsOf({
      step: [2, 2, 2, 2, 1, 1],
      group: Uint32Array.from([0, 0, 0, 0, 1, 1]),
      correct: [1, 1, 1, 0, 2, 1],
      calls: [0, 2, 1, 5, 3, 3],
      toolAdvantage: [1, -1, 0, 0, Number.NaN, Number.NaN],
    });
    const { rightLean, rightWasteful, rightNoSignal, wrong, unknown } = REGION;
    expect([...region]).toEqual([rightLean, rightWasteful, rightNoSignal, wrong, unknown, rightNoSignal]);
    expect([...spread]).toEqual([-2, 0, -1, 3, 0, 0]);
    expect([...step]).toEqual([1, 2]);
    expect(Object.fromEntries(Object.entries(counts).map(([name, column]) => [name, [...column]]))).toEqual({
      rightLean: [0, 1],
      rightWasteful: [0, 1],
      rightNoSignal: [1, 1],
      wrong: [0, 1],
      unknown: [1, 0],
    });
    expect(() =>
      regionsOf({ step: [], group: new Uint32Array(1), correct: [1], calls: [0], toolAdvantage: [0] }),
    ).toThrow(RangeError);
  });

  it('counts every rollout once', () => {
    fc.assert(
      fc.property(fc.array(metisRow(4), { maxLength: 40 }), (rows) => {
        const { toolAdvantage } = advantagesOf(rows.map((row) => ({ ...row, group: 0 })));
        const { counts, region } = regionsOf({ ...batchOf(rows), step: rows.map(({ group }) => group), toolAdvantage });
        const names: readonly Region[] = ['rightLean', 'rightWasteful', 'rightNoSignal', 'wrong', 'unknown'];
        for (const name of names) {
          const counted = counts[name].reduce((sum, value) => sum + value, 0);
          expect(counted).toBe(region.filter((code) => code === REGION[name]).length);
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe('passRates', () => {
  it('sorts groups of the usual size by how many are right, with mean sizes of both pushes', () => {
    const rates = passRates(
      {
        // Two groups of two with one right, one with both, and a cut one.
        group: Uint32Array.from([0, 0, 1, 1, 2, 2, 3]),
        correct: [1, 0, 0, 1, 1, 1, 1],
        acc: [0.7, -0.7, -0.9, 0.9, 0, 0, 5],
        tool: [0, 0, 0, 0, 0.1, -0.3, 5],
      },
      { seed: 1 },
    );
    expect(rates.size).toBe(2);
    expect(rates.otherGroups).toBe(1);
    expect(rates.bins.map(({ right, groups }) => [right, groups])).toEqual([
      [0, 0],
      [1, 2],
      [2, 1],
    ]);
    expect(rates.bins[0]?.acc.value).toBeNaN();
    expect(rates.bins[1]?.acc.value).toBeCloseTo(0.8, 12);
    expect(rates.bins[1]?.acc.low).toBeCloseTo(0.7, 12);
    expect(rates.bins[1]?.acc.high).toBeCloseTo(0.9, 12);
    expect(rates.bins[2]?.tool.value).toBeCloseTo(0.2, 12);
    expect(rates.bins[2]?.tool.low).toBeNaN();
  });

  it('leaves groups with an unknown verdict out, and takes none', () => {
    const input = { group: Uint32Array.from([0, 0]), correct: [1, 2], acc: [0, 0], tool: [0, 0] };
    expect(passRates(input, { seed: 1 })).toMatchObject({ size: 2, otherGroups: 1 });
    const none = { group: new Uint32Array(), correct: [], acc: [], tool: [] };
    expect(passRates(none, { seed: 1 })).toEqual({ size: 0, bins: [], otherGroups: 0 });
  });
});

describe('prepareContributions', () => {
  const modes: readonly ContributionMode[] = ['plain', 'loss-weighted', 'by-sequence'];
  const rows = fc.array(fc.tuple(metisRow(5), fc.integer({ min: 1, max: 500 })), { maxLength: 40 });

  it('gives for every step what contributionsOf gives, at any weights and after any other', () => {
    const weight = fc.integer({ min: 0, max: 300 }).map((hundredths) => hundredths / 100);
    fc.assert(
      fc.property(rows, weight, weight, (all, accWeight, toolWeight) => {
        const seen = new Map<number, number>();
        const dense = all.map(([row]) => {
          const group = seen.get(row.group) ?? seen.size;
          seen.set(row.group, group);
          return { ...row, group };
        });
        const { accAdvantage, toolAdvantage } = advantagesOf(dense);
        const step = dense.map(({ group }) => 10 + (group % 2));
        const length = all.map(([, tokens]) => tokens);
        const { masked } = batchOf(dense);
        const prepared = prepareContributions({ step, accAdvantage, toolAdvantage, length, masked });
        for (const mode of modes) {
          prepared.evaluate({ mode: 'plain' });
          const found = prepared.evaluate({ mode, accWeight, toolWeight });
          found.steps.step.forEach((when, s) => {
            const members = [...step.keys()].filter((i) => step[i] === when);
            const pick = (column: ArrayLike<number>): number[] => members.map((i) => Number(column[i]));
            const expected = contributionsOf(
              {
                accAdvantage: pick(accAdvantage),
                toolAdvantage: pick(toolAdvantage),
                length: pick(length),
                masked: pick(masked),
              },
              { mode, accWeight, toolWeight },
            );
            expect(found.steps.rollouts[s]).toBe(members.length);
            members.forEach((i, k) => {
              expectClose(found.acc[i], expected.acc[k]);
              expectClose(found.tool[i], expected.tool[k]);
            });
            expectClose(found.steps.acc[s], meanSize(expected.acc));
            expectClose(found.steps.tool[s], meanSize(expected.tool));
            expectClose(found.steps.effectiveToolWeight[s], expected.effectiveToolWeight ?? Number.NaN);
          });
          for (const value of found.acc)
            expect(Number.isNaN(value) || Math.abs(value) <= found.largestAcc * 1.000001).toBe(true);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('gives the ratio of the channels and the share of the push', () => {
    const { steps } = prepareContributions({
      step: [1, 1, 2],
      accAdvantage: [1, -1, 0],
      toolAdvantage: [2, 0, 0],
      length: [1, 1, 1],
    }).evaluate({ mode: 'plain', toolWeight: 0.5 });
    expect([...steps.acc]).toEqual([1, 0]);
    expect([...steps.tool]).toEqual([0.5, 0]);
    expect([...steps.ratio]).toEqual([0.5, Number.NaN]);
    expect(steps.toolShare[0]).toBeCloseTo(1 / 3, 12);
    expect(steps.toolShare[1]).toBeNaN();
    expect(() => prepareContributions({ step: [1], accAdvantage: [], toolAdvantage: [], length: [] })).toThrow(
      RangeError,
    );
  });

  function meanSize(values: Float64Array): number {
    const known = values.filter((value) => !Number.isNaN(value));
    return known.length === 0 ? Number.NaN : known.reduce((sum, value) => sum + Math.abs(value), 0) / known.length;
  }

  function expectClose(actual: number | undefined, expected: number | undefined): void {
    if (expected === undefined || Number.isNaN(expected)) expect(actual).toBeNaN();
    else
      expect(Math.abs((actual ?? Number.NaN) - expected)).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(expected)));
  }
});
