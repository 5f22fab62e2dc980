/**
 * The group view and the biography of a prompt as they cross from the engine through the host to the charts page.
 * Leaves out per-rollout columns (samples.ts) and the contribution of a member, which the page computes of its columns
 * (a member's `key` names its row there).
 */
import type { Page, RolloutRef, RolloutRow, RunId } from './engine.ts';

/** One rollout of a group with everything that its column in the group view shows. */
export interface GroupViewMember {
  /** As in SampleColumns. */
  readonly key: number;
  readonly row: RolloutRow;
  /** r_ans and r_fmt; null where the log neither has nor implies them. */
  readonly answerReward: number | null;
  readonly formatReward: number | null;
  /** True: counts in mean and std, contributes 0. */
  readonly masked: boolean;
  /** w_acc·A_acc + w_tool·A_tool with the published weights (1 and 0.15), 0 if masked; null without an advantage. */
  readonly push: number | null;
}

/** All rollouts of one prompt in one step, and the sums their advantages come from (hdpo.md section 2). */
export interface GroupView {
  readonly run: RunId;
  readonly step: number;
  /** The group's key, as in RolloutRow.group. */
  readonly group: string;
  readonly question: string;
  /** G, also where not all members fit into the message. */
  readonly size: number;
  /** |Q| */
  readonly qualifying: number;
  readonly accMean: number | null;
  readonly accStd: number | null;
  readonly toolMean: number | null;
  readonly toolStd: number | null;
  /** True where equal rewards (or equal T in Q) make the advantage exactly 0. */
  readonly accEqual: boolean;
  readonly toolEqual: boolean;
  /** Members by file and row, as many as fit into 1 MB (at most 500). */
  readonly members: readonly GroupViewMember[];
}

/** One rollout in the biography of its prompt. */
export interface BiographyRollout {
  readonly key: number;
  readonly ref: RolloutRef;
  readonly correct: boolean | null;
  /** T */
  readonly calls: number;
  readonly accReward: number | null;
  readonly accAdvantage: number | null;
  readonly toolAdvantage: number | null;
}

/** One step in which a prompt was sampled. */
export interface BiographyMoment {
  readonly step: number;
  /** Key of the group there; differs from step to step where the log gives each group a new id. */
  readonly group: string;
  readonly size: number;
  readonly correct: number;
  /** |Q| */
  readonly qualifying: number;
  readonly callsMean: number;
  /** By file and row, at most 64. */
  readonly rollouts: readonly BiographyRollout[];
}

/** What tells prompts apart over runs, from a prompt ordinal on. */
export interface PromptKeysPage {
  readonly run: RunId;
  /** Ordinal of the first key here, and how many prompts the run has. */
  readonly first: number;
  readonly total: number;
  /** As in SamplesPage: ordinals are those of the columns with this version. */
  readonly version: number;
  /** Equal prompts have equal keys in all runs of one engine. */
  readonly keys: Float64Array;
}

/** Requests about prompts, part of EngineApi and, through the host, of ChartsHostApi. */
export interface GroupViewApi {
  /** A group by step and key. UserError if it is gone. */
  groupOf(params: { readonly run: RunId; readonly step: number; readonly key: string }): GroupView;
  /** Keys of the prompts from ordinal `first` on, as many as fit into 1 MB. */
  promptKeys(params: { readonly run: RunId; readonly first: number }): PromptKeysPage;
  /** Every step in which the prompt of this group was sampled, ascending, from index `first` on, as many as fit into 1 MB. */
  biography(params: {
    readonly run: RunId;
    readonly step: number;
    readonly key: string;
    readonly first: number;
  }): Page<BiographyMoment>;
}
