/**
 * Rule `unused`: nothing specific to an observation appears in any later text of the policy.
 * Proves: no number, name or rare word that the observation brought was written again, as it stood or without its gaps.
 * Does not prove: that it was not thought of, or that a "nothing there" did not help: never more than a hint. A call that
 * may have changed something is never flagged: its effect was wanted, not its words. Source: hdpo.md section 3.
 */
import { isObject } from '../../base/json.ts';
import type { Rollout, Turn } from '../../model/rollout.ts';
import type { CallFacts } from './callFacts.ts';
import { specificTokens } from './observationText.ts';
import { buildFlag, type Rule } from './rule.ts';
import { searchOf } from './searchQuery.ts';
import { isCodeTool, isShellTool } from './toolKinds.ts';

/** Fewer new tokens than this say nothing about use. */
const newTokensNeeded = 3;
/** Letters and digits from which a word is no chance hit in a text without its gaps ("p i c o" read as "pico"). */
const squeezedNeeded = 8;
/** Characters of an observation that are looked through for them. */
const longestSqueezed = 20_000;
/** Shorter names of fields ("name", "type") are said of anything. */
const fieldNameNeeded = 8;

/** Flags, as a hint, calls whose observation left no trace in what the policy wrote later. */
export const unused: Rule = {
  id: 'unused',
  hintsOnly: true,
  flag: (facts) => {
    if (!facts.judged.some((call) => facts.onlyReads(call))) return [];
    const written = wordsOf(facts.rollout);
    // The calls of a row ask for each other: each is worked out once.
    const known = new Map<number, Use>();
    const use = (call: number): Use => {
      const found = known.get(call) ?? useOf(facts, call, written);
      known.set(call, found);
      return found;
    };
    return facts.judged.flatMap((call) => {
      if (!facts.onlyReads(call)) return [];
      const { fresh, isUsed } = use(call);
      if (isUsed !== false || rowOf(facts, call).some((other) => use(other).isUsed === true)) return [];
      return [buildFlag({ call, rule: 'unused', confidence: 'hint', evidence: [{ name: 'new_words', value: fresh }] })];
    });
  },
};

interface Words {
  /**
   * Word → first turn that has it. The system prompt is left out: it explains what "basic_economy" means, not that this
   * ticket is one.
   */
  readonly first: ReadonlyMap<string, number>;
  /** Word → last turn in which the policy wrote it. */
  readonly last: ReadonlyMap<string, number>;
  readonly lastTurn: number;
}

function wordsOf(rollout: Rollout): Words {
  const first = new Map<string, number>();
  const last = new Map<string, number>();
  let lastTurn = -1;
  for (const [index, turn] of rollout.turns.entries()) {
    if (turn.role === 'system') continue;
    const words = tokensOf(textOf(rollout, turn));
    for (const word of words) {
      if (!first.has(word)) first.set(word, index);
      if (turn.role === 'policy') last.set(word, index);
    }
    if (turn.role === 'policy' && words.size > 0) lastTurn = index;
  }
  return { first, last, lastTurn };
}

interface Use {
  /** Words that the observation brought. */
  readonly fresh: number;
  /** Null where the observation says too little, or nothing was written after it. */
  readonly isUsed: boolean | null;
}

function useOf({ rollout, seen }: CallFacts, index: number, { first, last, lastTurn }: Words): Use {
  const call = rollout.calls[index];
  // What a picture showed cannot be looked for in a text.
  if (!call || call.images.length > 0 || (call.outcome !== 'ok' && call.outcome !== 'unknown'))
    return { fresh: 0, isUsed: null };
  const isKnown = (word: string): boolean => (first.get(word) ?? Infinity) <= call.turn;
  const isWritten = (word: string): boolean => (last.get(word) ?? -1) > call.turn;
  const fresh = [...tokensOf(seen(index))].filter((word) => word.length > 2 && !isKnown(word));
  if (fresh.length < newTokensNeeded || lastTurn <= call.turn) return { fresh: fresh.length, isUsed: null };
  if ([...fresh, ...fieldNames(seen(index))].some(isWritten)) return { fresh: fresh.length, isUsed: true };
  const squeezed = squeeze(seen(index).slice(0, longestSqueezed));
  const isSpelt = [...last.keys()].some(
    (word) => word.length >= squeezedNeeded && isWritten(word) && !isKnown(word) && squeezed.includes(squeeze(word)),
  );
  return { fresh: fresh.length, isUsed: isSpelt };
}

/**
 * The other look-ups of the row a call stands in: one tool asked for one thing after the other (five bookings, to find the
 * one that is meant). What was ruled out by reading it is not named again. Queries and code are questions of their own.
 */
function rowOf({ rollout, judged }: CallFacts, call: number): readonly number[] {
  const { tool = null, arguments: given = null } = rollout.calls[call] ?? {};
  if (isCodeTool(tool) || isShellTool(tool) || !isObject(given) || searchOf(given) !== null) return [];
  const names = Object.keys(given).sort().join();
  const isSame = (other: number | undefined): boolean => {
    const one = rollout.calls[other ?? -1];
    return one?.tool === tool && isObject(one.arguments) && Object.keys(one.arguments).sort().join() === names;
  };
  const at = judged.indexOf(call);
  let [first, last] = [at, at];
  while (isSame(judged[first - 1])) first -= 1;
  while (isSame(judged[last + 1])) last += 1;
  return judged.slice(first, last + 1).filter((other) => other !== call);
}

function textOf({ calls }: Rollout, { parts }: Turn): string {
  return parts
    .map((part) => ('text' in part ? part.text : part.kind === 'call' ? (calls[part.call]?.raw ?? '') : ''))
    .join('\n');
}

/** Specific words, and the parts of those that are put together: "basic_economy" is used by "basic economy" too. */
function tokensOf(text: string): ReadonlySet<string> {
  const tokens = new Set<string>();
  for (const token of specificTokens(text)) {
    tokens.add(token);
    if (/[_.-]/u.test(token)) for (const part of specificTokens(token.replaceAll(/[_.-]+/gu, ' '))) tokens.add(part);
  }
  return tokens;
}

/** Names of the fields of a record: who speaks of the "insurance" read it, though its value is a mere "no". */
function fieldNames(observation: string): readonly string[] {
  if (!observation.startsWith('{')) return [];
  try {
    const record: unknown = JSON.parse(observation);
    return isObject(record) ? Object.keys(record).filter((name) => name.length >= fieldNameNeeded) : [];
  } catch {
    return [];
  }
}

function squeeze(text: string): string {
  return text.toLowerCase().replaceAll(/[^\p{L}\p{N}]+/gu, '');
}
