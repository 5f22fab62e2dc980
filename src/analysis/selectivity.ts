// Does the policy use tools where they help? P(right | tool), P(right | no tool), and the tool rate split by prompts that are
// solvable without tools: selectivity is a rate that falls there and stays elsewhere, not a mere decline.
// A prompt counts as solvable when in some step at least 4 of its rollouts made no call and at least 75 % of them are right
// (hindsight, hdpo.md section 3). Most prompts show that only after the policy has begun to answer directly.
// Left out: base models (a log of tool-free samples), drawing.
import type { BootstrapOptions } from './bootstrap.ts';
import { at, type NumberColumn } from './groups.ts';
import { RIGHT, UNKNOWN } from './rewards.ts';
import { stepPlaces } from './stepPlaces.ts';
import { bandsByStep, type Rate, type StepBands, type StepsAndGroups } from './stepBands.ts';

/** Tool-free rollouts of a prompt in one step from which its share of right ones counts. */
export const SOLVABLE_TRIES = 4;

/** Share of right ones among them from which the prompt is solvable without tools. */
export const SOLVABLE_SHARE = 0.75;

/** Codes of `promptClass`: tried often enough in some step and never solvable; solvable; never tried often enough. */
export const PROMPT_CLASS = { unsolved: 0, solvable: 1, undecided: 2 } as const;

/** All rollouts of a run, one entry a rollout. */
export interface SelectivityInput extends StepsAndGroups {
  /** dense ordinal of the prompt over all steps */
  readonly prompt: Uint32Array;
  /** 1 right, 0 wrong, 2 unknown */
  readonly correct: NumberColumn;
  /** T */
  readonly calls: NumberColumn;
}

/** Curves by step. */
export interface Selectivity {
  readonly rightWithTool: StepBands;
  readonly rightWithoutTool: StepBands;
  /** Rollouts with T ≥ 1 / rollouts, of prompts of each class. */
  readonly toolRate: Readonly<Record<keyof typeof PROMPT_CLASS, StepBands>>;
  /** By prompt ordinal. */
  readonly promptClass: Uint8Array;
  readonly prompts: Readonly<Record<keyof typeof PROMPT_CLASS, number>>;
}

/** Computes the curves, O(n) plus the draws. Throws RangeError for columns of different lengths. */
export function selectivityOf(input: SelectivityInput, bootstrap: BootstrapOptions | null): Selectivity {
  const { step, group, prompt, correct, calls } = input;
  for (const column of [step, prompt, correct, calls]) {
    if (column.length !== group.length) throw new RangeError('columns differ in length');
  }
  const promptClass = classify(input);
  const curve = (numerator: Rate['numerator']): StepBands => bandsByStep(input, { numerator }, bootstrap);
  const right = (i: number): number => (at(correct, i) === UNKNOWN ? Number.NaN : Number(at(correct, i) === RIGHT));
  const rateOf = (code: number): StepBands =>
    curve((i) => (at(promptClass, at(prompt, i)) === code ? Number(at(calls, i) > 0) : Number.NaN));
  const countOf = (code: number): number => promptClass.reduce((sum, value) => sum + Number(value === code), 0);
  return {
    rightWithTool: curve((i) => (at(calls, i) > 0 ? right(i) : Number.NaN)),
    rightWithoutTool: curve((i) => (at(calls, i) > 0 ? Number.NaN : right(i))),
    toolRate: {
      unsolved: rateOf(PROMPT_CLASS.unsolved),
      solvable: rateOf(PROMPT_CLASS.solvable),
      undecided: rateOf(PROMPT_CLASS.undecided),
    },
    promptClass,
    prompts: {
      unsolved: countOf(PROMPT_CLASS.unsolved),
      solvable: countOf(PROMPT_CLASS.solvable),
      undecided: countOf(PROMPT_CLASS.undecided),
    },
  };
}

function classify({ step, prompt, correct, calls }: SelectivityInput): Uint8Array {
  const prompts = prompt.reduce((most, ordinal) => Math.max(most, ordinal + 1), 0);
  const promptClass = new Uint8Array(prompts).fill(PROMPT_CLASS.undecided);
  const { steps, place } = stepPlaces(step);
  const tries = new Map<number, { readonly prompt: number; tried: number; right: number }>();
  for (let i = 0; i < prompt.length; i += 1) {
    if (at(calls, i) > 0 || at(correct, i) === UNKNOWN) continue;
    const moment = at(prompt, i) * steps.length + at(place, i);
    const counts = tries.get(moment) ?? { prompt: at(prompt, i), tried: 0, right: 0 };
    if (counts.tried === 0) tries.set(moment, counts);
    counts.tried += 1;
    counts.right += Number(at(correct, i) === RIGHT);
  }
  for (const one of tries.values()) {
    if (one.tried < SOLVABLE_TRIES || promptClass[one.prompt] === PROMPT_CLASS.solvable) continue;
    const solved = one.right / one.tried >= SOLVABLE_SHARE;
    promptClass[one.prompt] = solved ? PROMPT_CLASS.solvable : PROMPT_CLASS.unsolved;
  }
  return promptClass;
}
