/**
 * The groups of one step as the sums of its values count them: how many are judged and right, the calls of the right ones,
 * equal rewards. Pure. Leaves out which of them count (stepValues.ts). Definitions: src/analysis/hdpo.ts.
 */
import { denseOrdinals, indexGroups, membersOf, type GroupIndex } from '../../src/analysis/groups.ts';
import { RIGHT, UNKNOWN } from '../../src/analysis/rewards.ts';
import { numberText } from '../../src/base/numberText.ts';
import type { RowsOfStep } from './stepValues.ts';

/** Rewards that differ by no more are equal (hdpo.ts). */
const equalWithin = 1e-6;

/** One group of a step. */
export interface GroupOfStep {
  readonly rows: Uint32Array;
  /** Rollouts with a reward; those of known correctness among them; and the right ones: |Q|. */
  readonly rewarded: number;
  readonly judged: number;
  readonly right: number;
  /** Two or more rewards, all equal. */
  readonly equalReward: boolean;
  /** T of the right ones; Infinity and −Infinity without any. */
  readonly leastCalls: number;
  readonly mostCalls: number;
}

/** The members of the step's groups, as places from its first row. */
export function memberIndex({ columns, begin, end }: Pick<RowsOfStep, 'columns' | 'begin' | 'end'>): GroupIndex {
  return indexGroups(denseOrdinals(columns.group?.subarray(begin, end) ?? new Uint32Array(0)).ordinal);
}

/** The groups in the order of the log. */
export function groupsOfStep(of: Pick<RowsOfStep, 'columns' | 'begin' | 'end'>): readonly GroupOfStep[] {
  const index = memberIndex(of);
  return Array.from({ length: index.first.length - 1 }, (_, ordinal) =>
    groupOf(
      of,
      membersOf(index, ordinal).map((place) => of.begin + place),
    ),
  );
}

function groupOf({ columns }: Pick<RowsOfStep, 'columns'>, rows: Uint32Array): GroupOfStep {
  const { correct, calls, accReward } = columns;
  const rewarded = rows.filter((row) => !Number.isNaN(accReward?.[row] ?? NaN));
  const rewards = Array.from(rewarded, (row) => accReward?.[row] ?? NaN);
  const rightCalls = Array.from(
    rewarded.filter((row) => correct?.[row] === RIGHT),
    (row) => calls?.[row] ?? 0,
  );
  return {
    rows,
    judged: rewarded.filter((row) => (correct?.[row] ?? UNKNOWN) !== UNKNOWN).length,
    right: rightCalls.length,
    rewarded: rewards.length,
    equalReward: rewards.length > 1 && Math.max(...rewards) - Math.min(...rewards) <= equalWithin,
    leastCalls: Math.min(...rightCalls),
    mostCalls: Math.max(...rightCalls),
  };
}

/** "9 of 16 right, T 0 to 2 in Q". */
export function groupWords({ rows, right, leastCalls, mostCalls }: GroupOfStep): string {
  const range =
    leastCalls === mostCalls ? numberText(leastCalls) : `${numberText(leastCalls)} to ${numberText(mostCalls)}`;
  return `${right} of ${rows.length} right${right === 0 ? '' : `, T ${range} in Q`}`;
}
