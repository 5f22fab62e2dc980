/**
 * Samples of a policy as text: streamed while they grow, then read for what they are: an answer, a call, or cut short.
 * Shared by branches and estimates. Leaves out which prefix they continue (branch.ts).
 */
import type { BranchSample } from '../protocol/replay.ts';
import { answerIn, type AnswerCheck } from './answerCheck.ts';
import type { GeneratedSample, GeneratedToken } from './backend.ts';
import { isCall, type OpenerTokens } from './decide.ts';
import type { PolicyTokens } from './policyTokens.ts';
import { createTextJoiner, joinBytes, type TextJoiner } from './tokenBytes.ts';

/** The text of a sample, without the mark that ends its turn. */
export function textOfSample(ids: readonly number[], tokens: PolicyTokens): string {
  const last = ids.at(-1);
  const own = last !== undefined && tokens.ends.includes(last) ? ids.slice(0, -1) : ids;
  return new TextDecoder().decode(joinBytes(own.map((id) => tokens.bytesOf(id))));
}

/** Hands on the text of samples as their tokens come; whole characters only. */
export function sampleStream(
  tokens: PolicyTokens,
  told: (sample: number, added: string) => void,
): (token: GeneratedToken) => void {
  const joiners = new Map<number, TextJoiner>();
  return ({ sample, id }) => {
    if (tokens.ends.includes(id)) return;
    const joiner = joiners.get(sample) ?? createTextJoiner();
    joiners.set(sample, joiner);
    const added = joiner.add(tokens.bytesOf(id));
    if (added !== '') told(sample, added);
  };
}

/** What samples are judged by; `groundTruth` null where the log has none. */
export interface Judge {
  readonly openers: OpenerTokens | null;
  /** What opens an answer, null where answers are not marked. */
  readonly answerOpener: string | null;
  readonly check: AnswerCheck;
  readonly groundTruth: string | null;
}

/** A finished sample: called, answered (judged where there is a ground truth) or cut. */
export function judgedSample(
  sample: GeneratedSample,
  arm: BranchSample['arm'],
  { tokens, judge }: { readonly tokens: PolicyTokens; readonly judge: Judge },
): BranchSample {
  const text = textOfSample(sample.ids, tokens);
  const logprob = sample.logprobs.reduce((sum, value) => sum + value, 0);
  const common = { arm, sample: sample.sample, text, logprob };
  const { openers, answerOpener: opener, check, groundTruth } = judge;
  if (openers !== null && isCall(text, openers)) return { ...common, answer: null, correct: null, ended: 'called' };
  const place = answerIn(text, opener);
  const answer = place === null ? null : text.slice(place.first, place.end);
  // Cut behind a whole answer is an answer; cut before it, or inside a text that is all answer, is none.
  const finished = sample.ended === 'stop' || (opener !== null && answer !== null && isClosed(text, place?.end ?? 0));
  if (!finished) return { ...common, answer: null, correct: null, ended: 'cut' };
  const correct = groundTruth === null ? null : answer !== null && check.isRight(answer, groundTruth);
  return { ...common, answer, correct, ended: 'answered' };
}

function isClosed(text: string, end: number): boolean {
  return /^\s*(?:<\/|\})/u.test(text.slice(end));
}
