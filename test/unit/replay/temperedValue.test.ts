/** Log-probs at another temperature from the most probable tokens: right where given, withheld where the tail decides. */
import { describe, expect, it } from 'vitest';
import { temperedLogprob } from '../../../src/replay/temperedValue.ts';

/** A Zipf-like distribution over a vocabulary, most probable first. */
function zipf(vocabularySize: number, power: number): readonly number[] {
  const weights = Array.from({ length: vocabularySize }, (_, rank) => (rank + 1) ** -power);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => Math.log(weight / sum));
}

const exact = (all: readonly number[], token: number, temperature: number): number =>
  (all[token] ?? Number.NaN) / temperature -
  Math.log(all.reduce((sum, value) => sum + Math.exp(value / temperature), 0));

describe('a log-prob at another temperature', () => {
  it.each([
    [5, 0.5],
    [5, 0.9],
    [8, 1.2],
    [3, 0.7],
  ])('is within 2e-4 for a tail of power %d at %d', (power, temperature) => {
    const all = zipf(5_000, power);
    for (const token of [0, 1, 7, 40]) {
      const place = { own: all[token] ?? 0, most: all.slice(0, 20), vocabularySize: 5_000 };
      expect(Math.abs(temperedLogprob(place, temperature) - exact(all, token, temperature))).toBeLessThan(2e-4);
    }
  });
  it.each([
    [1.1, 0.7],
    [1.5, 1.5],
    [2, 1.3],
  ])('is not given for a heavy tail of power %d at %d', (power, temperature) => {
    const all = zipf(5_000, power);
    expect(temperedLogprob({ own: all[0] ?? 0, most: all.slice(0, 20), vocabularySize: 5_000 }, temperature)).toBeNaN();
  });
  it('is exact where all tokens are known', () => {
    const all = zipf(30, 1);
    expect(temperedLogprob({ own: all[3] ?? 0, most: all, vocabularySize: 30 }, 0.3)).toBeCloseTo(
      exact(all, 3, 0.3),
      9,
    );
    expect(temperedLogprob({ own: all[3] ?? 0, most: all, vocabularySize: 30 }, 3)).toBeCloseTo(exact(all, 3, 3), 4);
  });
});
