/**
 * Cuts long lists so that no level of the tree has more than 500 children. Pure; the tests hold that every item is in
 * exactly one range. Leaves out what a range is called (labels.ts).
 */

/** Items of a list: `first` inclusive, `count` items. */
export interface Range {
  readonly first: number;
  readonly count: number;
}

/** The most children of one node, and the most rows of one page of the engine. */
export const mostChildren = 500;

/** Steps of one range where a run has more than `mostSteps`; as in "steps 1–20". */
const stepsPerRange = 20;
const mostSteps = 40;

/** Ranges of at most 500 items each (more, to be cut again, only above 250,000); empty where no cut is needed. */
export function pages({ first, count }: Range): readonly Range[] {
  if (count <= mostChildren) return [];
  let size = mostChildren;
  while (Math.ceil(count / size) > mostChildren) size *= mostChildren;
  return cut({ first, count }, size);
}

/** Ranges of 20 steps, or larger where 500 ranges would not do; empty where a run has at most 40 steps. */
export function stepRanges(count: number): readonly Range[] {
  if (count <= mostSteps) return [];
  return Math.ceil(count / stepsPerRange) <= mostChildren
    ? cut({ first: 0, count }, stepsPerRange)
    : pages({ first: 0, count });
}

function cut({ first, count }: Range, size: number): readonly Range[] {
  return Array.from({ length: Math.ceil(count / size) }, (_, index) => ({
    first: first + index * size,
    count: Math.min(size, count - index * size),
  }));
}
