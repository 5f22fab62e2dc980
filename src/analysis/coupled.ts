// What if the reward were coupled: one reward r = r_acc + α·x, normalised over the group, beside what HDPO's two channels
// push (docs: hdpo.md section 2, "Coupled reward"). Prepared once, so that a slider costs a pass over groups and one over
// rollouts: mean and variance of r follow from sums that do not depend on α.
// Left out: clipping and lengths (pushes are compared as plain contributions), drawing, texts of ambiguity pairs.
import { DEFAULT_ACC_WEIGHT, DEFAULT_TOOL_WEIGHT } from './contributions.ts';
import { prepareForm, writeScales, type PreparedForm } from './coupledForms.ts';
import { countPairs, findPairs, pairCandidates, type AmbiguityPairs } from './ambiguityPairs.ts';
import { at, indexGroups, type GroupIndex, type NumberColumn } from './groups.ts';
import { stepPlaces, type StepPlaces } from './stepPlaces.ts';

/**
 * How calls enter the one reward: unconditional r = r_acc + α/(T+1) for right and wrong alike (ambiguous), linear
 * r = r_acc − α·T, gated r = r_acc + α·r_tool (never ambiguous).
 */
export type CoupledForm = 'unconditional' | 'linear' | 'gated';

/** Advantages and pushes up to this size count as none (hdpo.md section 2). */
export const NO_PUSH = 1e-6;

/** All rollouts of a run, one entry a rollout in every column. */
export interface CoupledInput {
  readonly step: NumberColumn;
  /** dense ordinal of the group; a group never spans two steps */
  readonly group: Uint32Array;
  /** r_acc; NaN = none */
  readonly accReward: NumberColumn;
  /** 1 right, 0 wrong, 2 unknown */
  readonly correct: NumberColumn;
  /** T */
  readonly calls: NumberColumn;
  /** A_acc and A_tool; NaN = none */
  readonly accAdvantage: NumberColumn;
  readonly toolAdvantage: NumberColumn;
  /** 1 = contributes 0, so it is pushed by neither */
  readonly masked?: NumberColumn;
}

/** What the sliders set. */
export interface CoupledOptions {
  readonly form: CoupledForm;
  /** α ≥ 0, in units of r_acc */
  readonly alpha: number;
  /** default 1 */
  readonly accWeight?: number;
  /** default 0.15 */
  readonly toolWeight?: number;
}

/** Counts of one evaluation. Samples are rollouts with both a coupled and an HDPO push known, masked ones excepted. */
export interface CoupledCounts {
  samples: number;
  /** |A_coupled| and |push| above 1e-6 with opposite signs */
  opposite: number;
  /** push ≠ 0, A_coupled = 0 */
  lost: number;
  /** push = 0, A_coupled ≠ 0 */
  gained: number;
  /** wrong with T = 0 and right with T ≥ 1 in one group, r closer than 0.05 */
  pairs: number;
}

/** The same by step, parallel arrays, ascending by step. */
export interface CoupledSteps {
  readonly step: Float64Array;
  readonly samples: Uint32Array;
  readonly opposite: Uint32Array;
  readonly lost: Uint32Array;
  readonly gained: Uint32Array;
  readonly pairs: Uint32Array;
}

/** One evaluation; its arrays are reused by the next one. */
export interface CoupledResult {
  readonly total: Readonly<CoupledCounts>;
  readonly steps: CoupledSteps;
  /** A_coupled of every rollout; NaN where it has no reward (or, gated, unknown correctness) */
  readonly advantage: Float32Array;
  /** What happens to every rollout: one of the codes below. */
  readonly fate: Uint8Array;
}

/** Codes of `fate`: neither known nor counted, same direction (or both none), opposite, lost, gained. */
export const FATE = { none: 0, same: 1, opposite: 2, lost: 3, gained: 4 } as const;

/** Columns made ready for any α. */
export interface PreparedCoupled {
  /** Arithmetic only: no allocation after the first call of a form. */
  evaluate(options: CoupledOptions): CoupledResult;
  /** The pairs themselves, at most `most`, smallest difference of r first (then by position). */
  pairs(options: CoupledOptions, most: number): AmbiguityPairs;
  /** Correlation of r_acc with the ungated 1/(T+1) within groups, by step (as `steps.step`); NaN where either is constant. */
  readonly correlation: Float64Array;
  /** The same over the whole run. */
  readonly totalCorrelation: number;
  /** Groups of two or more, all right with equal r_acc: there α cancels, whatever it is. */
  readonly alphaCancels: number;
}

/** Prepares columns, O(n). Throws RangeError for columns of different lengths and for group ordinals that are not dense. */
export function prepareCoupled(input: CoupledInput): PreparedCoupled {
  checkLengths(input);
  const members = indexGroups(input.group);
  const places = stepPlaces(input.step);
  const forms = new Map<CoupledForm, PreparedForm>();
  const formOf = (form: CoupledForm): PreparedForm => {
    const known = forms.get(form);
    if (known) return known;
    const made = prepareForm(input, members, form);
    forms.set(form, made);
    return made;
  };
  const candidates = pairCandidates(input, members, places);
  const mixed = correlations(formOf('unconditional'), members, places);
  const result = emptyResult(input, places);
  const scale = new Float64Array(members.first.length - 1);
  const pushes = preparePushes(input);
  return {
    ...mixed,
    alphaCancels: countCancelled(input, members),
    pairs: (options, most) => findPairs({ input, members, candidates }, options, most),
    evaluate: ({ form, alpha, accWeight = DEFAULT_ACC_WEIGHT, toolWeight = DEFAULT_TOOL_WEIGHT }) => {
      const prepared = formOf(form);
      writeScales(prepared, members, { alpha, scale });
      const push = pushes(accWeight, toolWeight);
      countFates({ prepared, group: input.group, place: places.place, push }, { alpha, scale }, result);
      countPairs(candidates, { form, alpha }, result.steps.pairs);
      sumUp(result);
      return result;
    },
  };
}

function checkLengths(input: CoupledInput): void {
  const { group, step, accReward, correct, calls, accAdvantage, toolAdvantage, masked } = input;
  for (const column of [step, accReward, correct, calls, accAdvantage, toolAdvantage, masked]) {
    if (column !== undefined && column.length !== group.length) throw new RangeError('columns differ in length');
  }
}

/** Codes of a direction, times 4 for HDPO's push: none, up, down, not known (or masked). */
const DIRECTION = { none: 0, up: 1, down: 2, unknown: 3 } as const;

/** HDPO's push of every rollout for given weights, as 4 × its direction; made again only when a weight changes. */
function preparePushes({ accAdvantage, toolAdvantage, masked }: CoupledInput) {
  const count = accAdvantage.length;
  const push = new Uint8Array(count);
  let last: readonly [accWeight: number, toolWeight: number] = [Number.NaN, Number.NaN];
  return (accWeight: number, toolWeight: number): Uint8Array => {
    if (last[0] === accWeight && last[1] === toolWeight) return push;
    last = [accWeight, toolWeight];
    // No call and no branch on a sign here either: a weight is a slider too.
    for (let i = 0; i < count; i += 1) {
      const value = accWeight * (accAdvantage[i] ?? Number.NaN) + toolWeight * (toolAdvantage[i] ?? Number.NaN);
      push[i] = 4 * (Number(value > NO_PUSH) + 2 * Number(value < -NO_PUSH) + 3 * Number(value !== value));
    }
    if (masked !== undefined) {
      for (let i = 0; i < count; i += 1) if (masked[i] === 1) push[i] = 4 * DIRECTION.unknown;
    }
    return push;
  };
}

function emptyResult({ group }: CoupledInput, { steps }: StepPlaces): CoupledResult & { total: CoupledCounts } {
  const column = (): Uint32Array => new Uint32Array(steps.length);
  return {
    total: { samples: 0, opposite: 0, lost: 0, gained: 0, pairs: 0 },
    steps: { step: steps, samples: column(), opposite: column(), lost: column(), gained: column(), pairs: column() },
    advantage: new Float32Array(group.length),
    fate: new Uint8Array(group.length),
  };
}

interface Rollouts {
  readonly prepared: PreparedForm;
  readonly group: Uint32Array;
  readonly place: Uint32Array;
  readonly push: Uint8Array;
}

/** The pass over rollouts: plain indexed loops and no branch on a sign, since at 400,000 rollouts a frame is 16 ms. */
function countFates(
  { prepared, group, place, push }: Rollouts,
  { alpha, scale }: { readonly alpha: number; readonly scale: Float64Array },
  { advantage, fate, steps }: CoupledResult,
): void {
  const { reward, extra } = prepared;
  const tally = new Uint32Array(steps.step.length * fateCodes);
  const count = group.length;
  for (let i = 0; i < count; i += 1) {
    const coupled = ((reward[i] ?? 0) + alpha * (extra[i] ?? 0)) * (scale[group[i] ?? 0] ?? 0);
    advantage[i] = coupled;
    const direction = Number(coupled > NO_PUSH) + 2 * Number(coupled < -NO_PUSH) + 3 * Number(coupled !== coupled);
    const code = fateOf[(push[i] ?? 0) + direction] ?? 0;
    fate[i] = code;
    const slot = (place[i] ?? 0) * fateCodes + code;
    tally[slot] = (tally[slot] ?? 0) + 1;
  }
  for (let s = 0; s < steps.step.length; s += 1) {
    const of = (code: number): number => tally[s * fateCodes + code] ?? 0;
    steps.opposite[s] = of(FATE.opposite);
    steps.lost[s] = of(FATE.lost);
    steps.gained[s] = of(FATE.gained);
    steps.samples[s] = of(FATE.same) + of(FATE.opposite) + of(FATE.lost) + of(FATE.gained);
  }
}

const fateCodes = 5;

// Rows: HDPO pushes not, up, down, not known; columns: the same of the coupled reward.
const fateOf = Uint8Array.from([
  ...[FATE.same, FATE.gained, FATE.gained, FATE.none],
  ...[FATE.lost, FATE.same, FATE.opposite, FATE.none],
  ...[FATE.lost, FATE.opposite, FATE.same, FATE.none],
  ...[FATE.none, FATE.none, FATE.none, FATE.none],
]);

function sumUp({ total, steps }: CoupledResult & { total: CoupledCounts }): void {
  const sum = (values: Uint32Array): number => values.reduce((all, value) => all + value, 0);
  total.samples = sum(steps.samples);
  total.opposite = sum(steps.opposite);
  total.lost = sum(steps.lost);
  total.gained = sum(steps.gained);
  total.pairs = sum(steps.pairs);
}

/** Pooled within groups: Σ cov / √(Σ var · Σ var), the deviations being those from the group's own means. */
function correlations(form: PreparedForm, members: GroupIndex, { steps, place }: StepPlaces) {
  const sums = Array.from({ length: 3 }, () => new Float64Array(steps.length));
  const [rewards = new Float64Array(), extras = new Float64Array(), both = new Float64Array()] = sums;
  for (let g = 0; g < members.first.length - 1; g += 1) {
    if (at(form.known, g) < 2) continue;
    const s = at(place, at(members.rollouts, at(members.first, g)));
    rewards[s] = at(rewards, s) + at(form.rewardSquares, g);
    extras[s] = at(extras, s) + at(form.extraSquares, g);
    both[s] = at(both, s) + at(form.products, g);
  }
  const ratio = (product: number, one: number, other: number): number =>
    one > 0 && other > 0 ? product / Math.sqrt(one * other) : Number.NaN;
  const total = sums.map((column) => column.reduce((all, value) => all + value, 0));
  return {
    correlation: both.map((product, s) => ratio(product, at(rewards, s), at(extras, s))),
    totalCorrelation: ratio(at(total, 2), at(total, 0), at(total, 1)),
  };
}

function countCancelled({ correct, accReward }: CoupledInput, { first, rollouts }: GroupIndex): number {
  let groups = 0;
  for (let g = 0; g < first.length - 1; g += 1) {
    const from = at(first, g);
    const end = at(first, g + 1);
    let equal = end - from > 1;
    const one = at(accReward, at(rollouts, from));
    for (let slot = from; slot < end && equal; slot += 1) {
      const i = at(rollouts, slot);
      equal = at(correct, i) === 1 && Math.abs(at(accReward, i) - one) <= NO_PUSH;
    }
    if (equal) groups += 1;
  }
  return groups;
}
