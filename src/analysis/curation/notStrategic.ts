/**
 * Filter `not-strategic`: a trajectory whose use of tools a judge scores below the threshold (visual relevance, coherence
 * of the reasoning, rationale of the calls). Decides nothing before a judge was asked. Source: hdpo.md section 4.
 */
import { numberText, pluralText } from '../../base/numberText.ts';
import { decideEach, drop, judgedText, keep, undecided, type Filter } from './filter.ts';

/** Drops trajectories that a judge scores low. */
export const notStrategic: Filter<'not-strategic'> = {
  id: 'not-strategic',
  comparesRows: false,
  decide: ({ rollouts, scores }, { judgeThreshold }) =>
    decideEach(rollouts.count, (row) => {
      const score = scores[row] ?? Number.NaN;
      return Number.isNaN(score) ? undecided : score < judgeThreshold ? drop : keep;
    }),
  coverage: ({ rollouts, scores, judgeAsked = false }) => {
    const judged = judgedText(scores, judgeAsked);
    return judged.startsWith('judged')
      ? `${judged} of ${pluralText(rollouts.count, 'trajectory', 'trajectories')}`
      : judged;
  },
  reason: ({ scores }, { judgeThreshold }, { row }) => ({
    reason: `The judge gives it ${numberText(scores[row] ?? null)}, below ${numberText(judgeThreshold)}.`,
    evidence: [{ name: 'score', value: scores[row] ?? null }],
  }),
};
