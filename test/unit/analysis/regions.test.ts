// Regions of A_acc × A_tool and pass rates: cases worked by hand and properties.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { passRates } from '../../../src/analysis/passRate.ts';
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
