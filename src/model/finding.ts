/**
 * What the doctor says about a log: something it lacks or says oddly, what was done about it, and what to add to the
 * trainer. Leaves out how it is found (analysis/doctor.ts) and notes on single lines (note.ts).
 */

/** What a finding is about; stable, since scripts read it (`describe --json` prints it as `doctor-<code>`). */
export type FindingCode =
  | 'group-inferred'
  | 'group-size-odd'
  | 'advantage-not-logged'
  | 'advantage-differs'
  | 'tokens-not-logged'
  | 'images-cut'
  | 'threshold-used'
  | 'step-not-logged'
  | 'reward-not-logged'
  | 'reward-from-verdict'
  | 'answer-equals-truth-scored-wrong'
  | 'equal-answers-different-verdicts';

/** One finding. */
export interface Finding {
  readonly code: FindingCode;
  /** `warning` where numbers may be wrong because of it. */
  readonly severity: 'information' | 'warning';
  /** What the log lacks and what was done about it: "no uid: groups inferred from equal prompts, 3 ambiguous". */
  readonly sentence: string;
  /** Lines to add to the trainer, at most a handful; empty where nothing can be added. */
  readonly fix: readonly string[];
}
