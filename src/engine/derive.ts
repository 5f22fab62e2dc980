/**
 * From the columns of some steps to what is derived of them: r_acc, r_tool, both advantages (analysis/hdpo.ts) and one
 * row a step (analysis/steps.ts). Pure. Leaves out where columns come from and go to (store/runTable.ts).
 */
import { denseOrdinals } from '../analysis/groups.ts';
import { computeAdvantages } from '../analysis/hdpo.ts';
import { siblingCalls, usualLikelyFrom } from '../analysis/redundancy/sibling.ts';
import { accuracyReward, correctFromReward, RIGHT, UNKNOWN } from '../analysis/rewards.ts';
import { stepRows, type StepAggregates } from '../analysis/steps.ts';
import type { AdvantageColumns, DerivedColumns } from '../store/runTable.ts';

/** What was derived of a batch of whole steps. */
export interface Derived {
  readonly columns: DerivedColumns;
  readonly steps: readonly StepAggregates[];
  /** Rollouts a step whose correctness the reward threshold decided; steps without any are left out. */
  readonly decidedByThreshold: ReadonlyMap<number, number>;
}

/** r_acc of one rollout: from its parts where both are known, else the logged reward; NaN = neither. */
export function accRewardOf(reward: number, answer: number, format: number): number {
  return Number.isNaN(answer) || Number.isNaN(format) ? reward : accuracyReward(answer, format);
}

/**
 * r_acc of all rollouts of a batch; NaN = not known. Where no rollout of a step has a reward, a logged right or wrong is
 * taken for it, 1 or 0 (hdpo.md section 1: r_ans): a step that logs rewards has another scale, of which 1 says nothing.
 */
function accRewardsOf(batch: AdvantageColumns): Float64Array {
  const { count, step, reward, answerReward, formatReward, correctLogged } = batch;
  const accReward = Float64Array.from({ length: count }, (_, i) =>
    accRewardOf(reward[i] ?? Number.NaN, answerReward[i] ?? Number.NaN, formatReward[i] ?? Number.NaN),
  );
  const rewarded = new Set<number>();
  for (let i = 0; i < count; i += 1) if (!Number.isNaN(accReward[i])) rewarded.add(step[i] ?? 0);
  for (let i = 0; i < count; i += 1) {
    const logged = correctLogged[i] ?? UNKNOWN;
    if (logged !== UNKNOWN && !rewarded.has(step[i] ?? 0)) accReward[i] = Number(logged === RIGHT);
  }
  return accReward;
}

/**
 * Derives everything of a batch; of a rollout that logs several outputs only the last one counts, the earlier ones have
 * no advantage of their own (formats.md 2.1: its score is repeated on every output). `siblingLikelyFrom` is the threshold of
 * the rule `sibling`, null where that rule is off.
 */
export function derive(
  batch: AdvantageColumns,
  threshold: number,
  siblingLikelyFrom: number | null = usualLikelyFrom,
): Derived {
  if (!batch.superseded.includes(1)) return deriveAll(batch, threshold, siblingLikelyFrom);
  const kept = Uint32Array.from(batch.superseded.keys()).filter((i) => batch.superseded[i] === 0);
  const { columns, ...rest } = deriveAll(pick(batch, kept), threshold, siblingLikelyFrom);
  return { ...rest, columns: spread(columns, batch, kept) };
}

/** The given rows of a batch, in their order. */
function pick(batch: AdvantageColumns, rows: Uint32Array): AdvantageColumns {
  const of = <Column extends Float64Array | Int32Array | Uint32Array | Uint8Array>(column: Column): Column => {
    const picked = column.slice(0, rows.length) as Column;
    rows.forEach((row, i) => (picked[i] = column[row] ?? 0));
    return picked;
  };
  return {
    count: rows.length,
    key: of(batch.key),
    step: of(batch.step),
    group: of(batch.group),
    reward: of(batch.reward),
    answerReward: of(batch.answerReward),
    formatReward: of(batch.formatReward),
    correctLogged: of(batch.correctLogged),
    loggedAdvantage: of(batch.loggedAdvantage),
    calls: of(batch.calls),
    failedCalls: of(batch.failedCalls),
    redundantCalls: of(batch.redundantCalls),
    masked: of(batch.masked),
    superseded: of(batch.superseded),
    modelTokens: of(batch.modelTokens),
    modelCharacters: of(batch.modelCharacters),
    truncated: of(batch.truncated),
  };
}

/** What was derived of some rows, back at their places; the other rows have their group's sizes and nothing else. */
function spread(derived: DerivedColumns, { count, group }: AdvantageColumns, rows: Uint32Array): DerivedColumns {
  const sizes = new Map(Array.from(rows, (row, i) => [group[row] ?? 0, i]));
  const numbers = (column: Float64Array): Float64Array => {
    const all = new Float64Array(count).fill(Number.NaN);
    rows.forEach((row, i) => (all[row] = column[i] ?? Number.NaN));
    return all;
  };
  const codes = (column: Uint8Array, missing: number): Uint8Array => {
    const all = new Uint8Array(count).fill(missing);
    rows.forEach((row, i) => (all[row] = column[i] ?? missing));
    return all;
  };
  const counts = (column: Uint32Array): Uint32Array => {
    const all = new Uint32Array(count);
    rows.forEach((row, i) => (all[row] = column[i] ?? 0));
    return all;
  };
  const ofGroup = (column: Uint32Array): Uint32Array =>
    Uint32Array.from({ length: count }, (_, row) => column[sizes.get(group[row] ?? 0) ?? 0] ?? 0);
  return {
    correct: codes(derived.correct, UNKNOWN),
    accReward: numbers(derived.accReward),
    toolReward: numbers(derived.toolReward),
    accAdvantage: numbers(derived.accAdvantage),
    toolAdvantage: numbers(derived.toolAdvantage),
    qualifies: codes(derived.qualifies, 0),
    groupSize: ofGroup(derived.groupSize),
    groupQualifying: ofGroup(derived.groupQualifying),
    siblingCalls: counts(derived.siblingCalls),
  };
}

/** Derives a batch in which every record is a rollout; `threshold` is the reward above which a rollout counts as right if the log is silent. */
function deriveAll(batch: AdvantageColumns, threshold: number, siblingLikelyFrom: number | null): Derived {
  const { count } = batch;
  const accReward = accRewardsOf(batch);
  const correct = new Uint8Array(count);
  const decidedByThreshold = new Map<number, number>();
  for (let i = 0; i < count; i += 1) {
    const reward = batch.reward[i] ?? Number.NaN;
    const logged = batch.correctLogged[i] ?? UNKNOWN;
    correct[i] = logged === UNKNOWN ? correctFromReward(reward, threshold) : logged;
    if (logged === UNKNOWN && !Number.isNaN(reward)) {
      const step = batch.step[i] ?? 0;
      decidedByThreshold.set(step, (decidedByThreshold.get(step) ?? 0) + 1);
    }
  }
  const { calls, masked } = batch;
  const { ordinal: group } = denseOrdinals(batch.group);
  const advantages = computeAdvantages({ count, group, accReward, correct, calls, masked }, { normalise: 'std' });
  const { toolReward, accAdvantage, toolAdvantage, qualifies, groupSize, groupQualifying } = advantages;
  const bySiblings =
    siblingLikelyFrom === null
      ? new Uint32Array(count)
      : siblingCalls(advantages.groups.members, { correct, calls }, siblingLikelyFrom);
  return {
    columns: {
      correct,
      accReward,
      toolReward,
      accAdvantage,
      toolAdvantage,
      qualifies,
      groupSize,
      groupQualifying,
      siblingCalls: bySiblings,
    },
    steps: stepRows({ ...batch, accReward, correct, siblingCalls: bySiblings }, { normalise: 'std' }),
    decidedByThreshold,
  };
}
