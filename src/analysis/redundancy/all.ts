/**
 * The list of redundancy rules that one rollout alone can prove. A new rule is one file and one line here.
 * Leaves out `sibling`, which needs the group, and `replay`, which needs a model (hdpo.md section 3).
 */
import type { Rollout } from '../../model/rollout.ts';
import { afterAnswer } from './afterAnswer.ts';
import { blindRetry } from './blindRetry.ts';
import { callFacts, type CallFacts } from './callFacts.ts';
import { echo } from './echo.ts';
import { nearRepeat } from './nearRepeat.ts';
import { noNewInformation } from './noNewInformation.ts';
import { refused } from './refused.ts';
import { repeat } from './repeat.ts';
import type { Flag, Rule } from './rule.ts';
import { subsumed } from './subsumed.ts';
import { defaultThresholds, lowestThresholds, type RuleThresholds } from '../../model/ruleThresholds.ts';
import { twin } from './twin.ts';
import { unused } from './unused.ts';
import { wholeImage } from './wholeImage.ts';

/** All rules, in the order in which their ids are listed for a call: what is proven before what is likely. */
export const rules: readonly Rule[] = [
  repeat,
  twin,
  blindRetry,
  refused,
  echo,
  afterAnswer,
  nearRepeat,
  wholeImage,
  subsumed,
  noNewInformation,
  unused,
];

/** Raised whenever a rule flags other calls than before: an index of an older version is built again. */
export const rulesVersion = 3;

/** Rules that are on, and their thresholds. */
export interface RuleChoice extends RuleThresholds {
  /** Ids of rules that are off. */
  readonly off: readonly string[];
}

/** All rules with the thresholds of hdpo.md. */
export const allRules: RuleChoice = { off: [], ...defaultThresholds };

/** Every flag of every rule that is on, hints too, by call and then in the order of the rules. */
export function flagRollout(rollout: Rollout, choice: RuleChoice = allRules): readonly Flag[] {
  return flagFacts(callFacts(rollout), choice);
}

/** The same for facts that are at hand: they remember what was parsed. */
export function flagFacts(facts: CallFacts, choice: RuleChoice = allRules): readonly Flag[] {
  if (facts.judged.length === 0) return [];
  const on = rules.filter(({ id }) => !choice.off.includes(id));
  return on.flatMap((rule) => rule.flag(facts, choice)).sort((a, b) => a.call - b.call);
}

/** Per call (index into `rollout.calls`) the ids of the rules that flag it as certain or likely; hints are left out. */
export function flagCalls(rollout: Rollout): readonly (readonly string[])[] {
  return measureCalls(rollout).map(({ rules: ids }) => ids);
}

/** What an index keeps of a call: enough to apply other settings without the log. */
export interface CallFlags {
  /** Ids of the rules that flag it as certain or likely with the thresholds of hdpo.md. */
  readonly rules: readonly string[];
  /** What was measured by threshold, from the lowest threshold on; the largest where there are several. */
  readonly measured: Partial<Readonly<Record<keyof RuleThresholds, number>>>;
}

const unflagged: CallFlags = { rules: [], measured: {} };

/** Per call what an index keeps; hints are left out. */
export function measureCalls(rollout: Rollout): readonly CallFlags[] {
  const all: CallFlags[] = rollout.calls.map(() => unflagged);
  if (all.length === 0) return all;
  const facts = callFacts(rollout);
  if (facts.judged.length === 0) return all;
  for (const rule of rules) {
    if (rule.hintsOnly) continue;
    for (const { call, rule: id, confidence, measured } of rule.flag(facts, lowestThresholds)) {
      const known = all[call];
      if (known === undefined || confidence === 'hint') continue;
      const reached = measured === null || measured.value >= defaultThresholds[measured.threshold];
      const values =
        measured === null
          ? known.measured
          : {
              ...known.measured,
              [measured.threshold]: Math.max(measured.value, known.measured[measured.threshold] ?? 0),
            };
      const ids = reached && !known.rules.includes(id) ? [...known.rules, id] : known.rules;
      all[call] = { rules: ids, measured: values };
    }
  }
  return all;
}
