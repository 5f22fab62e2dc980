/**
 * Sentences about right and wrong among trajectories, which no filter of the recipe looks at: how many are wrong in all and
 * among the kept, of how many the log says nothing, and the reward threshold where it decided. Pure.
 * Leaves out the export, which says it of each row (exportRecords.ts).
 */
import { droppers } from '../../analysis/curation/funnel.ts';
import { countText, numberText, pluralText } from '../../base/numberText.ts';
import type { CuratedRows } from './curation.ts';

interface Tally {
  rows: number;
  wrong: number;
  unknown: number;
}

/** Notes of a funnel of trajectories; none where all are right. */
export function correctnessNotes({
  runs,
  joined: { rollouts },
  funnel,
}: Pick<CuratedRows, 'runs' | 'joined' | 'funnel'>): readonly string[] {
  const all: Tally = { rows: 0, wrong: 0, unknown: 0 };
  const kept: Tally = { rows: 0, wrong: 0, unknown: 0 };
  rollouts.correct.forEach((correct, row) => {
    for (const tally of funnel.dropper[row] === droppers.kept ? [all, kept] : [all]) {
      tally.rows += 1;
      if (correct === 0) tally.wrong += 1;
      if (correct === 2) tally.unknown += 1;
    }
  });
  return [...wrongNote(all, kept, thresholdText(runs)), ...unknownNote(all, kept)];
}

function wrongNote(all: Tally, kept: Tally, threshold: string): readonly string[] {
  if (all.wrong === 0) return [];
  const known = all.rows - all.unknown;
  const whose = all.unknown === 0 ? '' : ' whose correctness is known';
  return [
    `${countText(all.wrong)} of ${pluralText(known, 'trajectory', 'trajectories')}${whose} ${isOrAre(all.wrong)} wrong; ` +
      `of the ${countText(kept.rows)} kept, ${countText(kept.wrong)} ${isOrAre(kept.wrong)} wrong${threshold}. ` +
      'No filter of the recipe looks at the answer; the export says of each row whether it is right.',
  ];
}

function unknownNote(all: Tally, kept: Tally): readonly string[] {
  if (all.unknown === 0) return [];
  return [
    `The log does not say of ${countText(all.unknown)} of ${pluralText(all.rows, 'trajectory', 'trajectories')} whether ` +
      `${all.unknown === 1 ? 'it is' : 'they are'} right (${countText(kept.unknown)} of the ${countText(kept.rows)} kept): ` +
      'the export leaves that open.',
  ];
}

/** What decided where the log has rewards alone. */
function thresholdText(runs: CuratedRows['runs']): string {
  const used = new Set(runs.flatMap((run) => run.summary().rewardThreshold ?? []));
  if (used.size === 0) return '';
  return `, where the log has only rewards by the threshold ${[...used].map(numberText).join(' and ')}`;
}

function isOrAre(count: number): string {
  return count === 1 ? 'is' : 'are';
}
