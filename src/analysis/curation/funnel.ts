/**
 * Filters applied one after another to all rows: each dropped row has exactly one first reason, rows that the user kept or
 * dropped by hand stand outside. kept + byHand + Σ dropped = rows, whatever the thresholds. Pure.
 * Leaves out what each filter drops (a file each) and where rows come from.
 */
import type { CurationData } from './facts.ts';
import { drop, undecided, type Decision, type Filter, type FilterSettings } from './filter.ts';

/** What the user said of a row. */
export const handWords = { nothing: 0, keep: 1, drop: 2 } as const;

/** `FunnelRows.dropper` of rows that no filter dropped. */
export const droppers = { kept: -1, byHand: -2 } as const;

/** One filter's part. */
export interface FunnelPart<Id extends string> {
  readonly filter: Filter<Id>;
  readonly entered: number;
  readonly dropped: number;
  /** Rows it would drop whatever the filters before it say. */
  readonly matches: number;
  /** Of those that came in. */
  readonly undecided: number;
  readonly coverage: string;
  /** Its decision among the rows that came in; a filter that is off has one too, which drops nothing. */
  readonly decision: Decision;
}

/** The whole funnel. */
export interface FunnelRows<Id extends string> {
  readonly rows: number;
  readonly kept: number;
  readonly overruled: number;
  readonly byHand: number;
  readonly parts: readonly FunnelPart<Id>[];
  /** By row: index of the filter that dropped it, else `droppers`. */
  readonly dropper: Int8Array;
}

/** What is run through which filters. */
export interface FunnelInput<Id extends string> {
  readonly data: CurationData;
  readonly settings: FilterSettings;
  readonly filters: readonly Filter<Id>[];
  readonly off: ReadonlySet<string>;
  /** `handWords` by row; its length is the number of rows. */
  readonly byHand: Uint8Array;
}

/** Runs all rows through the filters. */
export function runFunnel<Id extends string>(input: FunnelInput<Id>): FunnelRows<Id> {
  const { data, settings, filters, off, byHand } = input;
  const rows = byHand.length;
  const present = new Uint8Array(rows).fill(1);
  const dropper = new Int8Array(rows).fill(droppers.kept);
  let left = rows;
  let overruled = 0;
  for (let row = 0; row < rows; row += 1) {
    if (byHand[row] === handWords.nothing) continue;
    overruled += 1;
    if (byHand[row] !== handWords.drop) continue;
    present[row] = 0;
    dropper[row] = droppers.byHand;
    left -= 1;
  }
  const handDropped = rows - left;
  const parts = filters.map((filter, index): FunnelPart<Id> => {
    const alone = filter.decide(data, settings, null);
    const decision = filter.comparesRows ? filter.decide(data, settings, present) : alone;
    const entered = left;
    const sums = { matches: 0, undecided: 0, dropped: 0 };
    const isOff = off.has(filter.id);
    for (let row = 0; row < rows; row += 1) {
      if (alone.verdicts[row] === drop) sums.matches += 1;
      if (present[row] === 0) continue;
      const verdict = decision.verdicts[row];
      if (verdict === undecided) sums.undecided += 1;
      if (isOff || verdict !== drop || byHand[row] === handWords.keep) continue;
      present[row] = 0;
      dropper[row] = index;
      sums.dropped += 1;
    }
    left -= sums.dropped;
    return { filter, entered, ...sums, coverage: filter.coverage(data, settings, alone), decision };
  });
  return { rows, kept: left, overruled, byHand: handDropped, parts, dropper };
}
