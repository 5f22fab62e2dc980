/**
 * Filter `ambiguous`: a prompt with several ground truths, or whose right rollouts gave answers that differ in meaning
 * (answerMeaning.ts), or that a judge scores below the threshold. A list of truths in one record counts as spellings of
 * one truth. Undecided where the log has neither truths nor right answers and no judge was asked. Source: hdpo.md section 4.
 */
import { numberText, pluralText } from '../../base/numberText.ts';
import { decideEach, drop, judgedText, keep, undecided, type Filter } from './filter.ts';

/** Drops prompts that have no one answer. */
export const ambiguous: Filter<'ambiguous'> = {
  id: 'ambiguous',
  comparesRows: false,
  decide: ({ prompts, scores }, { judgeThreshold }) =>
    decideEach(prompts.count, (row) => {
      if (prompts.truths.has(row) || prompts.answers.has(row)) return drop;
      const score = scores[row] ?? Number.NaN;
      if (!Number.isNaN(score)) return score < judgeThreshold ? drop : keep;
      return prompts.hasTruth[row] === 1 ? keep : undecided;
    }),
  coverage: ({ prompts, scores, judgeAsked = false }) => {
    return (
      `ground truths and right answers of ${pluralText(prompts.count, 'prompt')} over all steps, short ones compared by meaning ` +
      `(case, units and ways of writing a number do not count); ${judgedText(scores, judgeAsked)}`
    );
  },
  reason: ({ prompts, scores }, { judgeThreshold }, { row }) => {
    const truths = prompts.truths.get(row);
    if (truths !== undefined) {
      return {
        reason: `The log has several ground truths for it: ${quotedList(truths)}.`,
        evidence: [{ name: 'ground_truths', value: truths }],
      };
    }
    const answers = prompts.answers.get(row);
    if (answers !== undefined) {
      return {
        reason: `Answers that differ in meaning were all scored right: ${quotedList(answers)}.`,
        evidence: [{ name: 'right_answers', value: answers }],
      };
    }
    const score = scores[row] ?? null;
    return {
      reason: `The judge gives it ${numberText(score)}, below ${numberText(judgeThreshold)}.`,
      evidence: [{ name: 'score', value: score }],
    };
  },
};

function quotedList(texts: readonly string[]): string {
  return texts.map((text) => `“${text.length > 60 ? `${text.slice(0, 59)}…` : text}”`).join(', ');
}
