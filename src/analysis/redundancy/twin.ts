/**
 * Rule `twin`: equal read-only calls in one turn.
 * Proves: the policy asked the same twice before it could have seen any answer.
 * Does not prove: anything about calls whose tool may change something. Source: hdpo.md section 3.
 */
import { buildFlag, type Rule } from './rule.ts';

/** Flags, as certain, every call after the first of equal read-only calls in one turn. */
export const twin: Rule = {
  id: 'twin',
  hintsOnly: false,
  flag: (facts) =>
    facts.judged.length < 2
      ? []
      : facts.series().flatMap((series) =>
          series.flatMap((call, at) => {
            const earlier = series[at - 1];
            const sameTurn =
              earlier !== undefined && facts.rollout.calls[earlier]?.turn === facts.rollout.calls[call]?.turn;
            return sameTurn && facts.onlyReads(call)
              ? [buildFlag({ call, rule: 'twin', confidence: 'certain', refersTo: earlier })]
              : [];
          }),
        ),
};
