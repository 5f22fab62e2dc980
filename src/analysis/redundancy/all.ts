/**
 * The list of redundancy rules that one rollout alone can prove. A new rule is one file and one line here.
 * Leaves out `sibling`, which needs the group, and `replay`, which needs a model (hdpo.md section 3).
 */
import type { Rollout } from '../../model/rollout.ts';
import { afterAnswer } from './afterAnswer.ts';
import { blindRetry } from './blindRetry.ts';
import { callFacts } from './callFacts.ts';
import { echo } from './echo.ts';
import { nearRepeat } from './nearRepeat.ts';
import { noNewInformation } from './noNewInformation.ts';
import { refused } from './refused.ts';
import { repeat } from './repeat.ts';
import type { Flag, Rule } from './rule.ts';
import { subsumed } from './subsumed.ts';
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

/** Every flag of every rule, hints too, by call and then in the order of the rules. */
export function flagRollout(rollout: Rollout): readonly Flag[] {
  const facts = callFacts(rollout);
  if (facts.judged.length === 0) return [];
  return rules.flatMap((rule) => rule.flag(facts)).sort((a, b) => a.call - b.call);
}

/** Per call (index into `rollout.calls`) the ids of the rules that flag it as certain or likely; hints are left out. */
export function flagCalls(rollout: Rollout): readonly (readonly string[])[] {
  const ids: string[][] = rollout.calls.map(() => []);
  const facts = callFacts(rollout);
  if (facts.judged.length === 0) return ids;
  for (const rule of rules) {
    if (rule.hintsOnly) continue;
    for (const flag of rule.flag(facts)) if (flag.confidence !== 'hint') ids[flag.call]?.push(flag.rule);
  }
  return ids;
}
