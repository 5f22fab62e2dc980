// Rule `sibling`: a right rollout with T calls, whose siblings were as often right with t < T of them.
// Proves: the policy solved this prompt with fewer calls at the same step, k of n times. Does not prove: that this rollout
// could have, nor which of its calls was one too many (only the number T − t, unless t = 0); never certain.
// A wrong sibling's economy counts against it: the share of right ones decides. Source: hdpo.md section 3.
// Columns in, columns out: it runs over a whole batch while a run is indexed.
import { at, membersOf, type GroupIndex, type NumberColumn } from '../groups.ts';
import { wilsonInterval, type Share } from '../intervals.ts';
import { RIGHT } from '../rewards.ts';

/** Right siblings that are needed. */
export const rightSiblingsNeeded = 2;
/** How much lower their success may be than that of siblings with more calls. */
export const shareMayBeLower = 0.1;
/** Wilson lower bound from which a flag is likely (3 of 3, 5 of 6), below it is a hint; a setting may name another. */
export const usualLikelyFrom = 0.4;

/** What siblings show about one right rollout. */
export interface SiblingVerdict {
  readonly confidence: 'likely' | 'hint';
  /** t: siblings with at most so many calls are the witnesses; 0 = solvable without tools. */
  readonly callsEnough: number;
  /** T − t: calls that the siblings did without. */
  readonly calls: number;
  readonly right: number;
  readonly of: number;
  readonly share: Share;
  /** Siblings with more than t calls; null where there are none. */
  readonly others: Share | null;
}

/** How many rollouts of a group made T calls, and how many of them were right. */
type ByCalls = ReadonlyMap<number, { readonly of: number; readonly right: number }>;

/** Counts a group by T; `members` are indexes into the columns, `correct` as in rewards.ts, `calls` is T. */
export function countByCalls(
  members: Iterable<number>,
  { correct, calls }: { readonly correct: NumberColumn; readonly calls: NumberColumn },
): ByCalls {
  const counts = new Map<number, { of: number; right: number }>();
  for (const member of members) {
    const count = counts.get(at(calls, member)) ?? { of: 0, right: 0 };
    count.of += 1;
    if (at(correct, member) === RIGHT) count.right += 1;
    counts.set(at(calls, member), count);
  }
  return counts;
}

/**
 * The verdict on a right rollout with `own` calls of a group that was counted with it; null where the rule does not hit.
 * The smallest t that is likely, else the smallest t at all.
 */
export function siblingVerdict(own: number, group: ByCalls, likelyFrom = usualLikelyFrom): SiblingVerdict | null {
  const fewer = [...group.keys()].filter((t) => t < own).sort((a, b) => a - b);
  // The rollout itself is no sibling of its own; it is right, and has more than t calls for every t < T.
  const all = { of: -1, right: -1 };
  for (const { of, right } of group.values()) {
    all.of += of;
    all.right += right;
  }
  const lean = { of: 0, right: 0 };
  let hint: SiblingVerdict | null = null;
  for (const t of fewer) {
    lean.of += group.get(t)?.of ?? 0;
    lean.right += group.get(t)?.right ?? 0;
    const share = wilsonInterval(lean.right, lean.of);
    if (lean.right < rightSiblingsNeeded || share === null) continue;
    const others = wilsonInterval(all.right - lean.right, all.of - lean.of);
    if (others !== null && share.share < others.share - shareMayBeLower) continue;
    const confidence = share.low >= likelyFrom ? 'likely' : 'hint';
    const verdict = {
      confidence,
      callsEnough: t,
      calls: own - t,
      right: lean.right,
      of: lean.of,
      share,
      others,
    } as const;
    if (confidence === 'likely') return verdict;
    hint ??= verdict;
  }
  return hint;
}

/**
 * Per rollout the number of calls (T − t) that its siblings likely did without, 0 for none. `groups` is the member index
 * of a batch; O(rollouts + distinct T squared a group).
 */
export function siblingCalls(
  groups: GroupIndex,
  columns: { readonly correct: NumberColumn; readonly calls: NumberColumn },
  likelyFrom = usualLikelyFrom,
): Uint32Array {
  const flagged = new Uint32Array(columns.calls.length);
  for (let group = 0; group + 1 < groups.first.length; group += 1) {
    const members = membersOf(groups, group);
    if (members.length <= rightSiblingsNeeded) continue;
    const counts = countByCalls(members, columns);
    const byCalls = new Map<number, number>();
    for (const member of members) {
      const own = at(columns.calls, member);
      if (own === 0 || at(columns.correct, member) !== RIGHT) continue;
      let known = byCalls.get(own);
      if (known === undefined) {
        const verdict = siblingVerdict(own, counts, likelyFrom);
        known = verdict?.confidence === 'likely' ? verdict.calls : 0;
        byCalls.set(own, known);
      }
      flagged[member] = known;
    }
  }
  return flagged;
}
