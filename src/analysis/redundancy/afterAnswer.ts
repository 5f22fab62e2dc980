/**
 * Rule `after-answer`: a call after the policy had committed to its answer.
 * Proves: the answer stood in the log before the call (in Metis logs the grader takes the first `<answer>` block, so
 * nothing after it can matter: certain). Does not prove: that the answer was right. A hedged answer followed by a check is
 * a hint named `verification`; an option letter or a number of the question is no commitment. Source: hdpo.md section 3.
 */
import type { Rollout, Turn } from '../../model/rollout.ts';
import { buildFlag, type Rule } from './rule.ts';

const id = 'after-answer';
const statement = /(?:\\boxed\{([^{}]+)\}|\b(?:the )?(?:final )?answer\s*(?:is\b|=|:)\s*\**([^\n.]{1,80}))/iu;
const hedge =
  /\b(?:maybe|perhaps|probably|possibly|might|may be|could be|not (?:sure|certain)|i think|i guess|likely|let me (?:check|verify|confirm|make sure)|let's (?:check|verify|confirm)|double.?check|to be sure|unless|if the answer)\b/iu;

interface Commitment {
  readonly turn: number;
  readonly text: string;
  readonly kind: 'block' | 'stated' | 'hedged';
}

/** Flags calls behind the first commitment: certain in Metis logs, likely elsewhere, a hint where it was hedged. */
export const afterAnswer: Rule = {
  id,
  hintsOnly: false,
  flag: ({ rollout, judged }) => {
    const last = judged.at(-1);
    if (last === undefined) return [];
    const found = firstCommitment(rollout, rollout.calls[last]?.turn ?? -1);
    if (found === null) return [];
    const { turn, text, kind } = found;
    const certain = kind === 'block' && rollout.producer.startsWith('Metis');
    return judged
      .filter((call) => isBehind(rollout, call, found))
      .map((call) =>
        buildFlag({
          call,
          rule: id,
          confidence: kind === 'hedged' ? 'hint' : certain ? 'certain' : 'likely',
          refersToTurn: turn,
          evidence: [{ name: kind === 'hedged' ? 'verification' : 'answer', value: text.slice(0, 160) }],
        }),
      );
  },
};

function isBehind(rollout: Rollout, call: number, { turn, kind }: Commitment): boolean {
  const at = rollout.calls[call]?.turn ?? -1;
  if (at !== turn) return at > turn;
  const parts = rollout.turns[turn]?.parts ?? [];
  const committed = parts.findIndex((part) => (kind === 'block' ? part.kind === 'answer' : says(part)));
  return parts.findIndex((part) => part.kind === 'call' && part.call === call) > committed;
}

function says(part: Turn['parts'][number]): boolean {
  return (part.kind === 'text' || part.kind === 'reasoning') && statement.test(part.text);
}

/** A cheap sign: most reasoning states nothing, and the expression is dear on long texts. */
function mayState(text: string): boolean {
  return text.includes('nswer') || text.includes('NSWER') || text.includes('\\boxed');
}

function firstCommitment(rollout: Rollout, lastTurn: number): Commitment | null {
  for (let turn = 0; turn <= lastTurn; turn += 1) {
    const { role, prompt, parts } = rollout.turns[turn] ?? { role: 'other', prompt: true, parts: [] };
    if (role !== 'policy' || prompt) continue;
    for (const part of parts) {
      if (part.kind === 'answer' && part.text.trim() !== '') return { turn, text: part.text.trim(), kind: 'block' };
      if (part.kind !== 'text' && part.kind !== 'reasoning') continue;
      if (!mayState(part.text)) continue;
      const match = statement.exec(part.text);
      const text = (match?.[1] ?? match?.[2] ?? '').replaceAll(/[*`"']/gu, '').trim();
      if (match === null || text === '' || isCommon(text, rollout.question)) continue;
      return { turn, text, kind: hedge.test(sentenceAround(part.text, match.index)) ? 'hedged' : 'stated' };
    }
  }
  return null;
}

/** An option letter, or a number that the question itself names, is said in passing. */
function isCommon(text: string, question: string): boolean {
  if (/^\(?[A-Ha-h]\)?$/u.test(text)) return true;
  return /^[\d.,]+$/u.test(text) && question.includes(text);
}

/** The sentence a match stands in and what follows it in the same text: "The answer is 4. Let me check." is hedged. */
function sentenceAround(text: string, at: number): string {
  const start = Math.max(text.lastIndexOf('.', at - 1), text.lastIndexOf('\n', at - 1)) + 1;
  return text.slice(start);
}
