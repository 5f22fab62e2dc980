/**
 * Per-rollout columns as they cross from the engine through the host to the charts page, in chunks of at most 1 MB, and
 * the questions that a mark answers when it is chosen. JSON plus typed arrays; numbers that may be missing are NaN.
 * Leaves out per-step curves (engine.ts) and what is computed of columns (src/analysis, in the page).
 */
import type { RolloutRow, RunId } from './engine.ts';

/** Columns of all rollouts of a run, in the order step, file, row; arrays are parallel. */
export interface SampleColumns {
  /** Names the rollout for `rowsOf`; unique in the run while it is open. */
  readonly key: Float64Array;
  readonly step: Int32Array;
  /** Dense ordinal of the group in the run, by step and first appearance. */
  readonly group: Uint32Array;
  /** Dense ordinal of the prompt in the run: groups of the same prompt at several steps share it. */
  readonly prompt: Uint32Array;
  /** 0 wrong, 1 right, 2 not known. */
  readonly correct: Uint8Array;
  /** T */
  readonly calls: Uint16Array;
  readonly failedCalls: Uint16Array;
  /** Flagged by rules on this rollout alone, certain or likely. */
  readonly redundantCalls: Uint16Array;
  /** r_acc */
  readonly accReward: Float32Array;
  readonly accAdvantage: Float32Array;
  readonly toolAdvantage: Float32Array;
  /** The trainer's own advantage where logged. */
  readonly loggedAdvantage: Float32Array;
  /** L: tokens inside the response mask; characters of model text where the log has no tokens (`lengthIsEstimate`). */
  readonly length: Float32Array;
  /** 1 = no loss: contributes 0. */
  readonly masked: Uint8Array;
  /** 1 = ended by a length or turn limit, 0 = not, 2 = not logged. */
  readonly truncated: Uint8Array;
}

/** Name of a column. */
export type SampleColumn = keyof SampleColumns;

/** Some rows of the columns that were asked for. */
export interface SamplesPage {
  readonly run: RunId;
  /** Index of the first row here, and how many the run has. */
  readonly first: number;
  readonly total: number;
  /** Changes whenever a row of the run did; pages of different versions do not fit together. */
  readonly version: number;
  readonly lengthIsEstimate: boolean;
  readonly columns: Partial<SampleColumns>;
}

/** Requests about single rollouts, part of EngineApi and, through the host, of ChartsHostApi. */
export interface SamplesApi {
  /** Rows from `first` on, as many as fit into 1 MB. */
  samples(params: {
    readonly run: RunId;
    readonly columns: readonly SampleColumn[];
    readonly first: number;
  }): SamplesPage;
  /** At most 500 rollouts by key, in the given order; keys that are gone are left out. */
  rowsOf(params: { readonly run: RunId; readonly keys: Float64Array }): readonly RolloutRow[];
}
