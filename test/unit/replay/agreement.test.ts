/** Logged against scored log-probs: the numbers, the verdict, the temperature that fits, tokens outside top-p. */
import { describe, expect, it } from 'vitest';
import { usualLogprobThresholds as thresholds } from '../../../src/protocol/replay.ts';
import { agreementOf, isOutsideTopP, verdictOf } from '../../../src/replay/agreement.ts';

const at = (temperature: number, logprobs: readonly number[]) => ({
  temperature,
  logprobs: Float32Array.from(logprobs),
});
const logged = Float32Array.from([-1, -2, Number.NaN, -0.5, -4]);
const options = { thresholds, precision: 'f32', outsideTopP: null };

describe('agreement', () => {
  it('is over the tokens that have both values', () => {
    const found = agreementOf(logged, at(1, [-1.5, -2, -1, -0.5, Number.NaN]));
    expect(found).toMatchObject({ temperature: 1, tokens: 3, maximumAbsolute: 0.5, p99Absolute: 0.5 });
    expect(found?.meanAbsolute).toBeCloseTo(0.5 / 3, 12);
    // k3 = e^d − 1 − d with d = −0.5 at one of three tokens.
    expect(found?.k3).toBeCloseTo((Math.exp(-0.5) - 1 + 0.5) / 3, 12);
  });
  it('is none without a common token', () => {
    expect(agreementOf(logged, at(1, [Number.NaN, Number.NaN, -1, Number.NaN, Number.NaN]))).toBeNull();
  });
  it('k3 estimates KL(logged ‖ model)', () => {
    // Two tokens drawn as often as the logging policy draws them.
    const [p, q] = [0.8, 0.6];
    const draws = Array.from({ length: 1_000 }, (_, index) => index < 800);
    const own = Float32Array.from(draws, (first) => Math.log(first ? p : 1 - p));
    const model = draws.map((first) => Math.log(first ? q : 1 - q));
    const exact = p * Math.log(p / q) + (1 - p) * Math.log((1 - p) / (1 - q));
    expect(agreementOf(own, at(1, model))?.k3).toBeCloseTo(exact, 6);
  });
});

describe('the verdict', () => {
  const shifted = (by: number) => [...logged].map((value) => value + by);
  it.each([
    ['same', 'f32', 0.0009],
    ['near', 'f32', 0.01],
    ['near', 'f32', 0.099],
    ['different', 'f32', 0.2],
    ['same', 'f16', 0.019],
    ['near', 'q4', 0.019],
    ['near', 'f16', 0.05],
  ] as const)('is %s for a %s model off by %d', (verdict, precision, by) => {
    expect(verdictOf(logged, { ...options, precision, scored: [at(1, shifted(by))] }).verdict).toBe(verdict);
  });
  it.each([
    ['q4', 0.05, 'quantised weights'],
    ['f32', 0.01, '16 bits'],
    ['f32', 0.05, 'neighbouring checkpoint, not the policy'],
  ])('says which nearness it is: %s off by %d', (precision, by, words) => {
    expect(verdictOf(logged, { ...options, precision, scored: [at(1, shifted(by))] }).sentence).toContain(words);
  });
  it('names the temperature that fits', () => {
    const found = verdictOf(logged, { ...options, scored: [at(1, shifted(0.4)), at(0.7, shifted(0.0001))] });
    expect(found).toMatchObject({ verdict: 'same', fits: 1 });
    expect(found.sentence).toContain('temperature 0.7');
    expect(found.agreements).toHaveLength(2);
  });
  it('says that nothing is logged', () => {
    expect(verdictOf(null, { ...options, scored: [at(1, shifted(0))] })).toMatchObject({
      verdict: 'not logged',
      fits: -1,
    });
    expect(
      verdictOf(logged, {
        ...options,
        scored: [
          at(
            1,
            [1, 2, 3].map(() => Number.NaN),
          ),
        ],
      }).verdict,
    ).toBe('not logged');
  });
});

describe('outside top-p', () => {
  const probabilities = [0.5, 0.3, 0.15, 0.05];
  const token = (rank: number, seen = 4, temperature = 1) => {
    const powered = probabilities.map((value) => value ** (1 / temperature));
    const sum = powered.reduce((total, value) => total + value, 0);
    return {
      topLogprobs: Float32Array.from(probabilities.slice(0, seen).map(Math.log)),
      own: Math.log(probabilities[rank - 1] ?? 0),
      tempered: Math.log((powered[rank - 1] ?? 0) / sum),
      rank,
    };
  };
  it.each([
    [1, 4, 0.4, false],
    [2, 4, 0.49, true],
    [2, 4, 0.6, false],
    [3, 4, 0.7, true],
    [4, 4, 0.94, true],
    [4, 4, 0.96, false],
    // Beyond the alternatives: their mass decides it, or nothing does.
    [4, 2, 0.7, true],
    [4, 2, 0.9, null],
    [3, 2, 0.9, false],
  ])('rank %i of %i alternatives, top-p %d: %j', (rank, seen, topP, outside) => {
    expect(isOutsideTopP(token(rank, seen), { topP, temperature: 1 })).toBe(outside);
  });
  it('takes the mass at the temperature of the run', () => {
    // At 0.5 the first token alone has 0.68 of it.
    expect(isOutsideTopP(token(2, 4, 0.5), { topP: 0.6, temperature: 0.5 })).toBe(true);
    expect(isOutsideTopP(token(2, 4, 1), { topP: 0.6, temperature: 1 })).toBe(false);
  });
});
