/**
 * Rule `refused`: the tool itself says that the call was a repeat and was not executed.
 * Proves: the tool server blocked the call (Metis: `metrics.deduplicated: true` on a second image_search).
 * Does not prove: that a call the server did execute was needed. A call that a person, a permission or a block list
 * refused is no repeat and never flagged. Source: hdpo.md section 3; formats.md 1.4.
 */
import type { Call } from '../../model/rollout.ts';
import { buildFlag, type Rule } from './rule.ts';

/** How a tool, or the reader of its log, says that it had been asked before. */
const saysRepeated = /\brepeat|duplicat|\balready\b|\b(?:asked|called|done|searched|seen) before\b|\bsame call\b/iu;

/** Flags, as certain, every sent call whose tool answered "already done" instead of doing it again. */
export const refused: Rule = {
  id: 'refused',
  hintsOnly: false,
  flag: ({ rollout, judged }) =>
    judged
      .filter((index) => isRefusedAsRepeat(rollout.calls[index]))
      .map((call) =>
        buildFlag({ call, rule: 'refused', confidence: 'certain', refersTo: earlierCall(rollout.calls, call) }),
      ),
};

function isRefusedAsRepeat(call: Call | undefined): boolean {
  return call?.outcome === 'refused' && saysRepeated.test(`${call.failure ?? ''}\n${call.observation}`);
}

function earlierCall(calls: readonly Call[], index: number): number | null {
  const tool = calls[index]?.tool;
  for (let earlier = index - 1; earlier >= 0; earlier--) if (calls[earlier]?.tool === tool) return earlier;
  return null;
}
