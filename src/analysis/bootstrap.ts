// 95 % bootstrap intervals over groups: rollouts of one prompt share its difficulty, so whole groups are drawn again, never
// single rollouts. Deterministic: the numbers come from a counter and a seed that the caller names (invariant 3).
// Source: B. Efron, Annals of Statistics 7 (1979), 1–26 (percentile interval); clusters as in Field & Welsh, JRSS B 69 (2007).
// Left out: which sums belong to a group (stepBands.ts and the charts' own files).
import { at, type NumberColumn } from './groups.ts';

/** How a bootstrap draws. */
export interface BootstrapOptions {
  /** any whole number; equal seeds give equal intervals */
  readonly seed: number;
  /** default 1,000, fewer where that would draw more than 4 million groups, at least 200 */
  readonly resamples?: number;
}

/** A number with its 95 % interval; `low` and `high` are NaN where fewer than two groups count. */
export interface Interval {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

const drawsAtMost = 4_000_000;
const fewestResamples = 200;
const usualResamples = 1_000;
const golden = 0x9e3779b1;

/**
 * 32 random bits out of a seed and a counter: murmur3's finaliser over seed + counter·0x9E3779B1, a bijection of the counter
 * for each seed. Source: A. Appleby, MurmurHash3 (public domain). Good enough to draw groups, not for secrets.
 */
export function randomBits(seed: number, counter: number): number {
  let bits = (Math.imul(counter, golden) + seed) | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

/**
 * Σ numerator / Σ denominator with its interval, groups drawn with replacement. A group whose numerator is NaN or whose
 * denominator is 0 is left out. NaN in all three where nothing counts.
 */
export function bootstrapRatio(
  numerator: NumberColumn,
  denominator: NumberColumn,
  { seed, resamples = usualResamples }: BootstrapOptions,
): Interval {
  const { numerators, denominators, count } = counting(numerator, denominator);
  const value = sum(numerators) / sum(denominators);
  if (count < 2) return { value, low: Number.NaN, high: Number.NaN };
  const times = resamplesFor(count, resamples);
  const ratios = new Float64Array(times);
  // A stream of its own for every seed, so that neighbouring seeds do not draw the same groups one later.
  const stream = randomBits(seed, 0x5eed);
  const share = count / 2 ** 32;
  let counter = 0;
  for (let k = 0; k < times; k += 1) {
    let above = 0;
    let below = 0;
    for (let draw = 0; draw < count; draw += 1) {
      counter += 1;
      const g = Math.floor(randomBits(stream, counter) * share);
      above += numerators[g] ?? 0;
      below += denominators[g] ?? 0;
    }
    ratios[k] = above / below;
  }
  ratios.sort();
  return { value, low: quantile(ratios, 0.025), high: quantile(ratios, 0.975) };
}

/** Resamples for so many groups in all: as wanted, but at most 4 million draws, and never below 200 (or what is wanted). */
export function resamplesFor(groups: number, wanted: number = usualResamples): number {
  return Math.min(wanted, Math.max(fewestResamples, Math.floor(drawsAtMost / Math.max(1, groups))));
}

function counting(numerator: NumberColumn, denominator: NumberColumn) {
  const numerators = new Float64Array(numerator.length);
  const denominators = new Float64Array(numerator.length);
  let count = 0;
  for (let g = 0; g < numerator.length; g += 1) {
    const below = at(denominator, g);
    if (!(below > 0) || Number.isNaN(at(numerator, g))) continue;
    numerators[count] = at(numerator, g);
    denominators[count] = below;
    count += 1;
  }
  return { numerators: numerators.subarray(0, count), denominators: denominators.subarray(0, count), count };
}

function sum(values: Float64Array): number {
  return values.reduce((all, value) => all + value, 0);
}

/** Linear between the two nearest of ascending values. */
function quantile(ascending: Float64Array, share: number): number {
  const place = share * (ascending.length - 1);
  const below = Math.floor(place);
  const low = at(ascending, below);
  return low + (place - below) * (at(ascending, Math.min(below + 1, ascending.length - 1)) - low);
}
