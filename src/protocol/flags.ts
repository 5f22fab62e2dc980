/**
 * Redundant calls as they cross from the engine to the host: the flags of one rollout with what a person needs to check
 * them, the patterns of a whole run, the rules' settings, and the user's verdicts. Source: hdpo.md section 3.
 * Leaves out the rules themselves (src/analysis/redundancy).
 */
import type { NamedValue } from '../model/rollout.ts';
import { defaultThresholds, type RuleThresholds } from '../model/ruleThresholds.ts';
import type { RolloutRef, RunId } from './engine.ts';

/** What a person said of a flag. */
export type Verdict = 'confirmed' | 'dismissed';

/** How sure a flag is; only `certain` and `likely` are counted. */
export type FlagConfidence = 'certain' | 'likely' | 'hint';

/** A part of a picture that a call looked at. */
export interface ShownBox {
  readonly call: number;
  /** 0-based picture of the rollout; null where the log does not say which. */
  readonly image: number | null;
  /** Left, top, right, bottom as shares of the picture's width and height, each 0 to 1. */
  readonly box: readonly [number, number, number, number];
}

/** A sibling whose rollout is evidence. */
export interface FlagWitness {
  readonly ref: RolloutRef;
  /** 1-based place in its group. */
  readonly member: number;
  readonly correct: boolean | null;
  readonly calls: number;
}

/** One flag with its evidence, cost and verdict. */
export interface ShownFlag {
  /** Names the flag for ever: a hash of what the rollout says, the call and the rule. */
  readonly id: string;
  /** 0-based index into the rollout's calls; null where only a number of calls is proven. */
  readonly call: number | null;
  /** Calls it counts: 1, or the number that is proven where `call` is null. */
  readonly count: number;
  readonly rule: string;
  readonly confidence: FlagConfidence;
  /** One sentence with its references: "repeats call 1: same code, same result". */
  readonly sentence: string;
  readonly evidence: readonly NamedValue[];
  /** The call (0-based) and the turn the evidence stands in, null where it stands in none. */
  readonly refersTo: number | null;
  readonly refersToTurn: number | null;
  /** At most 16 siblings. */
  readonly witnesses: readonly FlagWitness[];
  /** The parts of pictures that were compared: this call's first. */
  readonly boxes: readonly ShownBox[];
  /** What the flagged call cost; null where not logged, or where `call` is null. */
  readonly latencyMs: number | null;
  readonly characters: number | null;
  readonly verdict: Verdict | null;
}

/** This rollout without its certain and likely calls (r_ans kept: an assumption), siblings as logged. */
export interface Counterfactual {
  /** 0-based calls that are taken away, ascending, and how many in all (more where only a number is proven). */
  readonly without: readonly number[];
  readonly count: number;
  readonly calls: readonly [logged: number, without: number];
  /** Null for a wrong rollout (cost only) and where the group is not indexed. */
  readonly toolReward: readonly [logged: number, without: number] | null;
  readonly toolAdvantage: readonly [logged: number, without: number] | null;
  /** A_tool of this rollout where all members lose their flagged calls; `equalCalls` = no signal is left. */
  readonly groupCleaned: { readonly toolAdvantage: number; readonly equalCalls: boolean } | null;
  /** Wasted: sums over the flagged calls, null where not logged. */
  readonly latencyMs: number | null;
  readonly characters: number;
}

/** All flags of one rollout, hints too, by call and then by rule. */
export interface FlagReport {
  readonly flags: readonly ShownFlag[];
  /** Null where nothing certain or likely is flagged. */
  readonly counterfactual: Counterfactual | null;
  /** Every part of a known picture that a call looked at, flagged or not, by call; at most 200. */
  readonly crops: readonly ShownBox[];
}

/** A frequent waste of a run: one tool, one rule. */
export interface FlagPattern {
  readonly tool: string | null;
  readonly rule: string;
  /** Flagged calls, and rollouts that have one. */
  readonly calls: number;
  readonly rollouts: number;
  readonly firstStep: number;
  readonly lastStep: number;
  readonly latencyMs: number | null;
}

/** What is redundant in a run. */
export interface RedundancyOverview {
  readonly calls: number;
  /** Flagged as certain or likely: per rollout the larger of the two parts below, as in `redundant_call_rate`. */
  readonly flagged: number;
  /** By rules on one rollout, and by siblings; both may flag the same calls. */
  readonly intrinsic: number;
  readonly sibling: number;
  /** Most frequent first, at most 500. */
  readonly patterns: readonly FlagPattern[];
}

/** Flagged calls / calls by step, by rule and by tool; parallel arrays, NaN where a step has no call. */
export interface RedundancyCurves {
  readonly run: RunId;
  readonly step: Int32Array;
  readonly byRule: readonly { readonly rule: string; readonly share: Float64Array }[];
  readonly byTool: readonly { readonly tool: string | null; readonly share: Float64Array }[];
}

/**
 * On, off and thresholds of the rules; the defaults are hdpo.md's. `cropOverlap`, `sharedLinks`, `coveredShare` and
 * `knownShare` are at least 0.5 (`lowestThreshold`): what is below counts as 0.5.
 */
export interface RuleSettings extends RuleThresholds {
  /** Ids of rules that are off. */
  readonly off: readonly string[];
  /** `sibling`: Wilson lower bound from which a flag is likely, 0 to 1. */
  readonly siblingLikelyFrom: number;
}

/** hdpo.md section 3. */
export const defaultRuleSettings: RuleSettings = {
  off: [],
  ...defaultThresholds,
  siblingLikelyFrom: 0.4,
};

/** How often the user agreed with a rule. */
export interface RulePrecision {
  readonly rule: string;
  readonly confirmed: number;
  readonly dismissed: number;
  /** confirmed / both, with its 95 % Wilson interval. */
  readonly precision: number;
  readonly low: number;
  readonly high: number;
}

/** Requests about redundant calls, part of EngineApi. The flags of a rollout come with its transcript. */
export interface FlagsApi {
  redundancy(params: { readonly run: RunId }): RedundancyOverview;
  redundancyCurves(params: { readonly run: RunId }): RedundancyCurves;
  /** Sets, changes or (null) takes back a verdict; `ref` and `path` as for `transcript`. UserError where the flag is gone. */
  setVerdict(params: {
    readonly ref: RolloutRef;
    readonly path: string;
    readonly flag: string;
    readonly verdict: Verdict | null;
  }): null;
  /** Per rule that has a verdict. */
  precision(params: Record<string, never>): readonly RulePrecision[];
  /** Writes all verdicts as JSONL to a file (temporary name, then renamed); gives their number. */
  exportVerdicts(params: { readonly path: string }): number;
  /** Adds the verdicts of a file, later ones win; bad lines are counted. UserError if it cannot be read. */
  importVerdicts(params: { readonly path: string }): { readonly added: number; readonly badLines: number };
  /** Rules for every run, open ones are computed again: `stepsChanged` follows. */
  setRules(params: { readonly rules: RuleSettings }): null;
}
