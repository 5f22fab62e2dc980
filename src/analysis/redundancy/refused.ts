/**
 * Rule `refused`: the tool itself says that the call was a repeat and was not executed.
 * Proves: the tool server blocked the call (Metis: `metrics.deduplicated: true` on a second image_search).
 * Does not prove: that a call the server did execute was needed. Source: hdpo.md section 3; formats.md 1.4.
 */
import type { Call } from '../../model/rollout.ts';
import { buildFlag, type Rule } from './rule.ts';

/** Flags, as certain, every sent call whose tool answered "already done" instead of doing it again. */
export const refused: Rule = {
  id: 'refused',
  hintsOnly: false,
  flag: ({ rollout, judged }) =>
    judged
      .filter((index) => rollout.calls[index]?.outcome === 'refused')
      .map((call) =>
        buildFlag({ call, rule: 'refused', confidence: 'certain', refersTo: earlierCall(rollout.calls, call) }),
      ),
};

function earlierCall(calls: readonly Call[], index: number): number | null {
  const tool = calls[index]?.tool;
  for (let earlier = index - 1; earlier >= 0; earlier--) if (calls[earlier]?.tool === tool) return earlier;
  return null;
}
