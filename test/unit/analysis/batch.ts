// Makes batches for the tests of analysis/: from rows as a person writes them, and at random for the properties.
import fc from 'fast-check';
import { computeAdvantages, type AdvantageInput, type Advantages } from '../../../src/analysis/hdpo.ts';

/** One rollout as a test writes it: group, r_acc, correct (1, 0, 2), T, masked. */
export interface Row {
  readonly group: number;
  readonly acc: number;
  readonly correct: number;
  readonly calls: number;
  readonly masked?: number;
}

/** Columns of the given rows. */
export function batchOf(rows: readonly Row[]): AdvantageInput & { readonly masked: Uint8Array } {
  return {
    count: rows.length,
    group: Uint32Array.from(rows, (row) => row.group),
    accReward: Float64Array.from(rows, (row) => row.acc),
    correct: Uint8Array.from(rows, (row) => row.correct),
    calls: Uint32Array.from(rows, (row) => row.calls),
    masked: Uint8Array.from(rows, (row) => row.masked ?? 0),
  };
}

/** Rows of one group 0 out of [r_acc, correct, T] triples. */
export function groupOf(
  ...triples: readonly (readonly [acc: number, correct: number, calls: number])[]
): readonly Row[] {
  return triples.map(([acc, correct, calls]) => ({ group: 0, acc, correct, calls }));
}

/** computeAdvantages with std over rows. */
export function advantagesOf(rows: readonly Row[]): Advantages {
  return computeAdvantages(batchOf(rows), { normalise: 'std' });
}

/** A random Metis rollout of one of `groups` prompts. */
export function metisRow(groups: number): fc.Arbitrary<Row> {
  return fc.record({
    group: fc.integer({ min: 0, max: groups - 1 }),
    acc: fc.constantFrom(1, 0.8999999761581421, 0.10000000149011612, 0),
    correct: fc.constantFrom(0, 1, 2),
    calls: fc.integer({ min: 0, max: 10 }),
    masked: fc.constantFrom(0, 0, 0, 1),
  });
}

/** Random rollouts of one group with at least `least` members and rewards on a grid of 1/1000, so that differences are real. */
export function oneGroup(least: number): fc.Arbitrary<readonly Row[]> {
  return fc.array(
    fc.record({
      group: fc.constant(0),
      acc: fc.integer({ min: -2000, max: 2000 }).map((thousandths) => thousandths / 1000),
      correct: fc.constantFrom(0, 1, 1),
      calls: fc.integer({ min: 0, max: 10 }),
    }),
    { minLength: least, maxLength: 20 },
  );
}
