// Ambiguity pairs of a coupled reward: in one group a wrong rollout without calls and a right one with calls that get
// almost the same r (docs: hdpo.md section 2, "Coupled reward"). Pairs of a step with equal r_acc and T are counted as
// one entry, so that a slider does not walk over pairs.
// Left out: the texts of a pair, and advantages (coupled.ts).
import type { CoupledForm, CoupledInput } from './coupled.ts';
import { extraOf } from './coupledForms.ts';
import { at, type GroupIndex } from './groups.ts';
import { RIGHT, WRONG } from './rewards.ts';
import type { StepPlaces } from './stepPlaces.ts';

/** r of a pair differs by less than this (hdpo.md section 2), in units of r_acc. */
export const AMBIGUOUS_BELOW = 0.05;

/** Pairs as parallel arrays of positions in the batch. */
export interface AmbiguityPairs {
  /** The wrong rollout with T = 0. */
  readonly wrong: Uint32Array;
  /** The right rollout with T ≥ 1. */
  readonly right: Uint32Array;
  /** r of the wrong one − r of the right one. */
  readonly difference: Float64Array;
}

/** Form and α of a coupled reward. */
export interface CoupledReward {
  readonly form: CoupledForm;
  readonly alpha: number;
}

/** Pairs of one step with the same r_acc of the wrong one, r_acc of the right one and T: parallel arrays. */
export interface PairKinds {
  readonly wrongReward: Float64Array;
  readonly rightReward: Float64Array;
  readonly calls: Uint32Array;
  /** Place of the step. */
  readonly place: Uint32Array;
  readonly pairs: Uint32Array;
}

/** What can be ambiguous at all. */
export interface PairCandidates {
  readonly kinds: PairKinds;
  /** Groups with a wrong rollout without calls and a right one with calls. */
  readonly groups: readonly number[];
}

// Distinct rewards, and distinct rewards with T, fit into 26 bits each, so a pair of them is an exact number.
const kindsAtMost = 2 ** 26;

/** Finds what can be ambiguous, O(n) plus the pairs of different rewards. */
export function pairCandidates(input: CoupledInput, members: GroupIndex, { place }: StepPlaces): PairCandidates {
  const groups: number[] = [];
  const kinds = createKinds();
  const wrong: number[] = [];
  const right: number[] = [];
  for (let g = 0; g < members.first.length - 1; g += 1) {
    membersOfPairs(input, members, { g, wrong, right });
    if (wrong.length === 0 || right.length === 0) continue;
    groups.push(g);
    const s = at(place, at(members.rollouts, at(members.first, g)));
    for (const w of wrong) {
      for (const r of right) kinds.add(at(input.accReward, w), at(input.accReward, r), at(input.calls, r), s);
    }
  }
  return { kinds: kinds.finish(), groups };
}

interface PairMembers {
  readonly g: number;
  readonly wrong: number[];
  readonly right: number[];
}

/** Fills `wrong` and `right` with the members of group g that can be in a pair. */
function membersOfPairs(input: CoupledInput, { first, rollouts }: GroupIndex, { g, wrong, right }: PairMembers): void {
  wrong.length = 0;
  right.length = 0;
  const end = at(first, g + 1);
  for (let slot = at(first, g); slot < end; slot += 1) {
    const i = at(rollouts, slot);
    if (!Number.isFinite(at(input.accReward, i))) continue;
    const correct = at(input.correct, i);
    const calls = at(input.calls, i);
    if (correct === WRONG && calls === 0) wrong.push(i);
    else if (correct === RIGHT && calls > 0) right.push(i);
  }
}

function createKinds() {
  const rewards = new Map<number, number>();
  const rewardsWithCalls = new Map<number, number>();
  const known = new Map<number, number>();
  const columns = { wrongReward: [], rightReward: [], calls: [], place: [], pairs: [] } satisfies Record<
    string,
    number[]
  >;
  const { wrongReward, rightReward, calls, place, pairs }: Record<keyof typeof columns, number[]> = columns;
  let open = -1;
  const idIn = (ids: Map<number, number>, value: number): number => {
    const id = ids.get(value) ?? ids.size;
    if (id === ids.size) ids.set(value, id);
    return id;
  };
  return {
    add: (wrong: number, right: number, sent: number, s: number): void => {
      // Groups of one step follow each other; where they do not, a kind has several entries, which add up.
      if (s !== open) known.clear();
      open = s;
      const withCalls = idIn(rewardsWithCalls, idIn(rewards, right) * kindsAtMost + sent);
      const key = idIn(rewards, wrong) * kindsAtMost + withCalls;
      const kind = known.get(key);
      if (kind !== undefined) {
        pairs[kind] = (pairs[kind] ?? 0) + 1;
        return;
      }
      known.set(key, pairs.length);
      wrongReward.push(wrong);
      rightReward.push(right);
      calls.push(sent);
      place.push(s);
      pairs.push(1);
    },
    finish: (): PairKinds => ({
      wrongReward: Float64Array.from(wrongReward),
      rightReward: Float64Array.from(rightReward),
      calls: Uint32Array.from(calls),
      place: Uint32Array.from(place),
      pairs: Uint32Array.from(pairs),
    }),
  };
}

/** Writes the number of ambiguous pairs of each step. */
export function countPairs({ kinds }: PairCandidates, reward: CoupledReward, ofStep: Uint32Array): void {
  ofStep.fill(0);
  const { wrongReward, rightReward, calls, place, pairs } = kinds;
  const { wrongExtra, rightExtra } = extrasOf(reward, calls);
  for (let k = 0; k < pairs.length; k += 1) {
    const difference = (wrongReward[k] ?? 0) + wrongExtra - (rightReward[k] ?? 0) - (rightExtra[calls[k] ?? 0] ?? 0);
    if (!(Math.abs(difference) < AMBIGUOUS_BELOW)) continue;
    const s = place[k] ?? 0;
    ofStep[s] = (ofStep[s] ?? 0) + (pairs[k] ?? 0);
  }
}

/** α·x of the wrong one, and of the right one by T. */
function extrasOf({ form, alpha }: CoupledReward, calls: Uint32Array) {
  const mostCalls = calls.reduce((most, value) => Math.max(most, value), 0);
  return {
    wrongExtra: alpha * extraOf(form, WRONG, 0),
    rightExtra: Float64Array.from({ length: mostCalls + 1 }, (_, sent) => alpha * extraOf(form, RIGHT, sent)),
  };
}

/** Where the pairs are to be found. */
export interface PairSource {
  readonly input: CoupledInput;
  readonly members: GroupIndex;
  readonly candidates: PairCandidates;
}

/** The pairs of a reward, smallest difference first and then by position, at most `most`. */
export function findPairs(
  { input, members, candidates }: PairSource,
  reward: CoupledReward,
  most: number,
): AmbiguityPairs {
  const { wrongExtra, rightExtra } = extrasOf(reward, candidates.kinds.calls);
  const differenceOf = (wrongReward: number, rightReward: number, calls: number): number =>
    wrongReward + wrongExtra - rightReward - at(rightExtra, calls);
  const largest = largestShown(candidates.kinds, differenceOf, most);
  const pairs: { readonly wrong: number; readonly right: number; readonly difference: number }[] = [];
  const wrong: number[] = [];
  const right: number[] = [];
  for (const g of candidates.groups) {
    membersOfPairs(input, members, { g, wrong, right });
    for (const w of wrong) {
      for (const r of right) {
        const difference = differenceOf(at(input.accReward, w), at(input.accReward, r), at(input.calls, r));
        if (Math.abs(difference) <= largest) pairs.push({ wrong: w, right: r, difference });
      }
    }
  }
  pairs.sort((a, b) => Math.abs(a.difference) - Math.abs(b.difference) || a.wrong - b.wrong || a.right - b.right);
  const shown = pairs.slice(0, Math.max(0, most));
  return {
    wrong: Uint32Array.from(shown, (pair) => pair.wrong),
    right: Uint32Array.from(shown, (pair) => pair.right),
    difference: Float64Array.from(shown, (pair) => pair.difference),
  };
}

/** The |difference| up to which at least `most` pairs lie, so that no more need to be sorted; −1 where none is ambiguous. */
function largestShown(
  { wrongReward, rightReward, calls, pairs }: PairKinds,
  differenceOf: (wrongReward: number, rightReward: number, calls: number) => number,
  most: number,
): number {
  const ambiguous: { readonly size: number; readonly pairs: number }[] = [];
  pairs.forEach((count, k) => {
    const size = Math.abs(differenceOf(at(wrongReward, k), at(rightReward, k), at(calls, k)));
    if (size < AMBIGUOUS_BELOW) ambiguous.push({ size, pairs: count });
  });
  ambiguous.sort((a, b) => a.size - b.size);
  let seen = 0;
  for (const one of ambiguous) {
    seen += one.pairs;
    if (seen >= most) return one.size;
  }
  return ambiguous.at(-1)?.size ?? -1;
}
