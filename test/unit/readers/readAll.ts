// What the reader tests share: reading bytes with a reader to the end, and the checks every reading must pass.
import { expect } from 'vitest';
import type { Json } from '../../../src/base/json.ts';
import type { Note } from '../../../src/model/note.ts';
import type { RecordPlace, Rollout } from '../../../src/model/rollout.ts';
import type { Reader, ReadSummary, Recognition } from '../../../src/readers/reader.ts';
import type { RecordsOptions } from '../../../src/readers/records.ts';
import { bytesSource, type Source } from '../../../src/readers/source.ts';

export interface Reading {
  readonly rollouts: readonly Rollout[];
  readonly notes: readonly Note[];
  readonly summary: ReadSummary;
}

export interface Claim {
  readonly reader: Reader;
  readonly recognition: Recognition;
}

/** Reads bytes with a reader; invariant 1 holds for every reading, so it is checked in every reading. */
export async function readAll(
  claim: Claim,
  bytes: Uint8Array,
  options: { readonly name?: string; readonly from?: RecordPlace } = {},
): Promise<Reading> {
  const rollouts: Rollout[] = [];
  const notes: Note[] = [];
  const summary = await claim.reader.read(bytesSource(options.name ?? 'log', bytes), {
    recognition: claim.recognition,
    from: options.from ?? null,
    signal: new AbortController().signal,
    rollout: (rollout) => rollouts.push(rollout),
    note: (note) => notes.push(note),
  });
  if (summary.read + summary.skipped + summary.noted !== summary.lines) expect(summary).toBe('sums that add up');
  // A record may hold several rollouts: they share its place but for `item`.
  const records = new Set(rollouts.map(({ place }) => place.bytes.first)).size;
  if (summary.read !== records) expect(summary.read).toBe(records);
  return { rollouts, notes, summary };
}

/** Records of a stream, with small chunks where a test wants many borders. */
export async function readRecords(
  read: (source: Source, options: RecordsOptions) => Promise<ReadSummary>,
  bytes: Uint8Array,
  options: Partial<RecordsOptions> = {},
): Promise<{
  readonly records: readonly { value: Json; place: RecordPlace }[];
  readonly notes: Note[];
  readonly summary: ReadSummary;
}> {
  const records: { value: Json; place: RecordPlace }[] = [];
  const notes: Note[] = [];
  const summary = await read(bytesSource('log.jsonl', bytes), {
    from: null,
    signal: new AbortController().signal,
    record: (value, place) => {
      if (typeof value !== 'object' || value === null) return 'not an object';
      records.push({ value, place });
      return null;
    },
    note: (note) => notes.push(note),
    ...options,
  });
  expect(summary.read + summary.skipped + summary.noted).toBe(summary.lines);
  expect(summary.read).toBe(records.length);
  return { records, notes, summary };
}

/** Bytes of a text in UTF-8. */
export function bytesOf(text: string): Buffer {
  return Buffer.from(text, 'utf8');
}
