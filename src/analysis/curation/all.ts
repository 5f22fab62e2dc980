/**
 * The list of curation filters of each stage, in the order in which they apply. A new filter is one file, one line here and
 * one id in protocol/curation.ts (a test holds the two lists together).
 * Leaves out the funnel (funnel.ts).
 */
import { ambiguous } from './ambiguous.ts';
import { brokenImage } from './brokenImage.ts';
import { exactDuplicate, nearDuplicate } from './duplicates.ts';
import { executionFailure } from './executionFailure.ts';
import { inconsistentFeedback } from './inconsistentFeedback.ts';
import { noVariance } from './noVariance.ts';
import { notStrategic } from './notStrategic.ts';
import { toolFreeSolvable } from './toolFreeSolvable.ts';
import { tooLong } from './tooLong.ts';

/** Filters of both stages. */
export const filters = {
  sft: [executionFailure, inconsistentFeedback, toolFreeSolvable, notStrategic, exactDuplicate, nearDuplicate],
  rl: [brokenImage, noVariance, ambiguous, tooLong],
} as const;

/** The filter of each stage that a judge decides. */
export const judgedFilters = { sft: 'not-strategic', rl: 'ambiguous' } as const;

/** Raised whenever a filter drops other rows than before; written into manifests. */
export const filtersVersion = 2;
