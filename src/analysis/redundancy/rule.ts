/**
 * The interface of a redundancy rule. A rule looks at the calls of one rollout and flags some; hdpo.md section 3 defines
 * each. Its file's header says what it proves, what it does not, and its source.
 * Leaves out sibling rules, which look at a group and run over columns.
 */
import type { NamedValue } from '../../model/rollout.ts';
import type { CallFacts } from './callFacts.ts';
import type { Measured, RuleThresholds } from '../../model/ruleThresholds.ts';

/** How sure a flag is; only `certain` and `likely` count in `redundant_calls`. */
export type Confidence = 'certain' | 'likely' | 'hint';

/** One flagged call with what a person needs to check it. */
export interface Flag {
  /** Index into `rollout.calls`. */
  readonly call: number;
  readonly rule: string;
  readonly confidence: Confidence;
  /** The call this one repeats or follows from, null where the evidence is the call itself. */
  readonly refersTo: number | null;
  /** The turn the evidence stands in where that is no call (the committed answer), else null. */
  readonly refersToTurn: number | null;
  /** What was measured or compared: IoU, share of links, why it is only likely. */
  readonly evidence: readonly NamedValue[];
  /** What had to reach a threshold; null for a rule without one. */
  readonly measured: Measured | null;
}

/** A rule that one rollout alone can prove. */
export interface Rule {
  readonly id: string;
  /** True for a rule that never gives more than a hint: indexing leaves it out, since hints are not counted. */
  readonly hintsOnly: boolean;
  flag(facts: CallFacts, thresholds: RuleThresholds): readonly Flag[];
}

/** A flag as a rule knows it: no reference and no evidence unless given. */
export function buildFlag(draft: Pick<Flag, 'call' | 'rule' | 'confidence'> & Partial<Flag>): Flag {
  return {
    call: draft.call,
    rule: draft.rule,
    confidence: draft.confidence,
    refersTo: draft.refersTo ?? null,
    refersToTurn: draft.refersToTurn ?? null,
    evidence: draft.evidence ?? [],
    measured: draft.measured ?? null,
  };
}
