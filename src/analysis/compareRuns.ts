// Which prompts changed most between two runs: ranked by the lower bound of the 95 % interval of the change, since by the
// change itself the list would be of prompts that were sampled twice. Shares have Newcombe's interval (two Wilson intervals),
// means of T a normal one whose variance is moderated by that of all prompts, so that two equal T do not look like certainty.
// Source: R. Newcombe, Statistics in Medicine 17 (1998), 873–890, method 10; moderation as in G. Smyth, SAGMB 3 (2004).
// Left out: which prompt is which over runs (the engine's prompt keys), texts.
import { at, type NumberColumn } from './groups.ts';
import { wilsonInterval } from './intervals.ts';
import { RIGHT, UNKNOWN } from './rewards.ts';

/** What of a prompt is compared: share of right rollouts, share with a call, mean T. */
export type ComparedMeasure = 'accuracy' | 'toolRate' | 'calls';

/** All rollouts of a run, one entry a rollout. */
export interface ComparedRun {
  readonly step: NumberColumn;
  /** dense ordinal of the prompt in the run */
  readonly prompt: Uint32Array;
  /** by prompt ordinal: a number that equal prompts of both runs share */
  readonly promptKey: NumberColumn;
  /** 1 right, 0 wrong, 2 unknown */
  readonly correct: NumberColumn;
  /** T */
  readonly calls: NumberColumn;
}

/** What is compared, and where. */
export interface CompareOptions {
  readonly measure: ComparedMeasure;
  /** First and last step (inclusive) that count in both runs; default all */
  readonly steps?: readonly [first: number, last: number];
  /** Only these count; default all */
  readonly moments?: SharedMoments | null;
}

/** By prompt key, the steps in which both runs sampled it. */
export type SharedMoments = ReadonlyMap<number, ReadonlySet<number>>;

/** Share of the moments of the run with fewer from which two runs are compared step by step. */
const enoughShared = 0.5;

/**
 * Prompts and steps that both runs have, where they were trained on the same prompts in the same order; null where not, so
 * that all steps are compared. A run that logs every third step is compared with those steps of the other: else a
 * change would be that of the training time.
 */
export function sharedMoments(first: ComparedRun, second: ComparedRun): SharedMoments | null {
  const [one, other] = [stepsByKey(first), stepsByKey(second)];
  const shared = new Map<number, ReadonlySet<number>>();
  for (const [key, steps] of one) {
    const both = new Set([...steps].filter((step) => other.get(key)?.has(step) === true));
    if (both.size > 0) shared.set(key, both);
  }
  const count = (moments: SharedMoments): number => [...moments.values()].reduce((sum, { size }) => sum + size, 0);
  return count(shared) >= enoughShared * Math.min(count(one), count(other)) ? shared : null;
}

function stepsByKey({ step, prompt, promptKey }: ComparedRun): ReadonlyMap<number, Set<number>> {
  const steps = new Map<number, Set<number>>();
  for (let i = 0; i < prompt.length; i += 1) {
    const key = at(promptKey, at(prompt, i));
    const known = steps.get(key);
    if (known) known.add(at(step, i));
    else steps.set(key, new Set([at(step, i)]));
  }
  return steps;
}

/** One prompt in both runs. */
export interface PromptChange {
  readonly key: number;
  /** Ordinals in the first and in the second run. */
  readonly prompts: readonly [number, number];
  /** Rollouts that count. */
  readonly counts: readonly [number, number];
  readonly values: readonly [number, number];
  /** second − first, with its 95 % interval */
  readonly change: number;
  readonly low: number;
  readonly high: number;
  /** lower bound of |change|: 0 where the interval holds 0 */
  readonly least: number;
}

/** Prompts that both runs have, the surest change first; ties by size of the change and then by key. O(n log n). */
export function changedPrompts(
  first: ComparedRun,
  second: ComparedRun,
  options: CompareOptions,
): readonly PromptChange[] {
  const before = sumsByKey(first, options);
  const after = sumsByKey(second, options);
  const variance = pooledVariance([...before.values(), ...after.values()]);
  const changes: PromptChange[] = [];
  for (const [key, one] of before) {
    const other = after.get(key);
    if (other === undefined || one.count === 0 || other.count === 0) continue;
    changes.push(changeOf(key, one, { other, measure: options.measure, variance }));
  }
  return changes.sort((a, b) => b.least - a.least || Math.abs(b.change) - Math.abs(a.change) || a.key - b.key);
}

interface Sums {
  readonly prompt: number;
  count: number;
  sum: number;
  squares: number;
}

function sumsByKey(run: ComparedRun, { measure, steps, moments = null }: CompareOptions): ReadonlyMap<number, Sums> {
  const sums = new Map<number, Sums>();
  const [first = Number.NEGATIVE_INFINITY, last = Number.POSITIVE_INFINITY] = steps ?? [];
  for (let i = 0; i < run.prompt.length; i += 1) {
    const step = at(run.step, i);
    if (step < first || step > last) continue;
    const value = valueOf(measure, at(run.correct, i), at(run.calls, i));
    if (Number.isNaN(value)) continue;
    const prompt = at(run.prompt, i);
    const key = at(run.promptKey, prompt);
    if (moments !== null && moments.get(key)?.has(step) !== true) continue;
    const of = sums.get(key) ?? { prompt, count: 0, sum: 0, squares: 0 };
    of.count += 1;
    of.sum += value;
    of.squares += value * value;
    sums.set(key, of);
  }
  return sums;
}

function valueOf(measure: ComparedMeasure, correct: number, calls: number): number {
  switch (measure) {
    case 'accuracy':
      return correct === UNKNOWN ? Number.NaN : Number(correct === RIGHT);
    case 'toolRate':
      return Number(calls > 0);
    case 'calls':
      return calls;
  }
}

/** Squares of the deviations from a prompt's own mean. */
function spreadOf({ count, sum, squares }: Sums): number {
  return Math.max(0, squares - (sum * sum) / count);
}

function pooledVariance(all: readonly Sums[]): number {
  const freedom = all.reduce((sum, { count }) => sum + count - 1, 0);
  return freedom === 0 ? 0 : all.reduce((sum, one) => sum + spreadOf(one), 0) / freedom;
}

/** Degrees of freedom that the variance of all prompts counts for beside a prompt's own. */
const priorFreedom = 2;
const z95 = 1.959963984540054;

interface Other {
  readonly other: Sums;
  readonly measure: ComparedMeasure;
  readonly variance: number;
}

function changeOf(key: number, one: Sums, { other, measure, variance }: Other): PromptChange {
  const values = [one.sum / one.count, other.sum / other.count] as const;
  const change = values[1] - values[0];
  const { low, high } = measure === 'calls' ? meanInterval(one, other, variance) : shareInterval(one, other);
  const least = change > 0 ? Math.max(0, low) : Math.max(0, -high);
  const prompts = [one.prompt, other.prompt] as const;
  return { key, prompts, counts: [one.count, other.count], values, change, low, high, least };
}

function meanInterval(one: Sums, other: Sums, variance: number) {
  const errorOf = (of: Sums): number =>
    (spreadOf(of) + priorFreedom * variance) / (of.count - 1 + priorFreedom) / of.count;
  const change = other.sum / other.count - one.sum / one.count;
  const half = z95 * Math.sqrt(errorOf(one) + errorOf(other));
  return { low: change - half, high: change + half };
}

function shareInterval(one: Sums, other: Sums) {
  const before = wilsonInterval(one.sum, one.count);
  const after = wilsonInterval(other.sum, other.count);
  if (before === null || after === null) return { low: Number.NaN, high: Number.NaN };
  const change = after.share - before.share;
  return {
    low: change - Math.hypot(after.share - after.low, before.high - before.share),
    high: change + Math.hypot(after.high - after.share, before.share - before.low),
  };
}
