/**
 * What a moment of a prompt's biography leads to: the group that it is, and the rollout that stands for it in a diff. Pure.
 * Shared by the curves (biographyChart.ts) and the list (biographyList.ts).
 */
import type { BiographyMoment, BiographyRollout } from '../../src/protocol/groupView.ts';
import type { PanelContext, PanelInput } from './panelChart.ts';

/** Selects the group that a moment is. */
export function selectMoment({ focus }: PanelInput, moment: BiographyMoment, context: PanelContext): void {
  const { key, group } = focus?.samples?.columns ?? {};
  const [first] = moment.rollouts;
  const row = first && key ? key.indexOf(first.key) : -1;
  const ordinal = group?.[row];
  if (ordinal === undefined) context.showError(new Error('This group is not among the rollouts that are read.'));
  else context.select({ steps: [moment.step, moment.step], group: ordinal });
}

/** The rollout that stands for a moment: of the verdict that most have, the one whose T is nearest the mean. */
export function typicalRollout({ rollouts, correct, size, callsMean }: BiographyMoment): BiographyRollout | null {
  const usual = rollouts.filter((rollout) => (rollout.correct === true) === 2 * correct >= size);
  const among = usual.length > 0 ? usual : rollouts;
  return among.reduce<BiographyRollout | null>(
    (best, one) => (best === null || Math.abs(one.calls - callsMean) < Math.abs(best.calls - callsMean) ? one : best),
    null,
  );
}
