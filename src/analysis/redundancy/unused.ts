/**
 * Rule `unused`: nothing specific to an observation appears in any later text of the policy.
 * Proves: no number, name or rare word that the observation brought was written again.
 * Does not prove: that it was not thought of, or that a "nothing there" did not help: never more than a hint.
 * Source: hdpo.md section 3.
 */
import type { CallFacts } from './callFacts.ts';
import { specificTokens } from './observationText.ts';
import { buildFlag, type Rule } from './rule.ts';

/** Fewer new tokens than this say nothing about use. */
const newTokensNeeded = 3;

/** Flags, as a hint, calls whose observation left no trace in what the policy wrote later. */
export const unused: Rule = {
  id: 'unused',
  hintsOnly: true,
  flag: (facts) =>
    facts.judged.flatMap((call) => {
      const fresh = freshTokens(facts, call);
      if (fresh.size < newTokensNeeded) return [];
      const later = specificTokens(laterText(facts, call));
      if (later.size === 0 || [...fresh].some((token) => later.has(token))) return [];
      return [
        buildFlag({ call, rule: 'unused', confidence: 'hint', evidence: [{ name: 'new_words', value: fresh.size }] }),
      ];
    }),
};

function freshTokens({ rollout, seen }: CallFacts, index: number): ReadonlySet<string> {
  const call = rollout.calls[index];
  // What a picture showed cannot be looked for in a text.
  if (call !== undefined && call.images.length > 0) return new Set();
  if (!call || (call.outcome !== 'ok' && call.outcome !== 'unknown')) return new Set();
  const before = rollout.turns
    .slice(0, call.turn + 1)
    .flatMap(({ parts }) =>
      parts.map((part) =>
        'text' in part ? part.text : part.kind === 'call' ? (rollout.calls[part.call]?.raw ?? '') : '',
      ),
    );
  const known = specificTokens(before.join('\n'));
  return new Set([...specificTokens(seen(index))].filter((token) => !known.has(token) && token.length > 2));
}

function laterText({ rollout }: CallFacts, index: number): string {
  const after = rollout.calls[index]?.turn ?? rollout.turns.length;
  const texts = rollout.turns
    .slice(after + 1)
    .flatMap(({ role, parts }) =>
      role === 'policy'
        ? parts.map((part) =>
            'text' in part ? part.text : part.kind === 'call' ? (rollout.calls[part.call]?.raw ?? '') : '',
          )
        : [],
    );
  return texts.join('\n');
}
