/**
 * The interface of a curation filter. A filter looks at all rows and decides each; its file's header says what it drops,
 * what it cannot tell, and its source. Leaves out the order of filters and the funnel (funnel.ts).
 */
import type { NamedValue } from '../../model/rollout.ts';
import { countText } from '../../base/numberText.ts';
import type { CurationData } from './facts.ts';

/** Verdicts on a row. */
export const keep = 0;
export const drop = 1;
/** Could not be told: kept. */
export const undecided = 2;

/** Thresholds and choices; structurally protocol's CurationConfig. */
export interface FilterSettings {
  readonly onlyUnrecovered: boolean;
  readonly toolFreeSamples: number;
  readonly toolFreeShare: number;
  readonly judgeThreshold: number;
  readonly nearDuplicate: number;
  readonly leastRollouts: number;
  readonly keepEfficiencySignal: boolean;
  readonly startStep: number | null;
  readonly contextTokens: number | null;
  readonly forbiddenImports?: readonly string[];
}

/** What a filter decided: verdicts by row, and where a row depends on another one (a duplicate), that row's index, else −1. */
export interface Decision {
  readonly verdicts: Uint8Array;
  readonly other: Int32Array | null;
}

/** Why a row is dropped. */
export interface DropReason {
  /** A sentence. */
  readonly reason: string;
  readonly evidence: readonly NamedValue[];
}

/** A row that was dropped. */
export interface DroppedRow {
  readonly row: number;
  readonly decision: Decision;
}

/** One filter. */
export interface Filter<Id extends string = string> {
  readonly id: Id;
  /** True where a verdict depends on which other rows are kept. */
  readonly comparesRows: boolean;
  /** Verdicts on all rows; only rows with `present[row] = 1` are looked at where rows are compared (null: all). */
  decide(data: CurationData, settings: FilterSettings, present: Uint8Array | null): Decision;
  /** What was checked and what not: a sentence. */
  coverage(data: CurationData, settings: FilterSettings, decision: Decision): string;
  reason(data: CurationData, settings: FilterSettings, dropped: DroppedRow): DropReason;
}

/** A decision for each row by itself. */
export function decideEach(count: number, verdictOf: (row: number) => number): Decision {
  const verdicts = new Uint8Array(count);
  for (let row = 0; row < count; row += 1) verdicts[row] = verdictOf(row);
  return { verdicts, other: null };
}

/** Rows with a verdict. */
export function countOf({ verdicts }: Decision, verdict: number): number {
  let count = 0;
  for (const one of verdicts) if (one === verdict) count += 1;
  return count;
}

/** What came of a judge: "judged: 12", or that there was none, or no answer of it. */
export function judgedText(scores: Float32Array, judgeAsked: boolean): string {
  const judged = scores.reduce((count, score) => (Number.isNaN(score) ? count : count + 1), 0);
  if (judged > 0) return `judged: ${countText(judged)}`;
  return judgeAsked ? 'a judge was asked, but gave no answer that counts' : 'no judge was asked';
}

/** Sum of a column. */
export function total(column: Uint8Array | Uint16Array | Uint32Array): number {
  let sum = 0;
  for (const value of column) sum += value;
  return sum;
}
