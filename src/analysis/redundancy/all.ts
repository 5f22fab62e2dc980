/**
 * The list of redundancy rules that one rollout alone can prove. A new rule is one file and one line here.
 * So far the rule that needs no judgement is in it; the others of hdpo.md section 3 follow in this folder.
 */
import type { Rollout } from '../../model/rollout.ts';
import { refused } from './refused.ts';
import type { Rule } from './rule.ts';

/** All rules, in the order in which their ids are listed for a call. */
export const rules: readonly Rule[] = [refused];

/** Per call (index into `rollout.calls`) the ids of the rules that flag it as certain or likely; hints are left out. */
export function flagCalls(rollout: Rollout): readonly (readonly string[])[] {
  const ids: string[][] = rollout.calls.map(() => []);
  for (const rule of rules) {
    for (const flag of rule.flag(rollout)) if (flag.confidence !== 'hint') ids[flag.call]?.push(flag.rule);
  }
  return ids;
}
