/**
 * The thresholds of the redundancy rules that measure something, with their defaults (hdpo.md section 3). An index is built
 * at the lowest ones and keeps what was measured, so that another threshold needs no log to be read again.
 * Data only. Leaves out `sibling`, whose threshold is applied where groups are (analysis/redundancy/sibling.ts).
 */

/** Thresholds, each 0 to 1: what is measured must reach it. */
export interface RuleThresholds {
  /** `near-repeat`: intersection over union of two crops. */
  readonly cropOverlap: number;
  /** `near-repeat`: share of the later result's links that the earlier one had. */
  readonly sharedLinks: number;
  /** `whole-image`: share of the picture that a crop covers. */
  readonly coveredShare: number;
  /** `no-new-information`: share of an observation's 8-grams that was known. */
  readonly knownShare: number;
}

/** What a rule measured for a flag, and the threshold that it reached. */
export interface Measured {
  readonly threshold: keyof RuleThresholds;
  readonly value: number;
}

/** hdpo.md section 3. */
export const defaultThresholds: RuleThresholds = {
  cropOverlap: 0.9,
  sharedLinks: 0.8,
  coveredShare: 0.95,
  knownShare: 0.95,
};

/** No threshold is applied below this: a share of less than half is no sign of repetition, and no index keeps it. */
export const lowestThreshold = 0.5;

/** What an index is built with. */
export const lowestThresholds: RuleThresholds = {
  cropOverlap: lowestThreshold,
  sharedLinks: lowestThreshold,
  coveredShare: lowestThreshold,
  knownShare: lowestThreshold,
};
