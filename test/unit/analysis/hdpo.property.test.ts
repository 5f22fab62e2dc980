// Properties of the advantages over random groups: each one fails for some plausible mistake (population std, statistics
// over the wrong set, an equality test on std, order dependence, groups that leak into each other).
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { computeAdvantages, type Advantages, type Normalisation } from '../../../src/analysis/hdpo.ts';
import { advantagesOf, batchOf, metisRow, oneGroup, type Row } from './batch.ts';

const manyGroups = fc.array(metisRow(4), { minLength: 1, maxLength: 60 }).map((rows) => {
  const seen = [...new Set(rows.map((row) => row.group))];
  return rows.map((row) => ({ ...row, group: seen.indexOf(row.group) }));
});

const run = (rows: readonly Row[], normalise: Normalisation): Advantages =>
  computeAdvantages(batchOf(rows), { normalise });

const sum = (column: ArrayLike<number>): number => Array.from(column).reduce((total, value) => total + value, 0);

const close = (actual: number | undefined, expected: number | undefined, tolerance: number): void => {
  expect(Math.abs((actual ?? Number.NaN) - (expected ?? Number.NaN))).toBeLessThanOrEqual(tolerance);
};

/** The definition written the plain way, as a second opinion. */
function plainly(values: readonly number[]): readonly number[] {
  const n = values.length;
  if (n === 1) return values.map((value) => value / (1 + 1e-6));
  if (Math.max(...values) - Math.min(...values) <= 1e-6) return values.map(() => 0);
  const mean = sum(values) / n;
  const std = Math.sqrt(sum(values.map((value) => (value - mean) ** 2)) / (n - 1));
  return values.map((value) => (value - mean) / (std + 1e-6));
}

describe('computeAdvantages', () => {
  it('agrees with the definition written plainly', () => {
    fc.assert(
      fc.property(oneGroup(1), (rows) => {
        const result = advantagesOf(rows);
        plainly(rows.map((row) => row.acc)).forEach((expected, i) => close(result.accAdvantage[i], expected, 1e-8));
        const inQ = rows.flatMap((row, i) => (row.correct === 1 ? [i] : []));
        const rewards = plainly(inQ.map((i) => 1 / ((rows[i]?.calls ?? 0) + 1)));
        inQ.forEach((i, k) => close(result.toolAdvantage[i], inQ.length === 1 ? 0 : rewards[k], 1e-8));
      }),
    );
  });

  it('does not change when all rewards of a group are shifted', () => {
    fc.assert(
      fc.property(oneGroup(2), fc.integer({ min: -1000, max: 1000 }), (rows, shift) => {
        const before = advantagesOf(rows);
        const after = advantagesOf(rows.map((row) => ({ ...row, acc: row.acc + shift })));
        before.accAdvantage.forEach((advantage, i) => close(after.accAdvantage[i], advantage, 1e-6));
        expect(after.toolAdvantage).toEqual(before.toolAdvantage);
      }),
    );
  });

  it('scales with the rewards without std normalisation, and hardly changes with it', () => {
    fc.assert(
      fc.property(oneGroup(1), fc.constantFrom(2, 4, 10, 1000), (rows, factor) => {
        const scaled = rows.map((row) => ({ ...row, acc: row.acc * factor }));
        const [meanOnly, scaledMeanOnly] = [run(rows, 'mean-only'), run(scaled, 'mean-only')];
        meanOnly.accAdvantage.forEach((a, i) => close(scaledMeanOnly.accAdvantage[i], a * factor, 1e-9 * factor));
        if (rows.length === 1) return;
        const [std, scaledStd] = [run(rows, 'std'), run(scaled, 'std')];
        // Only ε moves it: at the smallest std of the grid (1e-3/√20) by 1e-6/2e-4 of a value of at most 4.5.
        std.accAdvantage.forEach((a, i) => close(scaledStd.accAdvantage[i], a, 0.025));
      }),
    );
  });

  it('follows its rollouts through any reordering', () => {
    const shuffled = manyGroups.chain((rows) =>
      fc.tuple(
        fc.constant(rows),
        fc.shuffledSubarray(
          rows.map((_, i) => i),
          { minLength: rows.length, maxLength: rows.length },
        ),
      ),
    );
    fc.assert(
      fc.property(shuffled, ([rows, order]) => {
        const before = advantagesOf(rows);
        const after = advantagesOf(order.map((i) => rows[i] ?? { group: 0, acc: 0, correct: 0, calls: 0 }));
        order.forEach((from, to) => {
          close(after.accAdvantage[to], before.accAdvantage[from], 1e-9);
          if (Number.isNaN(before.toolAdvantage[from])) expect(after.toolAdvantage[to]).toBeNaN();
          else close(after.toolAdvantage[to], before.toolAdvantage[from], 1e-9);
          expect(after.qualifies[to]).toBe(before.qualifies[from]);
          expect(after.groupSize[to]).toBe(before.groupSize[from]);
        });
      }),
    );
  });

  it('computes a group the same alone and among others', () => {
    fc.assert(
      fc.property(manyGroups, (rows) => {
        const together = advantagesOf(rows);
        for (const group of new Set(rows.map((row) => row.group))) {
          const members = rows.flatMap((row, i) => (row.group === group ? [i] : []));
          const alone = advantagesOf(members.map((i) => ({ ...(rows[i] as Row), group: 0 })));
          expect(members.map((i) => together.accAdvantage[i])).toEqual([...alone.accAdvantage]);
          expect(members.map((i) => together.toolAdvantage[i])).toEqual([...alone.toolAdvantage]);
        }
      }),
    );
  });

  it('sums to 0 over the group and over Q', () => {
    fc.assert(
      fc.property(oneGroup(2), fc.constantFrom<Normalisation>('std', 'mean-only'), (rows, normalise) => {
        const result = run(rows, normalise);
        close(sum(result.accAdvantage), 0, 1e-8);
        close(sum(result.toolAdvantage), 0, 1e-8);
      }),
    );
  });

  it('has a sample standard deviation of std/(std + ε) in a group that is not dead', () => {
    fc.assert(
      fc.property(oneGroup(2), (rows) => {
        const { accAdvantage, groups } = advantagesOf(rows);
        fc.pre(groups.equalAccReward[0] === 0);
        const std = groups.accStd[0] ?? Number.NaN;
        close(Math.sqrt(sum(accAdvantage.map((a) => a * a)) / (rows.length - 1)), std / (std + 1e-6), 1e-8);
      }),
    );
  });

  it('orders right rollouts by their calls and gives the rest exactly 0', () => {
    fc.assert(
      fc.property(oneGroup(2), (rows) => {
        const { toolAdvantage, qualifies } = advantagesOf(rows);
        rows.forEach((row, i) => {
          expect(qualifies[i]).toBe(row.correct);
          if (row.correct === 0) expect(toolAdvantage[i]).toBe(0);
          rows.forEach((other, j) => {
            if (row.correct !== 1 || other.correct !== 1 || row.calls >= other.calls) return;
            expect(toolAdvantage[i]).toBeGreaterThan(toolAdvantage[j] ?? Number.NaN);
          });
        });
      }),
    );
  });

  it('is exactly 0 for equal rewards, equal T and |Q| = 1, with any values', () => {
    const size = fc.integer({ min: 2, max: 16 });
    fc.assert(
      fc.property(size, fc.double({ min: -1e6, max: 1e6, noNaN: true }), fc.nat({ max: 50 }), (count, acc, calls) => {
        const rows = Array.from({ length: count }, () => ({ group: 0, acc, correct: 1, calls }));
        expect(advantagesOf(rows).accAdvantage.every((a) => a === 0)).toBe(true);
        expect(advantagesOf(rows).toolAdvantage.every((a) => a === 0)).toBe(true);
        const oneRight = rows.map((row, i) => ({ ...row, correct: i === 0 ? 1 : 0, calls: i }));
        expect(advantagesOf(oneRight).toolAdvantage.every((a) => a === 0)).toBe(true);
      }),
    );
  });

  it('is NaN exactly where it must be, and finite elsewhere', () => {
    const holes = fc.array(fc.tuple(metisRow(1), fc.boolean()), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(holes, (pairs) => {
        const rows = pairs.map(([row, missing]) => (missing ? { ...row, acc: Number.NaN } : row));
        const result = advantagesOf(rows);
        rows.forEach((row, i) => {
          expect(Number.isFinite(result.accAdvantage[i])).toBe(!Number.isNaN(row.acc));
          expect(Number.isFinite(result.toolAdvantage[i])).toBe(!Number.isNaN(row.acc) && row.correct !== 2);
        });
        const kept = rows.filter((row) => !Number.isNaN(row.acc));
        const without = advantagesOf(kept).accAdvantage;
        expect([...result.accAdvantage].filter((a) => !Number.isNaN(a))).toEqual([...without]);
      }),
    );
  });
});
