// The same prompts at successive epochs, paired: the k-th time a prompt was sampled against the next time. Curves over steps
// mix a change of the policy with a change of the prompts; a difference within prompts does not.
// Left out: which prompt is which (columns have ordinals), drawing.
import { bootstrapRatio, randomBits, resamplesFor, type BootstrapOptions, type Interval } from './bootstrap.ts';
import { at, type NumberColumn } from './groups.ts';
import { RIGHT, UNKNOWN } from './rewards.ts';

/** All rollouts of a run, one entry a rollout. */
export interface PairedEpochsInput {
  readonly step: NumberColumn;
  /** dense ordinal of the prompt over all steps */
  readonly prompt: Uint32Array;
  /** 1 right, 0 wrong, 2 unknown */
  readonly correct: NumberColumn;
  /** T */
  readonly calls: NumberColumn;
}

/** A mean over prompts before and after, and the mean difference within prompts (its band is over prompts). */
export interface PairedChange {
  readonly before: number;
  readonly after: number;
  readonly change: Interval;
}

/** The k-th sampling of prompts against the next one. */
export interface EpochPair {
  /** 1-based: `epoch` against `epoch + 1` */
  readonly epoch: number;
  /** prompts that have both */
  readonly prompts: number;
  /** first and last step of the earlier and of the later sampling */
  readonly beforeSteps: readonly [first: number, last: number];
  readonly afterSteps: readonly [first: number, last: number];
  readonly accuracy: PairedChange;
  readonly calls: PairedChange;
  readonly toolRate: PairedChange;
}

/** Rollouts of one prompt in one step. */
interface Moment {
  readonly step: number;
  rollouts: number;
  judged: number;
  right: number;
  calls: number;
  withCalls: number;
}

/** Pairs of successive epochs, ascending; none where no prompt comes back. O(n log n) plus the draws. */
export function pairedEpochs(input: PairedEpochsInput, bootstrap: BootstrapOptions): readonly EpochPair[] {
  const moments = momentsByPrompt(input);
  const epochs = moments.reduce((most, of) => Math.max(most, of.length), 0);
  const resamples = resamplesFor(
    moments.reduce((sum, of) => sum + of.length, 0),
    bootstrap.resamples,
  );
  const pairs: EpochPair[] = [];
  for (let k = 0; k + 1 < epochs; k += 1) {
    const both = moments.flatMap((of) => {
      const before = of[k];
      const after = of[k + 1];
      return before !== undefined && after !== undefined ? [{ before, after }] : [];
    });
    const seed = randomBits(bootstrap.seed, k);
    const change = (of: (moment: Moment) => number): PairedChange => changeOf(both, of, { resamples, seed });
    pairs.push({
      epoch: k + 1,
      prompts: both.length,
      beforeSteps: range(both.map(({ before }) => before.step)),
      afterSteps: range(both.map(({ after }) => after.step)),
      accuracy: change(({ right, judged }) => right / judged),
      calls: change(({ calls, rollouts }) => calls / rollouts),
      toolRate: change(({ withCalls, rollouts }) => withCalls / rollouts),
    });
  }
  return pairs;
}

function momentsByPrompt({ step, prompt, correct, calls }: PairedEpochsInput): readonly (readonly Moment[])[] {
  const prompts = prompt.reduce((most, ordinal) => Math.max(most, ordinal + 1), 0);
  const found = Array.from({ length: prompts }, () => new Map<number, Moment>());
  for (let i = 0; i < prompt.length; i += 1) {
    const ofPrompt = found[at(prompt, i)];
    const when = at(step, i);
    const moment = ofPrompt?.get(when) ?? { step: when, rollouts: 0, judged: 0, right: 0, calls: 0, withCalls: 0 };
    moment.rollouts += 1;
    moment.judged += Number(at(correct, i) !== UNKNOWN);
    moment.right += Number(at(correct, i) === RIGHT);
    moment.calls += at(calls, i);
    moment.withCalls += Number(at(calls, i) > 0);
    ofPrompt?.set(when, moment);
  }
  return found.map((ofPrompt) => [...ofPrompt.values()].sort((a, b) => a.step - b.step));
}

function changeOf(
  pairs: readonly { readonly before: Moment; readonly after: Moment }[],
  of: (moment: Moment) => number,
  bootstrap: BootstrapOptions,
): PairedChange {
  // A moment without a known verdict has no accuracy, and its prompt no change.
  const known = pairs
    .map(({ before, after }) => ({ before: of(before), after: of(after) }))
    .filter(({ before, after }) => !Number.isNaN(before) && !Number.isNaN(after));
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const differences = known.map(({ before, after }) => after - before);
  return {
    before: mean(known.map(({ before }) => before)),
    after: mean(known.map(({ after }) => after)),
    change: bootstrapRatio(
      differences,
      differences.map(() => 1),
      bootstrap,
    ),
  };
}

function range(steps: readonly number[]): readonly [first: number, last: number] {
  return [steps.reduce((low, step) => Math.min(low, step)), steps.reduce((high, step) => Math.max(high, step))];
}
