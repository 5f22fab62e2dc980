/**
 * The interface of a redundancy rule. A rule looks at one rollout and flags calls; hdpo.md section 3 defines each.
 * Leaves out sibling rules, which look at a group and run over columns.
 */
import type { Rollout } from '../../model/rollout.ts';

/** How sure a flag is; only `certain` and `likely` count in `redundant_calls`. */
export type Confidence = 'certain' | 'likely' | 'hint';

/** One flagged call. */
export interface Flag {
  /** Index into `rollout.calls`. */
  readonly call: number;
  readonly rule: string;
  readonly confidence: Confidence;
  /** The call this one repeats or follows from, null where the evidence is the call itself. */
  readonly refersTo: number | null;
}

/** A rule that one rollout alone can prove. */
export interface Rule {
  readonly id: string;
  flag(rollout: Rollout): readonly Flag[];
}
