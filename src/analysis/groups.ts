// Groups as columns: dense ordinals out of (step, key) pairs, and the members of each group as one index.
// A group is all rollouts of one prompt in one step, so a key that comes back in a later step is another group.
// Left out: how a group key is found in a log (readers/), what is computed over a group (hdpo.ts).

/** A column of numbers, whatever its element type: one entry a rollout or a group. */
export type NumberColumn = ArrayLike<number>;

/** Reads one entry of a column; NaN beyond its end. It exists because noUncheckedIndexedAccess types every read as maybe undefined. */
export function at(column: NumberColumn, index: number): number {
  return column[index] ?? Number.NaN;
}

/** Dense ordinals: `ordinal[i]` is the group of rollout i, 0…count−1 in order of first appearance. */
export interface DenseGroups {
  readonly ordinal: Uint32Array;
  readonly count: number;
}

/** Gives every distinct key (number or string) an ordinal in order of first appearance; NaN equals NaN. O(n). */
export function denseOrdinals(keys: ArrayLike<number | string>): DenseGroups {
  const seen = new Map<number | string | undefined, number>();
  const ordinal = new Uint32Array(keys.length);
  for (let i = 0; i < keys.length; i += 1) {
    const known = seen.get(keys[i]);
    ordinal[i] = known ?? seen.size;
    if (known === undefined) seen.set(keys[i], seen.size);
  }
  return { ordinal, count: seen.size };
}

/**
 * Gives every distinct (step, group key) pair an ordinal, since a group never spans two steps (hdpo.md section 2).
 * Both columns have one entry a rollout; throws RangeError if their lengths differ.
 */
export function denseGroups(step: ArrayLike<number>, key: ArrayLike<number | string>): DenseGroups {
  if (step.length !== key.length) throw new RangeError(`step has ${step.length} entries, key has ${key.length}`);
  const steps = denseOrdinals(step).ordinal;
  const keys = denseOrdinals(key);
  const pairs = new Float64Array(step.length);
  for (let i = 0; i < pairs.length; i += 1) pairs[i] = at(steps, i) * keys.count + at(keys.ordinal, i);
  return denseOrdinals(pairs);
}

/** Members of all groups in one array: group g owns `rollouts[first[g] … first[g+1]−1]`, in the order of the batch. */
export interface GroupIndex {
  readonly first: Uint32Array;
  readonly rollouts: Uint32Array;
}

/**
 * Builds the member index of a dense group column by a counting sort, O(n).
 * Throws RangeError for an ordinal ≥ number of rollouts, which cannot be dense.
 */
export function indexGroups(group: Uint32Array): GroupIndex {
  let groupCount = 0;
  for (const ordinal of group) {
    if (ordinal >= group.length)
      throw new RangeError(`group ordinal ${ordinal} is not dense in ${group.length} rollouts`);
    groupCount = Math.max(groupCount, ordinal + 1);
  }
  const first = new Uint32Array(groupCount + 1);
  for (const ordinal of group) first[ordinal + 1] = at(first, ordinal + 1) + 1;
  for (let g = 0; g < groupCount; g += 1) first[g + 1] = at(first, g + 1) + at(first, g);
  const next = first.slice();
  const rollouts = new Uint32Array(group.length);
  group.forEach((ordinal, i) => {
    const slot = at(next, ordinal);
    rollouts[slot] = i;
    next[ordinal] = slot + 1;
  });
  return { first, rollouts };
}

/** The rollouts of one group, as positions in the batch; a view, not a copy. */
export function membersOf(index: GroupIndex, group: number): Uint32Array {
  return index.rollouts.subarray(at(index.first, group), at(index.first, group + 1));
}

/** The most frequent number of a column (of two equally frequent ones the larger, as cut groups only shrink); null if empty. */
export function mode(values: NumberColumn): number | null {
  const frequency = new Map<number, number>();
  let best: number | null = null;
  let bestCount = 0;
  for (let i = 0; i < values.length; i += 1) {
    const value = at(values, i);
    frequency.set(value, (frequency.get(value) ?? 0) + 1);
  }
  for (const [value, count] of frequency) {
    if (count < bestCount || (count === bestCount && best !== null && value < best)) continue;
    best = value;
    bestCount = count;
  }
  return best;
}
