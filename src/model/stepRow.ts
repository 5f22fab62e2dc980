/**
 * One training step as a row of aggregates: what analysis/ computes, the engine answers and the command line prints.
 * Leaves out formulas and units (analysis/steps.ts has a list of them).
 */

/** Per-step aggregates; names and meaning are those of the command line's `steps` (DESIGN.md). */
export interface StepRow {
  readonly step: number;
  readonly rollouts: number;
  readonly groups: number;
  readonly accuracy: number | null;
  readonly reward_mean: number | null;
  readonly calls_mean: number | null;
  readonly tool_rate: number | null;
  readonly redundant_call_rate: number | null;
  readonly acc_advantage_abs: number | null;
  readonly tool_advantage_abs: number | null;
  readonly qualifying_share: number | null;
  readonly efficiency_signal_share: number | null;
  readonly effective_w_tool: number | null;
  readonly failed_call_rate: number | null;
  readonly dead_accuracy_groups: number | null;
  readonly dead_efficiency_groups: number | null;
}
