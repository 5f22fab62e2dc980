/**
 * Whether two short answers can mean the same: case, punctuation, articles, units and ways of writing a number do not
 * count. Used to see prompts whose ground truths, or whose right answers, disagree (ambiguous.ts).
 * Errs towards "the same": one answer inside the other, shared words, initials and roundings are no disagreement.
 */
import { isObject, type Json } from '../../base/json.ts';

/** An answer reduced to what it means. */
export interface AnswerMeaning {
  /** Words in order, without articles and punctuation; numbers left out. */
  readonly words: readonly string[];
  /** Numbers in order with the decimals they were written with. */
  readonly numbers: readonly { readonly value: number; readonly decimals: number }[];
  /** A lone option letter, upper case; null for anything else. */
  readonly option: string | null;
  /** What is left of an answer without words and numbers ("∅", "→"). */
  readonly rest: string;
}

const longestAnswer = 200;
const mostWords = 8;
const unspecific = new Set(
  'a an the of in to is are was approximately about around exactly final answer option'.split(' '),
);

/** The meaning of a short answer; null for an empty one, and for prose, whose words and numbers say little of what it answers. */
export function meaningOf(answer: string): AnswerMeaning | null {
  if (answer.length > longestAnswer) return null;
  const text = plain(answer);
  if (text === '' || text.split(' ').length > mostWords) return null;
  const option = /^(?:option\s*|answer:?\s*)?\(?([a-j])\)?[.:]?$/iu.exec(text)?.[1]?.toUpperCase() ?? null;
  const numbers: { value: number; decimals: number }[] = [];
  const words: string[] = [];
  for (const [token, fraction, numerator, denominator, number] of text.matchAll(
    /((-?\d+)\s*\/\s*(\d+))|(-?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:e[+-]?\d+)?)|[\p{L}]+/giu,
  )) {
    if (fraction !== undefined) {
      numbers.push({ value: Number(numerator) / Number(denominator), decimals: 12 });
    } else if (number !== undefined) {
      const digits = number.replaceAll(',', '');
      numbers.push({ value: Number(digits), decimals: /\.(\d+)/u.exec(digits)?.[1]?.length ?? 0 });
    } else if (!unspecific.has(token.toLowerCase())) {
      words.push(token.toLowerCase());
    }
  }
  const rest = words.length + numbers.length > 0 ? '' : text.replaceAll(/\s+/gu, '');
  return { words, numbers, option, rest };
}

/** Without LaTeX wrappers, thousands in braces, Markdown and outer punctuation. */
function plain(answer: string): string {
  return answer
    .replaceAll(/\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}/gu, '$1/$2')
    .replaceAll(/\\(?:boxed|text|textbf|mathrm|mathbf|operatorname)\s*\{([^{}]*)\}/gu, '$1')
    .replaceAll(/\\[,;! ]|\{,\}/gu, '')
    .replaceAll(/\\(?:left|right|degree|circ|%|\$)|[$*_`{}^]/gu, ' ')
    .replaceAll(/[\u2212\u2013]/gu, '-')
    .replaceAll(/\s+/gu, ' ')
    .replaceAll(/^[\s"'“”‘’(\[]+|[\s"'“”‘’)\].,;:!]+$/gu, '')
    .trim();
}

/** False only where the two surely mean different things. */
export function sameMeaning(one: AnswerMeaning, other: AnswerMeaning): boolean {
  if (one.option !== null && other.option !== null) return one.option === other.option;
  // "B" and "B. seven cranes", or "seven cranes": the letter stands for a text that is not known here.
  if (one.option !== null || other.option !== null) return true;
  if (one.numbers.length > 0 && other.numbers.length > 0) return sameNumbers(one, other);
  if (opposite(one.words, other.words)) return false;
  if (says(one.words, yes) && says(other.words, yes)) return true;
  if (says(one.words, no) && says(other.words, no)) return true;
  if (one.words.length === 0 && other.words.length === 0)
    return one.rest === other.rest || one.numbers.length !== other.numbers.length;
  // A number on one side only may be written as a word on the other.
  if (one.numbers.length !== other.numbers.length) return true;
  return sharesWords(one.words, other.words);
}

function sameNumbers(one: AnswerMeaning, other: AnswerMeaning): boolean {
  const [fewer, more] =
    one.numbers.length <= other.numbers.length ? [one.numbers, other.numbers] : [other.numbers, one.numbers];
  // "7" and "7 of 12": what one says the other says too.
  return fewer.every((a) => more.some((b) => sameNumber(a, b)));
}

type Written = AnswerMeaning['numbers'][number];

/** Equal, or one a rounding of the other. */
function sameNumber(one: Written, other: Written): boolean {
  const difference = Math.abs(one.value - other.value);
  if (difference <= 1e-9 * Math.max(1, Math.abs(one.value), Math.abs(other.value))) return true;
  const decimals = Math.min(one.decimals, other.decimals);
  const rounded = one.decimals !== other.decimals && difference <= 0.5 * 10 ** -decimals + 1e-12;
  // 0.5 and 50 (%): a share written in two ways.
  return rounded || Math.abs(one.value * 100 - other.value) < 1e-9 || Math.abs(other.value * 100 - one.value) < 1e-9;
}

const yes = new Set(['yes', 'true', 'correct']);
const no = new Set(['no', 'not', 'false', 'incorrect', 'none']);

function says(words: readonly string[], set: ReadonlySet<string>): boolean {
  return set.has(words[0] ?? '');
}

function opposite(one: readonly string[], other: readonly string[]): boolean {
  return (says(one, yes) && says(other, no)) || (says(one, no) && says(other, yes));
}

function sharesWords(one: readonly string[], other: readonly string[]): boolean {
  if (one.length === 0 || other.length === 0) return true;
  const stem = (text: string): string => (text.length > 4 ? text.replace(/(?:es|s)$/u, '') : text);
  const known = new Set(one.map(stem));
  if (other.some((text) => known.has(stem(text)))) return true;
  const [a, b] = [one.join(''), other.join('')];
  if (a.includes(b) || b.includes(a)) return true;
  const initials = (words: readonly string[]): string => words.map((text) => text[0] ?? '').join('');
  return initials(one) === b || initials(other) === a;
}

/** The spellings of a ground truth: a list in one record counts as spellings of one truth. Numbers as text; at most 32. */
export function truthsOf(truth: Json): readonly string[] {
  if (typeof truth === 'string') return truth.trim() === '' ? [] : [truth];
  if (typeof truth === 'number' || typeof truth === 'boolean') return [String(truth)];
  if (Array.isArray(truth)) return (truth as readonly Json[]).flatMap(truthsOf).slice(0, 32);
  if (!isObject(truth)) return [];
  const inside = ['target', 'targets', 'answer', 'answers', 'ground_truth', 'value', 'label'].flatMap(
    (name) => truth[name] ?? [],
  );
  return truthsOf(inside);
}

/** False only where no spelling of one truth can mean what a spelling of the other means. */
export function sameTruth(one: readonly string[], other: readonly string[]): boolean {
  const [first, second] = [one, other].map((texts) => texts.flatMap((text) => meaningOf(text) ?? []));
  if (!first || !second || first.length === 0 || second.length === 0) return true;
  return first.some((a) => second.some((b) => sameMeaning(a, b)));
}
