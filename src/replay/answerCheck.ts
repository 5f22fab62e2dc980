/**
 * Whether an answer is right, as the run's own grader would say it: exact, normalised or numeric equality with the ground
 * truth, whichever agrees best with what was logged for the run's recorded answers. Also where in a text the answer stands.
 * Pure. Leaves out graders that run code or ask a model: the calibration then shows how far the check can be trusted.
 */
import type { Json } from '../base/json.ts';
import type { BranchResult, RecordedAnswer } from '../protocol/replay.ts';

/** How answers are compared, strictest first. */
export type AnswerRule = 'exact' | 'normalised' | 'number';

/** A check and how it did on the run's own answers. */
export interface AnswerCheck {
  readonly rule: AnswerRule;
  readonly calibration: BranchResult['calibration'];
  isRight(answer: string, groundTruth: string): boolean;
}

const rules: readonly AnswerRule[] = ['exact', 'normalised', 'number'];

/** The rule that agrees most often with the logged verdicts; the strictest of equals, `number` where none is logged. */
export function calibratedCheck(recorded: readonly RecordedAnswer[]): AnswerCheck {
  const scored = rules.map((rule) => ({
    rule,
    agree: recorded.filter(({ answer, groundTruth, correct }) => isRight(rule, answer, groundTruth) === correct).length,
  }));
  const best = scored.reduce((most, one) => (one.agree > most.agree ? one : most));
  const { rule, agree } = recorded.length === 0 ? { rule: 'number' as const, agree: 0 } : best;
  return {
    rule,
    calibration: { agree, of: recorded.length },
    isRight: (answer, groundTruth) => isRight(rule, answer, groundTruth),
  };
}

/** True where the answer equals the ground truth, or one of them where it is a list. */
export function isRight(rule: AnswerRule, answer: string, groundTruth: string): boolean {
  return truthsOf(groundTruth).some((truth) => equals(rule, answer, truth));
}

function equals(rule: AnswerRule, answer: string, truth: string): boolean {
  switch (rule) {
    case 'exact':
      return answer.trim() === truth.trim();
    case 'normalised':
      return normalised(answer) === normalised(truth);
    case 'number': {
      if (normalised(answer) === normalised(truth)) return true;
      const [a, b] = [numberIn(answer), numberIn(truth)];
      return a !== null && b !== null && Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(a), Math.abs(b));
    }
  }
}

/** The accepted answers: the text itself, or the items of a JSON list of texts and numbers. */
function truthsOf(groundTruth: string): readonly string[] {
  const found = groundTruth.trim().startsWith('[') || groundTruth.trim().startsWith('{') ? parsed(groundTruth) : null;
  const list = truthsIn(found);
  return list.length === 0 ? [groundTruth] : list;
}

const truthNames = ['ground_truth', 'target', 'targets', 'answer', 'answers'];

function truthsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (typeof value === 'number') return [String(value)];
  if (Array.isArray(value)) return value.flatMap(truthsIn);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, item]) => (truthNames.includes(name) ? truthsIn(item) : []));
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return null;
  }
}

/** Without case, articles' worth of white space, TeX dressing, units of nothing and a full stop at the end. */
export function normalised(answer: string): string {
  return answer
    .trim()
    .replace(/^\\boxed\{(?<inside>[\s\S]*)\}$/u, '$<inside>')
    .replace(/\\(?:text|mathrm|mathbf)\{(?<inside>[^{}]*)\}/gu, '$<inside>')
    .replace(/\\[,;!%]|\\left|\\right|\$/gu, '')
    .replace(/^\((?<letter>[A-Za-z])\)$/u, '$<letter>')
    .replace(/\s+/gu, ' ')
    .replace(/\s*\.$/u, '')
    .trim()
    .toLowerCase();
}

/** The number that an answer is, null where it is none: digits grouped by commas, fractions, percentages. */
export function numberIn(answer: string): number | null {
  const text = normalised(answer)
    .replace(/(?<=\d),(?=\d{3}(?:\D|$))/gu, '')
    .replace(/\\d?frac\{(?<over>-?[\d.]+)\}\{(?<under>-?[\d.]+)\}/u, '$<over>/$<under>')
    .replace(/\s/gu, '');
  const fraction = /^(?<over>[-+]?\d*\.?\d+)\/(?<under>[-+]?\d*\.?\d+)$/u.exec(text)?.groups;
  if (fraction !== undefined) {
    const value = Number(fraction['over']) / Number(fraction['under']);
    return Number.isFinite(value) ? value : null;
  }
  const plain = /^(?<digits>[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)(?<percent>%?)$/u.exec(text)?.groups;
  if (plain === undefined) return null;
  return Number(plain['digits']) / (plain['percent'] === '%' ? 100 : 1);
}

/** Where an answer stands in a text, `[first, end)`; null where none is committed. */
export interface AnswerPlace {
  readonly first: number;
  readonly end: number;
}

/** The last answer behind an opener. Without an opener in the format, all text behind the reasoning is the answer. */
export function answerIn(text: string, opener: string | null): AnswerPlace | null {
  if (opener === null) {
    const thought = /<\/(?:think|reason|reasoning)>/giu;
    let first = 0;
    for (const match of text.matchAll(thought)) first = match.index + match[0].length;
    return trimmedPlace(text, first, endOfText(text, first));
  }
  const at = text.lastIndexOf(opener);
  if (at === -1) return null;
  const first = at + opener.length;
  const end = opener.endsWith('{') ? closingBrace(text, first) : closingTag(text, first, opener);
  return trimmedPlace(text, first, end);
}

/** What closes an answer that `opener` opens. */
export function answerCloser(opener: string): string {
  return opener.endsWith('{') ? '}' : opener.replace('<', '</');
}

function trimmedPlace(text: string, from: number, to: number): AnswerPlace | null {
  let first = from;
  let end = to;
  while (first < end && /\s/u.test(text.charAt(first))) first += 1;
  while (end > first && /\s/u.test(text.charAt(end - 1))) end -= 1;
  return end > first ? { first, end } : null;
}

function endOfText(text: string, first: number): number {
  const mark = text.indexOf('<|', first);
  return mark === -1 ? text.length : mark;
}

function closingTag(text: string, first: number, opener: string): number {
  const closed = text.indexOf(answerCloser(opener), first);
  return closed === -1 ? endOfText(text, first) : closed;
}

function closingBrace(text: string, first: number): number {
  let depth = 1;
  for (let at = first; at < text.length; at += 1) {
    const character = text[at];
    if (character === '\\') at += 1;
    else if (character === '{') depth += 1;
    else if (character === '}' && --depth === 0) return at;
  }
  return endOfText(text, first);
}
