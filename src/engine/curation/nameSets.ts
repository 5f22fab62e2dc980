/**
 * Sets of names by a number: a run has few different ones ("math, numpy") and many rollouts. Bounded, since a log may make
 * up a new name in every rollout. Leaves out what names mean.
 */

/** Sets seen so far; 0 is the empty one. */
export interface NameSets {
  /** The number of a set; 0 once there are too many. */
  indexOf(names: readonly string[]): number;
  all(): readonly (readonly string[])[];
}

const mostSets = 100_000;
const mostNames = 16;

/** Starts with the empty set. */
export function nameSets(): NameSets {
  const sets: (readonly string[])[] = [[]];
  const known = new Map<string, number>([['', 0]]);
  return {
    indexOf: (names) => {
      if (names.length === 0) return 0;
      const set = [...new Set(names)].sort().slice(0, mostNames);
      const key = set.join(',');
      const found = known.get(key);
      if (found !== undefined || sets.length >= mostSets) return found ?? 0;
      known.set(key, sets.length);
      sets.push(set);
      return sets.length - 1;
    },
    all: () => sets,
  };
}
