/**
 * How the list of rollouts is sorted: what the list, the page and the saved state share.
 * Leaves out the sorting (selection.ts).
 */
import type { SampleSort } from './selection.ts';

/** How the list is sorted. */
export interface ListSort {
  readonly by: SampleSort;
  readonly order: 'up' | 'down';
}

/** Largest push first. */
export const listedByPush: ListSort = { by: 'push', order: 'down' };
