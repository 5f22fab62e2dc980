/**
 * From the columns of some steps to what is derived of them: r_acc, r_tool, both advantages (analysis/hdpo.ts) and one
 * row a step (analysis/steps.ts). Pure. Leaves out where columns come from and go to (store/runTable.ts).
 */
import { denseOrdinals } from '../analysis/groups.ts';
import { computeAdvantages } from '../analysis/hdpo.ts';
import { accuracyReward, correctFromReward, UNKNOWN } from '../analysis/rewards.ts';
import { stepRows } from '../analysis/steps.ts';
import type { StepRow } from '../protocol/engine.ts';
import type { AdvantageColumns, DerivedColumns } from '../store/runTable.ts';

/** What was derived of a batch of whole steps. */
export interface Derived {
  readonly columns: DerivedColumns;
  readonly steps: readonly StepRow[];
  /** Rollouts a step whose correctness the reward threshold decided; steps without any are left out. */
  readonly decidedByThreshold: ReadonlyMap<number, number>;
}

/** r_acc of one rollout: from its parts where both are known, else the logged reward; NaN = neither. */
export function accRewardOf(reward: number, answer: number, format: number): number {
  return Number.isNaN(answer) || Number.isNaN(format) ? reward : accuracyReward(answer, format);
}

/** Derives everything of a batch; `threshold` is the reward above which a rollout counts as right if the log is silent. */
export function derive(batch: AdvantageColumns, threshold: number): Derived {
  const { count } = batch;
  const accReward = new Float64Array(count);
  const correct = new Uint8Array(count);
  const decidedByThreshold = new Map<number, number>();
  for (let i = 0; i < count; i += 1) {
    const reward = batch.reward[i] ?? Number.NaN;
    accReward[i] = accRewardOf(reward, batch.answerReward[i] ?? Number.NaN, batch.formatReward[i] ?? Number.NaN);
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
    },
    steps: stepRows({ ...batch, accReward, correct }, { normalise: 'std' }),
    decidedByThreshold,
  };
}
