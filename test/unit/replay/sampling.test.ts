/** Drawing from a row: the distribution is the one asked for, also where the known alternatives do not reach. */
import { describe, expect, test } from 'vitest';
import { drawToken, randomStream, type NextToken, type SamplingRule } from '../../../src/replay/sampling.ts';

/** A row of these probabilities of which `known` most probable ones came from the graph. */
function nextToken(probabilities: readonly number[], known: number, temperature: number): NextToken {
  const row = Float32Array.from(probabilities, Math.log);
  const order = probabilities
    .map((_, id) => id)
    .sort((a, b) => (probabilities[b] ?? 0) - (probabilities[a] ?? 0) || a - b);
  const topIds = Int32Array.from(order.slice(0, known));
  const scale = temperature > 0 ? 1 / temperature : 1;
  return {
    row,
    topIds,
    topLogprobs: Float32Array.from(topIds, (id) => row[id] ?? 0),
    rowSum: row.reduce((sum, value) => sum + Math.exp(value * scale), 0),
  };
}

const probabilities = [0.02, 0.3, 0.05, 0.25, 0.03, 0.2, 0.05, 0.1];
const all: SamplingRule = { temperature: 1, topP: 1, topK: null, banned: new Set() };

/** What the shares must be: computed on the whole distribution. */
function expected(rule: SamplingRule): readonly number[] {
  const tempered = probabilities.map((p, id) => (rule.banned.has(id) ? 0 : p ** (1 / rule.temperature)));
  const sum = tempered.reduce((a, b) => a + b, 0);
  const order = tempered.map((_, id) => id).sort((a, b) => (tempered[b] ?? 0) - (tempered[a] ?? 0) || a - b);
  const kept = new Set<number>();
  let mass = 0;
  for (const id of order) {
    if (kept.size === (rule.topK ?? Infinity) || mass >= rule.topP * sum - 1e-9) break;
    kept.add(id);
    mass += tempered[id] ?? 0;
  }
  return tempered.map((p, id) => (kept.has(id) ? p / mass : 0));
}

const draws = 20_000;

describe.each<[string, Partial<SamplingRule>]>([
  ['everything', {}],
  ['a temperature', { temperature: 0.6 }],
  ['a high temperature', { temperature: 2 }],
  ['top-p', { topP: 0.9 }],
  ['top-k', { topK: 3 }],
  ['top-k beyond the known ones', { topK: 7 }],
  ['both', { topK: 5, topP: 0.7, temperature: 1.5 }],
  ['a ban', { banned: new Set([1, 4]) }],
  ['a ban with top-p', { banned: new Set([1]), topP: 0.8 }],
])('%s', (_, given) => {
  test.each([1, 3, 8])('is drawn rightly with %i alternatives known', (known) => {
    const rule = { ...all, ...given };
    const next = nextToken(probabilities, known, rule.temperature);
    const counts = probabilities.map(() => 0);
    const random = randomStream(5);
    for (let draw = 0; draw < draws; draw++) {
      const { id, logprob } = drawToken(next, rule, random);
      counts[id] = (counts[id] ?? 0) + 1;
      expect(logprob).toBeCloseTo(Math.log(probabilities[id] ?? 0), 5);
    }
    expected(rule).forEach((share, id) => {
      const found = (counts[id] ?? 0) / draws;
      if (share === 0) expect(found).toBe(0);
      // Five standard deviations.
      else expect(Math.abs(found - share)).toBeLessThan(5 * Math.sqrt((share * (1 - share)) / draws));
    });
  });
});

describe('limits', () => {
  const next = nextToken(probabilities, 3, 1);
  test('greedy takes the most probable that is not banned', () => {
    const greedy = { ...all, temperature: 0 };
    expect(drawToken(next, greedy, randomStream(1)).id).toBe(1);
    expect(drawToken(next, { ...greedy, banned: new Set([1, 3, 5]) }, randomStream(1)).id).toBe(7);
  });
  test('a ban of nearly all leaves the rest, with its mass exact', () => {
    const banned = new Set([1, 3, 5, 7, 2, 6, 4]);
    for (const topP of [1, 0.5]) {
      const drawn = drawToken(next, { ...all, topP, banned }, randomStream(2));
      expect(drawn.id).toBe(0);
      expect(drawn.bannedMass).toBeCloseTo(0.98, 5);
    }
  });
  test('a ban of all is an error', () => {
    const banned = new Set(probabilities.keys());
    for (const rule of [all, { ...all, topP: 0.5 }, { ...all, temperature: 0 }]) {
      expect(() => drawToken(next, { ...rule, banned }, randomStream(2))).toThrow(RangeError);
    }
  });
  test('tokens without any probability are never drawn', () => {
    const sparse = nextToken([0.5, 0, 0.5, 0], 1, 1);
    const random = randomStream(3);
    for (let draw = 0; draw < 2000; draw++) expect([0, 2]).toContain(drawToken(sparse, all, random).id);
  });
  test('neighbouring seeds are unrelated', () => {
    const firsts = Array.from({ length: 4000 }, (_, seed) => randomStream(seed)());
    const mean = firsts.reduce((a, b) => a + b, 0) / firsts.length;
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.02);
    const steps = firsts.slice(1).map((value, index) => Math.abs(value - (firsts[index] ?? 0)));
    // Independent uniform numbers are a third apart.
    expect(Math.abs(steps.reduce((a, b) => a + b, 0) / steps.length - 1 / 3)).toBeLessThan(0.02);
  });
});
