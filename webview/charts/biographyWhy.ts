/**
 * Where a point of a prompt's biography comes from: the sum over the rollouts of that step, and these. Pure.
 * Leaves out the curves (biographyChart.ts) and where the moments come from (groupLoader.ts).
 */
import { numberText, percentText, pluralText, signedText } from '../../src/base/numberText.ts';
import type { BiographyMoment, BiographyRollout } from '../../src/protocol/groupView.ts';
import { verdictSign } from '../../src/protocol/texts.ts';
import type { Why } from './panelChart.ts';
import { mostNamed } from './whyMembers.ts';

/** What of a moment is drawn. */
export type MomentMeasure = 'correct' | 'calls' | 'accAdvantage' | 'toolAdvantage';

/** Terms of a sum that are written out. */
const mostTerms = 16;

/** The sum and the rollouts of a point; `select` selects the group of the moment. */
export function momentWhy(
  run: string,
  moment: BiographyMoment,
  { measure, select }: { readonly measure: MomentMeasure; readonly select: () => void },
): Why {
  const sizeOf = (rollout: BiographyRollout): number => {
    const value = rollout[measure];
    return value === null ? NaN : Math.abs(Number(value));
  };
  const members = moment.rollouts
    .toSorted((a, b) => (sizeOf(b) || 0) - (sizeOf(a) || 0))
    .slice(0, mostNamed)
    .map((rollout) => ({ key: rollout.key, text: wordsOf(rollout) }));
  return {
    kind: 'members',
    run,
    sums: [`step ${moment.step}: ${sumOf(moment, measure, sizeOf)}`],
    members,
    count: moment.size,
    order: 'Rollouts of the prompt in this step, the largest first',
    select,
  };
}

function sumOf(
  { size, correct, callsMean, rollouts }: BiographyMoment,
  measure: MomentMeasure,
  sizeOf: (rollout: BiographyRollout) => number,
): string {
  if (measure === 'correct') return `right / rollouts = ${correct} / ${size} = ${percentText(correct / size)}`;
  const values = rollouts.map(sizeOf).filter((value) => !Number.isNaN(value));
  const sum = values.reduce((all, value) => all + value, 0);
  const terms = values.length <= mostTerms ? `(${values.map(numberText).join(' + ')})` : numberText(sum);
  if (measure === 'calls') {
    // Only the first rollouts cross; the mean is of all.
    const whole = values.length === size ? `${terms} / ${size} = ` : '';
    return `mean T = ${whole}${numberText(callsMean)} over ${pluralText(size, 'rollout')}; least ${numberText(Math.min(...values))}, most ${numberText(Math.max(...values))}`;
  }
  const name = measure === 'accAdvantage' ? '|A_acc|' : '|A_tool|';
  return `mean ${name} = ${terms} / ${values.length} = ${numberText(sum / values.length)}`;
}

function wordsOf({ correct, calls, accAdvantage, toolAdvantage }: BiographyRollout): string {
  const advantage = (value: number | null): string => (value === null ? 'not known' : signedText(value));
  return `${verdictSign(correct)}  T ${calls}  A_acc ${advantage(accAdvantage)}  A_tool ${advantage(toolAdvantage)}`;
}
