// The same prompts later, and in another run: paired epochs and the ranking by the lower bound of a change.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changedPrompts, sharedMoments, type ComparedRun } from '../../../src/analysis/compareRuns.ts';
import { pairedEpochs } from '../../../src/analysis/pairedEpochs.ts';

interface Sample {
  readonly prompt: number;
  readonly step?: number;
  readonly right: number;
  readonly calls?: number;
}

function runOf(samples: readonly Sample[], promptKey: readonly number[]): ComparedRun {
  return {
    step: samples.map(({ step = 1 }) => step),
    prompt: Uint32Array.from(samples, ({ prompt }) => prompt),
    promptKey,
    correct: samples.map(({ right }) => right),
    calls: samples.map(({ calls = 0 }) => calls),
  };
}

const times = (count: number, sample: Sample): readonly Sample[] => Array.from({ length: count }, () => sample);

describe('changedPrompts', () => {
  it('ranks a change of many rollouts above a larger one of few', () => {
    // Key 70: 2 of 2 → 0 of 2; key 71: 30 of 40 → 10 of 40; key 72: as before; key 73 is in one run only.
    const before = runOf(
      [
        ...times(2, { prompt: 0, right: 1 }),
        ...times(30, { prompt: 1, right: 1 }),
        ...times(10, { prompt: 1, right: 0 }),
        ...times(8, { prompt: 2, right: 1 }),
        ...times(8, { prompt: 3, right: 1 }),
      ],
      [70, 71, 72, 73],
    );
    const after = runOf(
      [
        ...times(8, { prompt: 0, right: 1 }),
        ...times(10, { prompt: 1, right: 1 }),
        ...times(30, { prompt: 1, right: 0 }),
        ...times(2, { prompt: 2, right: 0 }),
      ],
      [72, 71, 70],
    );
    const changes = changedPrompts(before, after, { measure: 'accuracy' });
    expect(changes.map(({ key }) => key)).toEqual([71, 70, 72]);
    expect(changes[0]).toMatchObject({ prompts: [1, 1], counts: [40, 40], values: [0.75, 0.25], change: -0.5 });
    // Newcombe's method 10 for 10/40 − 30/40: −0.6529 to −0.2851, from the Wilson intervals 0.5981…0.8581 and 0.1419…0.4019.
    expect(changes[0]?.low).toBeCloseTo(-0.6529, 4);
    expect(changes[0]?.high).toBeCloseTo(-0.2851, 4);
    expect(changes[0]?.least).toBeCloseTo(0.2851, 4);
    expect(changes[1]).toMatchObject({ change: -1 });
    expect(changes[1]?.least).toBeLessThan(0.2);
    expect(changes[2]).toMatchObject({ change: 0, least: 0 });
  });

  it('compares mean T and the tool rate, in the steps that count', () => {
    const before = runOf(
      [...times(8, { prompt: 0, right: 1, calls: 2 }), ...times(8, { prompt: 0, step: 9, right: 1 })],
      [1],
    );
    const after = runOf(times(8, { prompt: 0, right: 1, calls: 0 }), [1]);
    const [calls] = changedPrompts(before, after, { measure: 'calls', steps: [1, 5] });
    expect(calls).toMatchObject({ counts: [8, 8], values: [2, 0], change: -2, least: 2 });
    const [rate] = changedPrompts(before, after, { measure: 'toolRate' });
    expect(rate).toMatchObject({ counts: [16, 8], values: [0.5, 0] });
    expect(changedPrompts(before, after, { measure: 'calls', steps: [6, 9] })).toEqual([]);
  });

  it('compares at the steps that both logged, where the runs share their prompts', () => {
    const at = (step: number, right: number): readonly Sample[] => times(4, { prompt: 0, step, right });
    const whole = runOf([...at(1, 0), ...at(2, 1), ...at(3, 1), ...at(4, 1)], [9]);
    const thinned = runOf([...at(1, 0), ...at(4, 1)], [9]);
    const moments = sharedMoments(whole, thinned);
    expect(moments).toEqual(new Map([[9, new Set([1, 4])]]));
    const [change] = changedPrompts(whole, thinned, { measure: 'accuracy', moments });
    expect(change).toMatchObject({ counts: [8, 8], values: [0.5, 0.5] });
    // Prompts that came in another order meet by chance only: then all steps are compared.
    expect(sharedMoments(whole, runOf([...at(4, 1), ...at(7, 1), ...at(9, 1)], [9]))).toBeNull();
    expect(sharedMoments(whole, runOf(at(1, 1), [8]))).toBeNull();
  });

  it('two equal T are no certainty where other prompts vary', () => {
    const noisy = Array.from({ length: 20 }, (_, i) => ({ prompt: 1, right: 1, calls: i % 5 }));
    const before = runOf([...times(2, { prompt: 0, right: 1, calls: 1 }), ...noisy], [1, 2]);
    const after = runOf([...times(2, { prompt: 0, right: 1, calls: 0 }), ...noisy], [1, 2]);
    const change = changedPrompts(before, after, { measure: 'calls' }).find(({ key }) => key === 1);
    expect(change).toMatchObject({ change: -1, least: 0 });
  });

  it('swapping the runs turns every change round', () => {
    const samples = fc.array(
      fc.record({
        prompt: fc.integer({ min: 0, max: 3 }),
        right: fc.constantFrom(0, 1, 2),
        calls: fc.integer({ min: 0, max: 4 }),
      }),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(
        samples,
        samples,
        fc.constantFrom('accuracy' as const, 'calls' as const, 'toolRate' as const),
        (one, other, measure) => {
          const keys = [11, 12, 13, 14];
          const there = changedPrompts(runOf(one, keys), runOf(other, keys), { measure });
          const back = changedPrompts(runOf(other, keys), runOf(one, keys), { measure });
          expect(back.map(({ key }) => key).sort()).toEqual(there.map(({ key }) => key).sort());
          for (const { key, change, low, high, least } of there) {
            const turned = back.find((each) => each.key === key);
            expect(turned?.change).toBeCloseTo(-change, 12);
            expect(turned?.low).toBeCloseTo(-high, 12);
            expect(turned?.high).toBeCloseTo(-low, 12);
            expect(turned?.least).toBeCloseTo(least, 12);
            expect(low).toBeLessThanOrEqual(change + 1e-9);
            expect(high).toBeGreaterThanOrEqual(change - 1e-9);
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('pairedEpochs', () => {
  it('pairs the k-th time a prompt was sampled with the next, whatever the steps', () => {
    const samples: readonly Sample[] = [
      { prompt: 0, step: 1, right: 1, calls: 2 },
      { prompt: 0, step: 1, right: 0, calls: 2 },
      { prompt: 1, step: 2, right: 0, calls: 1 },
      { prompt: 0, step: 7, right: 1, calls: 0 },
      { prompt: 0, step: 7, right: 1, calls: 1 },
      { prompt: 1, step: 9, right: 1, calls: 1 },
      { prompt: 0, step: 12, right: 1, calls: 0 },
      { prompt: 2, step: 12, right: 1, calls: 5 },
    ];
    const [first, second, ...others] = pairedEpochs(runOf(samples, []), { seed: 1 });
    expect(others).toEqual([]);
    expect(first).toMatchObject({ epoch: 1, prompts: 2, beforeSteps: [1, 2], afterSteps: [7, 9] });
    expect(first?.accuracy).toMatchObject({ before: 0.25, after: 1, change: { value: 0.75, low: 0.5, high: 1 } });
    expect(first?.calls).toMatchObject({ before: 1.5, after: 0.75 });
    expect(first?.toolRate).toMatchObject({ before: 1, after: 0.75 });
    expect(second).toMatchObject({ epoch: 2, prompts: 1, calls: { before: 0.5, after: 0, change: { value: -0.5 } } });
    expect(second?.calls.change.low).toBeNaN();
  });

  it('leaves prompts without a verdict out of the accuracy, and has no pair where none comes back', () => {
    const unknown = [1, 2].map((step) => ({ prompt: 0, step, right: 2, calls: step }));
    const [pair] = pairedEpochs(runOf(unknown, []), { seed: 1 });
    expect(pair?.accuracy.change.value).toBeNaN();
    expect(pair?.calls.change.value).toBe(1);
    expect(pairedEpochs(runOf([{ prompt: 0, right: 1 }], []), { seed: 1 })).toEqual([]);
    expect(pairedEpochs(runOf([], []), { seed: 1 })).toEqual([]);
  });
});
