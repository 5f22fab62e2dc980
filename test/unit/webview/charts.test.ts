/** Never more marks than pixels, and the reduced line draws what all points would. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { savedChoice, shownRuns, ticked } from '../../../webview/charts/choice.ts';
import { moved } from '../../../webview/charts/cursor.ts';
import { csvOf } from '../../../webview/charts/csv.ts';
import { nearestIndex, reducePoints } from '../../../webview/charts/reduce.ts';
import { summarise } from '../../../webview/charts/summary.ts';
import { curvesOf } from './sampleRun.ts';

const valuesArbitrary = fc.array(fc.oneof(fc.double({ min: -5, max: 5, noNaN: true }), fc.constant(NaN)), {
  minLength: 1,
  maxLength: 400,
});

describe('reducePoints', () => {
  it('keeps every point of a short series', () => {
    expect(reducePoints({ x: [1, 2, 3], y: [0, NaN, 1] }, 10, (x) => x)).toEqual([0, 1, 2]);
  });

  it('keeps at most four points a column and each column’s extremes, first and last', () => {
    fc.assert(
      fc.property(valuesArbitrary, fc.integer({ min: 1, max: 50 }), (y, columns) => {
        const x = y.map((_, index) => index);
        const column = (value: number): number => (value / y.length) * columns;
        const kept = reducePoints({ x, y }, columns, column);
        expect(kept).toEqual([...new Set(kept)].sort((a, b) => a - b));
        if (y.length > columns) expect(kept.length).toBeLessThanOrEqual(4 * columns);
        for (let pixel = 0; pixel < columns; pixel++) {
          const inside = x.filter((index) => Math.floor(column(index)) === pixel && !Number.isNaN(y[index]));
          const drawn = kept.filter((index) => inside.includes(index));
          const values = (indexes: number[]): number[] => indexes.map((index) => y[index] ?? NaN);
          if (inside.length === 0) continue;
          expect(Math.min(...values(drawn))).toBe(Math.min(...values(inside)));
          expect(Math.max(...values(drawn))).toBe(Math.max(...values(inside)));
          expect(drawn).toContain(inside[0]);
          expect(drawn).toContain(inside.at(-1));
        }
      }),
    );
  });

  it('leaves a gap where a whole column is missing', () => {
    const y = [1, 1, NaN, NaN, 1, 1];
    const kept = reducePoints({ x: [0, 1, 2, 3, 4, 5], y }, 3, (x) => x / 2);
    expect(kept.some((index) => Number.isNaN(y[index]))).toBe(true);
  });
});

describe('nearestIndex', () => {
  it('is what a search of all points finds', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: -50, max: 50 }), { minLength: 1 }), fc.integer(), (xs, wanted) => {
        const x = [...xs].sort((a, b) => a - b);
        const best = Math.min(...x.map((value) => Math.abs(value - wanted)));
        expect(Math.abs((x[nearestIndex(x, wanted)] ?? NaN) - wanted)).toBe(best);
      }),
    );
    expect(nearestIndex([], 3)).toBe(-1);
  });
});

const series = (run: string, step: number[], value: number[]) => ({
  run,
  name: run,
  colour: '',
  style: 0,
  step: Int32Array.from(step),
  value: Float64Array.from(value),
});
const two = [series('a', [1, 2, 5], [0, 0.5, 1]), series('b', [2, 6], [NaN, 0.25])];

describe('the keyboard', () => {
  it.each([
    ['ArrowRight', 'a', 2, 'a', 5],
    ['ArrowRight', 'a', 5, 'a', 5],
    ['ArrowLeft', 'a', 1, 'a', 1],
    ['Home', 'b', 6, 'b', 2],
    ['End', 'a', 1, 'a', 5],
    ['ArrowDown', 'a', 5, 'b', 6],
    ['ArrowUp', 'a', 1, 'b', 2],
    ['ArrowDown', 'b', 2, 'a', 2],
  ])('%s from %s step %i goes to %s step %i', (key, run, step, toRun, toStep) => {
    expect(moved(two, { run, step }, key)).toEqual({ run: toRun, step: toStep });
  });
  it('leaves other keys alone', () => {
    expect(moved(two, { run: 'a', step: 1 }, 'x')).toBeNull();
  });
});

describe('what is said and exported', () => {
  it('CSV has a row a step and a column a run, empty where unknown', () => {
    expect(csvOf([series('a "x", y', [1, 2], [0.5, 1]), series('b', [2], [NaN])])).toBe(
      'step,"a ""x"", y",b\n1,0.5,\n2,1,\n',
    );
  });
  it('the summary names first and last known values', () => {
    const curves = curvesOf(3, {
      accuracy: [0.5, NaN, 0.75],
      toolRate: [0.98, 0.5, 0.02],
      calls: [2, 1, 0.25],
      redundant: [0.31, 0.1, 0.04],
    });
    expect(summarise('hdpo', curves)).toBe(
      'hdpo, steps 1 to 3: accuracy 0.5 → 0.75, tool rate 98 % → 2 %, calls per rollout 2 → 0.25, redundant calls 31 % → 4 % (down 27 points).',
    );
  });
  it('the summary says when the efficiency channel was awake', () => {
    const calls = Array.from({ length: 16 }, () => 0.1);
    const awake = curvesOf(16, { calls, signalShare: [...calls.slice(0, 7).map(() => 0.4), ...calls.slice(0, 9)] });
    expect(summarise('hdpo', awake)).toBe(
      'hdpo, steps 1 to 16: calls per rollout 0.1 → 0.1. The efficiency channel was awake from step 1 to 10, then asleep (all lean); up to 40 % of groups carried a signal, at step 1.',
    );
    const never = curvesOf(16, { calls, signalShare: calls });
    expect(summarise('grpo', never)).toBe(
      'grpo, steps 1 to 16: calls per rollout 0.1 → 0.1. The efficiency channel was never awake (up to 10 % of groups carried a signal, at step 1).',
    );
  });
});

describe('which runs are shown', () => {
  const run = (id: string) => ({
    id,
    name: id,
    producer: '',
    colour: 0,
    rollouts: 0,
    hasSteps: true,
    hasRewards: true,
    indexing: false,
  });
  const [a, b, c] = [run('a'), run('b'), run('c')];
  const shown = (...argv: Parameters<typeof shownRuns>) => [...shownRuns(...argv)];

  it('the first six while nobody chose', () => {
    expect(shown(null, [a, b])).toEqual(['a', 'b']);
    expect(shown(null, 'abcdefgh'.split('').map(run))).toHaveLength(6);
  });
  it('a chosen run that is not found yet is shown once it is', () => {
    const choice = savedChoice({ chosen: ['b', 'c', 7] });
    expect(shown(choice, [])).toEqual([]);
    expect(shown(choice, [a, b])).toEqual(['b']);
    expect(shown(ticked(choice, [a, b], { run: 'b', shown: false }), [a, b, c])).toEqual(['c']);
  });
  it('clearing a box of the runs shown by themselves leaves the others', () => {
    expect(shown(ticked(null, [a, b, c], { run: 'b', shown: false }), [a, b, c])).toEqual(['a', 'c']);
  });
  it.each([undefined, null, 3, {}, { chosen: 'a' }])('%j was never saved by this page', (saved) => {
    expect(savedChoice(saved)).toBeNull();
  });
});
