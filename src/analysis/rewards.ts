// The rewards of one rollout: r_ans, r_fmt, r_acc and r_tool (docs: hdpo.md section 1).
// Source: Metis, arXiv 2604.08545, and its public reward manager (Accio-Lab/Metis @ 84fd45e). Where text and code
// differ the code wins, because the code wrote the logs.
// Left out: everything that needs the group (hdpo.ts) and how a dumped sum splits into the two (model/metisScore.ts).

/** Weight of the judged answer in r_acc, unitless (Metis reward manager). */
export const ANSWER_WEIGHT = 0.9;

/** Weight of the format check in r_acc, unitless (Metis reward manager). */
export const FORMAT_WEIGHT = 0.1;

/** The reward above which a rollout of another trainer counts as right, where no correctness is logged (hdpo.md section 1). */
export const DEFAULT_CORRECT_THRESHOLD = 0.5;

/** Codes of the `correct` column: 0 wrong, 1 right, 2 unknown. */
export const WRONG = 0;
/** Code of a right rollout in the `correct` column. */
export const RIGHT = 1;
/** Code of a rollout in the `correct` column of which the log does not say whether it is right. */
export const UNKNOWN = 2;

/**
 * r_acc = 0.9·r_ans + 0.1·r_fmt, in float64 (a dump holds the same rounded to float32). Arguments 0 or 1, result 0…1.
 * Source: Metis reward manager, hdpo.md section 1.
 */
export function accuracyReward(answer: number, format: number): number {
  return ANSWER_WEIGHT * answer + FORMAT_WEIGHT * format;
}

/**
 * r_tool = 1/(T+1) for a right rollout and 0 for a wrong one; NaN where `correct` is 2 (unknown). `calls` is T, every
 * call sent, failed ones too. A right rollout without calls has 1. Source: Metis reward manager, hdpo.md section 1.
 */
export function toolReward(correct: number, calls: number): number {
  if (correct === RIGHT) return 1 / (calls + 1);
  return correct === WRONG ? 0 : Number.NaN;
}

/**
 * The `correct` code (0, 1 or 2) of a rollout whose log has a reward but no correctness: right where reward > threshold,
 * unknown where the reward is NaN. The view has to say which threshold was used. Source: hdpo.md section 1.
 */
export function correctFromReward(reward: number, threshold: number = DEFAULT_CORRECT_THRESHOLD): 0 | 1 | 2 {
  if (Number.isNaN(reward)) return UNKNOWN;
  return reward > threshold ? RIGHT : WRONG;
}
