/**
 * Filters `exact-duplicate` and `near-duplicate`: a trajectory that says what an earlier one of those still in says,
 * character by character, or nearly so by its 5-word shingles. Near duplicates must be asked about the same numbers and
 * pictures and give the same answer: another number is another problem, however alike the texts. Similarity is an estimate
 * (minHash.ts), labelled so. Source: hdpo.md section 4, issue of the Curate view.
 */
import { countText, numberText, pluralText } from '../../base/numberText.ts';
import type { RolloutFacts } from './facts.ts';
import { countOf, drop, keep, type Decision, type Filter } from './filter.ts';
import { bandHash, bandRows, signatureBytes, similarity } from './minHash.ts';

/** Decisions on all rows, which only other facts or another threshold change: thresholds of other filters move more often. */
const alone = new WeakMap<RolloutFacts, Map<string, Decision>>();

function remembered(rollouts: RolloutFacts, name: string, decide: () => Decision): Decision {
  const known = alone.get(rollouts) ?? new Map<string, Decision>();
  alone.set(rollouts, known);
  const decision = known.get(name) ?? decide();
  // Two filters, and the threshold that is being moved.
  if (known.size > 3) known.clear();
  known.set(name, decision);
  return decision;
}

/** Drops trajectories that repeat an earlier one exactly. */
export const exactDuplicate: Filter<'exact-duplicate'> = {
  id: 'exact-duplicate',
  comparesRows: true,
  decide: ({ rollouts }, _, present) =>
    present === null
      ? remembered(rollouts, 'exact', () => exactDuplicates(rollouts, null))
      : exactDuplicates(rollouts, present),
  coverage: ({ rollouts }) =>
    `everything that ${pluralText(rollouts.count, 'trajectory', 'trajectories')} say, pictures too, by hash`,
  reason: (_, __, { row, decision }) => ({
    reason: 'An earlier trajectory says exactly the same.',
    evidence: [{ name: 'same_as_row', value: decision.other?.[row] ?? -1 }],
  }),
};

function exactDuplicates(rollouts: RolloutFacts, present: Uint8Array | null): Decision {
  const firstOf = new Map<number, number[]>();
  return compareRows(rollouts.count, present, (row) => {
    const name = (rollouts.content[4 * row] ?? 0) * 2 ** 21 + ((rollouts.content[4 * row + 1] ?? 0) >>> 11);
    const earlier = firstOf.get(name);
    const same = earlier?.find((one) => sameContent(rollouts.content, one, row));
    if (same !== undefined) return same;
    if (earlier) earlier.push(row);
    else firstOf.set(name, [row]);
    return -1;
  });
}

function sameContent(content: Uint32Array, one: number, other: number): boolean {
  for (let i = 0; i < 4; i += 1) if (content[4 * one + i] !== content[4 * other + i]) return false;
  return true;
}

/** Rows of one bucket that a row is compared with: answers to one prompt may share a band and be no duplicates. */
const mostCompared = 48;

/** Drops trajectories that are nearly an earlier one. */
export const nearDuplicate: Filter<'near-duplicate'> = {
  id: 'near-duplicate',
  comparesRows: true,
  decide: ({ rollouts }, { nearDuplicate: threshold }, present) =>
    present === null
      ? remembered(rollouts, `near ${threshold}`, () => nearDuplicates(rollouts, threshold, null))
      : nearDuplicates(rollouts, threshold, present),
  coverage: ({ rollouts }, { nearDuplicate: threshold }, decision) => {
    const dropped = countOf(decision, drop);
    return (
      `Jaccard similarity of 5-word shingles of ${pluralText(rollouts.count, 'trajectory', 'trajectories')}, estimated from ` +
      `${signatureBytes} hashes (± 0.05), at least ${numberText(threshold)} and the same numbers, pictures and answer; ` +
      `exact duplicates are among the ${countText(dropped)} it would drop alone`
    );
  },
  reason: ({ rollouts }, _, { row, decision }) => {
    const other = decision.other?.[row] ?? -1;
    const share = other < 0 ? null : similarity(rollouts.signature, row, other);
    return {
      reason: `An earlier trajectory shares about ${numberText(share)} of its 5-word shingles.`,
      evidence: [
        { name: 'similarity', value: share },
        { name: 'like_row', value: other },
      ],
    };
  },
};

function nearDuplicates(rollouts: RolloutFacts, threshold: number, present: Uint8Array | null): Decision {
  const rows = bandRows(threshold);
  const bands = Math.floor(signatureBytes / rows);
  const buckets = createBuckets(rollouts.count, bands, present);
  const at = new Uint32Array(bands);
  return compareRows(rollouts.count, present, (row) => {
    if (isEmpty(rollouts, row)) return -1;
    let hit = -1;
    for (let band = 0; band < bands; band += 1) {
      // Only rows that may be duplicates at all share a bucket, however alike a run's texts are.
      const hash = bandHash(rollouts.signature, row, { first: band * rows, rows }) ^ (rollouts.sameAsk[row] ?? 0);
      at[band] = hash;
      hit = buckets.find(band, hash, (other) => alike(rollouts, row, { other, threshold }));
      if (hit >= 0) return hit;
    }
    for (let band = 0; band < bands; band += 1) buckets.add(band, at[band] ?? 0, row);
    return hit;
  });
}

function isEmpty({ signature }: RolloutFacts, row: number): boolean {
  for (let i = 0; i < signatureBytes; i += 1) if (signature[row * signatureBytes + i] !== 0) return false;
  return true;
}

function alike(
  { sameAsk, signature }: RolloutFacts,
  row: number,
  { other, threshold }: { readonly other: number; readonly threshold: number },
): boolean {
  return sameAsk[row] === sameAsk[other] && similarity(signature, row, other) >= threshold;
}

/** Looks at the rows that are there in their order; `earlier` gives the row that one repeats, −1 for none. */
function compareRows(count: number, present: Uint8Array | null, earlier: (row: number) => number): Decision {
  const verdicts = new Uint8Array(count);
  const other = new Int32Array(count).fill(-1);
  for (let row = 0; row < count; row += 1) {
    if (present !== null && present[row] === 0) continue;
    const same = earlier(row);
    other[row] = same;
    verdicts[row] = same >= 0 ? drop : keep;
  }
  return { verdicts, other };
}

interface Buckets {
  /** The latest row of the bucket that fits; −1 for none. */
  find(band: number, hash: number, fits: (row: number) => boolean): number;
  add(band: number, hash: number, row: number): void;
}

/** Hash tables in two flat arrays: heads by band and hash, and for each row and band the row before it. */
function createBuckets(count: number, bands: number, present: Uint8Array | null): Buckets {
  let rows = count;
  if (present !== null) rows = present.reduce((sum, one) => sum + one, 0);
  const size = 2 ** Math.max(4, Math.ceil(Math.log2(rows + 1)));
  const heads = new Int32Array(size * bands).fill(-1);
  const before = new Int32Array(count * bands);
  return {
    find: (band, hash, fits) => {
      let left = mostCompared;
      for (let row = heads[band * size + (hash & (size - 1))] ?? -1; row >= 0 && left > 0; left -= 1) {
        if (fits(row)) return row;
        row = before[row * bands + band] ?? -1;
      }
      return -1;
    },
    add: (band, hash, row) => {
      const head = band * size + (hash & (size - 1));
      before[row * bands + band] = heads[head] ?? -1;
      heads[head] = row;
    },
  };
}
