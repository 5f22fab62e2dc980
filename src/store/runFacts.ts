/**
 * What the log of a run has and lacks, counted over its table: for the doctor (analysis/doctor.ts). Earlier outputs of a
 * rollout count as the rollouts they are part of do not: they have no advantage to miss.
 * Leaves out what is said of the counts.
 */
import type { Row } from './duckdb.ts';
import type { RunTable } from './runTable.ts';

/** Counts over all rollouts of a run; structurally what DoctorFacts needs of the table. */
export interface RunFacts {
  readonly rollouts: number;
  readonly groups: number;
  readonly inferredGroups: number;
  readonly oddGroups: number;
  /** With a reward, as a total or as its two parts. */
  readonly rewarded: number;
  /** Without one, whose right or wrong was taken for it (engine/derive.ts). */
  readonly rewardFromVerdict: number;
  readonly withAdvantage: number;
  /** Largest |logged − recomputed| by normalisation, NaN without any. */
  readonly advantageDifference: {
    readonly std: number;
    readonly 'std over n': number;
    readonly 'mean only': number;
  };
  readonly withTokens: number;
  readonly images: number;
  readonly imagesCut: number;
  readonly byThreshold: number;
  readonly truthScoredWrong: number;
  /** Steps with groups in which equal answers got different verdicts, ascending, and how many. */
  readonly verdictSteps: Float64Array;
  readonly verdictGroups: Float64Array;
}

/** Counts what the log has. */
export async function runFacts({ database, view }: RunTable, signal?: AbortSignal): Promise<RunFacts> {
  const [counted, grouped, verdicts] = await Promise.all([
    database.rows({ sql: countsQuery(view), signal }),
    database.rows({ sql: groupsQuery(view), signal }),
    database.columns({ sql: verdictsQuery(view), signal }),
  ]);
  const number = (row: Row | undefined, name: string, missing = 0): number => {
    const value = row?.[name];
    return typeof value === 'number' ? value : missing;
  };
  const [counts] = counted;
  const [groups] = grouped;
  return {
    rollouts: number(counts, 'rollouts'),
    groups: number(groups, 'groups'),
    inferredGroups: number(groups, 'inferred'),
    oddGroups: number(groups, 'odd'),
    rewarded: number(counts, 'rewarded'),
    rewardFromVerdict: number(counts, 'from_verdict'),
    withAdvantage: number(counts, 'with_advantage'),
    advantageDifference: {
      std: number(counts, 'std', Number.NaN),
      'std over n': number(counts, 'std_over_n', Number.NaN),
      'mean only': number(counts, 'mean_only', Number.NaN),
    },
    withTokens: number(counts, 'with_tokens'),
    images: number(counts, 'images'),
    imagesCut: number(counts, 'images_cut'),
    byThreshold: number(counts, 'by_threshold'),
    truthScoredWrong: number(counts, 'truth_scored_wrong'),
    verdictSteps: verdicts.number('step'),
    verdictGroups: verdicts.number('groups'),
  };
}

const hasReward = 'reward IS NOT NULL OR (answer_reward IS NOT NULL AND format_reward IS NOT NULL)';

/** A group of one has mean 0 and std 1 (hdpo.md section 2), whatever it is divided by. */
function countsQuery(view: string): string {
  return `WITH deviations AS (
      SELECT *, CASE WHEN group_size > 1
          THEN acc_reward - avg(acc_reward) OVER (PARTITION BY step, group_key) ELSE acc_reward END AS deviation,
        CASE WHEN group_size > 1
          THEN acc_advantage * sqrt(group_size / (group_size - 1.0)) ELSE acc_advantage END AS over_n
      FROM ${view} WHERE NOT (output IS NOT NULL AND acc_reward IS NULL AND reward IS NOT NULL)
    )
    SELECT count(*) AS rollouts, count(*) FILTER (WHERE ${hasReward}) AS rewarded,
      count(*) FILTER (WHERE acc_reward IS NOT NULL AND NOT (${hasReward})) AS from_verdict,
      count(logged_advantage) AS with_advantage,
      max(abs(logged_advantage - acc_advantage)) AS std, max(abs(logged_advantage - over_n)) AS std_over_n,
      max(abs(logged_advantage - deviation)) AS mean_only,
      count(model_tokens) AS with_tokens, sum(images)::BIGINT AS images, sum(images_cut)::BIGINT AS images_cut,
      count(*) FILTER (WHERE correct_logged IS NULL AND reward IS NOT NULL) AS by_threshold,
      count(*) FILTER (WHERE answer_is_truth AND correct = false) AS truth_scored_wrong
    FROM deviations`;
}

/** The usual size is the most frequent one of a step, of two the larger (as questions.ts has it). */
function groupsQuery(view: string): string {
  return `WITH groups AS (
      SELECT step, group_key, bool_or(group_inferred) AS inferred, count(*) AS size FROM ${view} GROUP BY step, group_key
    ), sizes AS (SELECT step, size, count(*) AS times FROM groups GROUP BY step, size),
    usual AS (SELECT step, arg_max(size, (times, size)) AS usual_size FROM sizes GROUP BY step)
    SELECT count(*) AS groups, count(*) FILTER (WHERE inferred) AS inferred,
      count(*) FILTER (WHERE inferred AND size <> usual_size) AS odd
    FROM groups JOIN usual USING (step)`;
}

/** Where the threshold decides, only a reward of exactly 0 counts as wrong: other terms of a reward differ for equal answers. */
function verdictsQuery(view: string): string {
  return `WITH verdicts AS (
      SELECT step, group_key, answer_key,
        CASE WHEN correct_logged IS NOT NULL THEN correct_logged WHEN reward = 0 THEN false WHEN correct THEN true END AS verdict
      FROM ${view} WHERE answer_key IS NOT NULL AND acc_reward IS NOT NULL
    ), mixed AS (
      SELECT DISTINCT step, group_key FROM verdicts WHERE verdict IS NOT NULL
      GROUP BY step, group_key, answer_key HAVING bool_or(verdict) AND NOT bool_and(verdict)
    )
    SELECT step, count(*) AS groups FROM mixed GROUP BY step ORDER BY step`;
}
