// The bootstrap over groups and the rates by step that use it: worked cases, determinism, coverage and properties.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accuracyAgainstCalls } from '../../../src/analysis/accuracyAgainstCalls.ts';
import { bootstrapRatio, randomBits } from '../../../src/analysis/bootstrap.ts';
import { negativePush, prepareNegativePush } from '../../../src/analysis/negativePush.ts';
import { PROMPT_CLASS, selectivityOf } from '../../../src/analysis/selectivity.ts';
import { bandsByStep } from '../../../src/analysis/stepBands.ts';

const bootstrap = { seed: 7 };

describe('randomBits', () => {
  it('is the same for the same seed and counter, spread evenly, and repeats nowhere near', () => {
    expect([randomBits(1, 1), randomBits(1, 2), randomBits(2, 1)]).toEqual([2789948889, 232174035, 2117216093]);
    const seen = new Set(Array.from({ length: 100_000 }, (_, counter) => randomBits(3, counter)));
    expect(seen.size).toBe(100_000);
    const tenths = new Uint32Array(10);
    for (const bits of seen) {
      const tenth = Math.floor((bits / 2 ** 32) * 10);
      tenths[tenth] = (tenths[tenth] ?? 0) + 1;
    }
    // 10,000 each, standard deviation 95.
    for (const count of tenths) expect(Math.abs(count - 10_000)).toBeLessThan(500);
  });
});

describe('bootstrapRatio', () => {
  it('is Σ/Σ with an interval around it, equal for equal seeds', () => {
    const numerators = Array.from({ length: 40 }, (_, g) => g % 9);
    const denominators = numerators.map(() => 8);
    const interval = bootstrapRatio(numerators, denominators, bootstrap);
    expect(interval.value).toBeCloseTo(numerators.reduce((a, b) => a + b) / 320, 12);
    expect(interval.low).toBeLessThan(interval.value);
    expect(interval.high).toBeGreaterThan(interval.value);
    expect(bootstrapRatio(numerators, denominators, bootstrap)).toEqual(interval);
    expect(bootstrapRatio(numerators, denominators, { seed: 8 })).not.toEqual(interval);
    // Groups of 8 with a mean of 4 ± 2.58 over 40 groups: 1.96 · 2.58/8/√40 = 0.1.
    expect((interval.high - interval.low) / 2).toBeCloseTo(0.1, 1);
  });

  it('has no band below two groups and no width where all groups are alike', () => {
    expect(bootstrapRatio([3], [8], bootstrap)).toEqual({ value: 0.375, low: Number.NaN, high: Number.NaN });
    expect(bootstrapRatio([], [], bootstrap).value).toBeNaN();
    expect(bootstrapRatio([2, 2, Number.NaN, 9], [4, 4, 4, 0], bootstrap)).toEqual({ value: 0.5, low: 0.5, high: 0.5 });
  });

  it('covers the truth about as often as it says', () => {
    let covered = 0;
    for (let trial = 0; trial < 200; trial += 1) {
      const groups = Array.from({ length: 60 }, (_, g) => randomBits(trial, g + 1) / 2 ** 32);
      const { low, high } = bootstrapRatio(
        groups,
        groups.map(() => 1),
        { seed: trial, resamples: 400 },
      );
      if (low <= 0.5 && 0.5 <= high) covered += 1;
    }
    expect(covered / 200).toBeGreaterThan(0.89);
    expect(covered / 200).toBeLessThanOrEqual(0.99);
  });

  it('scales with its numerators and ignores the scale of both', () => {
    const groups = fc.array(fc.tuple(fc.integer({ min: 0, max: 8 }), fc.integer({ min: 1, max: 8 })), {
      minLength: 2,
      maxLength: 30,
    });
    fc.assert(
      fc.property(groups, fc.constantFrom(2, 4), (pairs, factor) => {
        const above = pairs.map(([value]) => value);
        const below = pairs.map(([, value]) => value);
        const options = { seed: 3, resamples: 200 };
        const once = bootstrapRatio(above, below, options);
        const times = bootstrapRatio(
          above.map((value) => value * factor),
          below,
          options,
        );
        expect(times).toEqual({ value: once.value * factor, low: once.low * factor, high: once.high * factor });
        expect(
          bootstrapRatio(
            above.map((value) => value * factor),
            below.map((value) => value * factor),
            options,
          ),
        ).toEqual(once);
        expect(once.low).toBeLessThanOrEqual(once.value + 1e-9);
        expect(once.high).toBeGreaterThanOrEqual(once.value - 1e-9);
      }),
      { numRuns: 50 },
    );
  });
});

// Two steps: step 5 with groups 0 and 1, step 2 with group 2, in log order.
const step = [5, 5, 5, 5, 2, 2];
const group = Uint32Array.from([0, 0, 1, 1, 2, 2]);

describe('bandsByStep', () => {
  it('sums by step, ascending, and leaves NaN out', () => {
    const values = [1, 0, 1, Number.NaN, 1, 1];
    const bands = bandsByStep({ step, group }, { numerator: (i) => values[i] ?? 0 }, bootstrap);
    expect([...bands.step]).toEqual([2, 5]);
    expect([...bands.count]).toEqual([2, 3]);
    expect([...bands.groups]).toEqual([1, 2]);
    expect(bands.value[0]).toBe(1);
    expect(bands.value[1]).toBeCloseTo(2 / 3, 12);
    expect(bands.low[0]).toBeNaN();
    // Both groups drawn are group 0 (1/2), group 1 (1/1) or one of each.
    expect([bands.low[1], bands.high[1]]).toEqual([0.5, 1]);
  });

  it('does not change a step for another step that comes in, and has no band where none is wanted', () => {
    const rate = { numerator: (i: number) => i % 2, denominator: (i: number) => i };
    const whole = bandsByStep({ step, group }, rate, bootstrap);
    const first = bandsByStep({ step: step.slice(0, 4), group: group.slice(0, 4) }, rate, bootstrap);
    expect([first.value[0], first.low[0], first.high[0]]).toEqual([whole.value[1], whole.low[1], whole.high[1]]);
    expect([...bandsByStep({ step, group }, rate, null).low]).toEqual([Number.NaN, Number.NaN]);
  });
});

describe('rates of a run', () => {
  const correct = [1, 0, 1, 1, 2, 1];
  const calls = [0, 2, 1, 0, 3, 0];

  it('negativePush: right rollouts that are pushed down', () => {
    const acc = [0.5, -0.5, 0.05, 0.05, 0, Number.NaN];
    const tool = [0.1, 0, -0.1, 0.1, 0, 0];
    const { value, count } = negativePush({ step, group, correct, acc, tool }, null);
    expect([...count]).toEqual([0, 3]);
    expect(value[0]).toBeNaN();
    expect(value[1]).toBeCloseTo(1 / 3, 12);
  });

  it('accuracyAgainstCalls: one point a step', () => {
    const path = accuracyAgainstCalls({ step, group, correct, calls }, null);
    expect([...path.accuracy.value]).toEqual([1, 0.75]);
    expect([...path.calls.value]).toEqual([1.5, 0.75]);
  });

  it('selectivity: P(right | tool), P(right | no tool), tool rate by kind of prompt', () => {
    const prompt = Uint32Array.from([0, 0, 1, 1, 1, 1]);
    const found = selectivityOf({ step, group, prompt, correct, calls }, null);
    expect([...found.rightWithTool.value]).toEqual([Number.NaN, 0.5]);
    expect([...found.rightWithoutTool.value]).toEqual([1, 1]);
    expect([...found.promptClass]).toEqual([PROMPT_CLASS.undecided, PROMPT_CLASS.undecided]);
    expect([...found.toolRate.undecided.value]).toEqual([0.5, 0.5]);
    expect(() => selectivityOf({ step, group, prompt, correct: [1], calls }, null)).toThrow(RangeError);
  });

  it('selectivity: 3 of 4 tool-free and right in one step make a prompt solvable, 2 of 4 do not, and steps are not pooled', () => {
    const rows = [
      // prompt 0: 3 of 4 right in step 1
      ...[1, 1, 1, 0].map((right) => ({ prompt: 0, step: 1, right, calls: 0 })),
      // prompt 1: the first three of eight right, 4 of 8 in all
      ...[1, 1, 1, 0, 0, 0, 0, 1].map((right) => ({ prompt: 1, step: 1, right, calls: 0 })),
      // prompt 2: 4 of 4 right, but two in each step
      ...[1, 1].flatMap((right) => [1, 2].map((when) => ({ prompt: 2, step: when, right, calls: 0 }))),
      // prompt 3: right with a call
      ...[1, 1, 1, 1].map((right) => ({ prompt: 3, step: 2, right, calls: 1 })),
      // later, the solvable prompt is answered with a call once
      { prompt: 0, step: 2, right: 1, calls: 1 },
      { prompt: 0, step: 2, right: 1, calls: 0 },
    ].sort((a, b) => a.step - b.step);
    const found = selectivityOf(
      {
        step: rows.map((row) => row.step),
        group: Uint32Array.from(rows, (row) => row.step * 4 + row.prompt),
        prompt: Uint32Array.from(rows, (row) => row.prompt),
        correct: rows.map((row) => row.right),
        calls: rows.map((row) => row.calls),
      },
      null,
    );
    const { solvable, unsolved, undecided } = PROMPT_CLASS;
    expect([...found.promptClass]).toEqual([solvable, unsolved, undecided, undecided]);
    expect(found.prompts).toEqual({ solvable: 1, unsolved: 1, undecided: 2 });
    expect([...found.toolRate.solvable.value]).toEqual([0, 0.5]);
  });
});

describe('prepareNegativePush', () => {
  it('gives the shares of negativePush for any weights', () => {
    const rollout = fc.record({
      correct: fc.constantFrom(0, 1, 2),
      acc: fc.oneof(fc.float({ min: -3, max: 3, noNaN: true }), fc.constant(Number.NaN)),
      tool: fc.float({ min: -3, max: 3, noNaN: true }),
    });
    const weight = fc.constantFrom(0, 0.15, 1);
    fc.assert(
      fc.property(fc.array(rollout, { minLength: 1, maxLength: 60 }), weight, weight, (rollouts, acc, tool) => {
        const input = {
          step: Int32Array.from(rollouts, (_, i) => Math.floor(i / 20)),
          group: Uint32Array.from(rollouts, (_, i) => Math.floor(i / 4)),
          correct: Uint8Array.from(rollouts, (one) => one.correct),
          acc: Float32Array.from(rollouts, (one) => one.acc),
          tool: Float32Array.from(rollouts, (one) => one.tool),
        };
        const wanted = negativePush(
          { ...input, acc: Array.from(input.acc, (v) => v * acc), tool: Array.from(input.tool, (v) => v * tool) },
          null,
        );
        const found = prepareNegativePush(input)(acc, tool);
        expect([...found.value]).toEqual([...wanted.value]);
        expect([...found.count]).toEqual([...wanted.count]);
      }),
    );
  });
});
