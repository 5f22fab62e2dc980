// What must hold for any bytes: nothing is thrown, the sums add up, every rollout keeps the rules and is plain data, and
// reading one again by its place gives the same.
import { isDeepStrictEqual } from 'node:util';
import type { Note } from '../../src/model/note.ts';
import type { Rollout } from '../../src/model/rollout.ts';
import { recognise } from '../../src/readers/all.ts';
import { readHead } from '../../src/readers/head.ts';
import type { Reader, ReadSummary, Recognition } from '../../src/readers/reader.ts';
import { bytesSource, type Source } from '../../src/readers/source.ts';
import { brokenRule } from '../unit/readers/shape.ts';

/** A reader with what it reads. */
export interface Claim {
  readonly reader: Reader;
  readonly recognition: Recognition;
}

/** What a case came to. */
export interface Outcome {
  readonly recognised: boolean;
  readonly rollouts: number;
  readonly noted: number;
}

/** How a case is read. */
export interface CheckOptions {
  readonly name: string;
  /** Readers that read it although it is not (any more) theirs. */
  readonly others: readonly Claim[];
  readonly seed: number;
}

/** Reads the bytes in all ways there are; throws an Error that says what does not hold. */
export async function checkCase(bytes: Buffer, { name, others, seed }: CheckOptions): Promise<Outcome> {
  const source = bytesSource(name, bytes);
  const head = await readHead(source);
  const found = recognise(head);
  const claims: Claim[] = found.kind === 'read' ? [found] : [];
  for (const other of others) {
    const isSame = claims.some(({ recognition }) => isDeepStrictEqual(recognition, other.recognition));
    if (!isSame) claims.push(other);
  }
  let rollouts = 0;
  let noted = 0;
  for (const claim of claims) {
    try {
      const reading = await checkReading(source, claim, seed);
      rollouts += reading.rollouts;
      noted += reading.noted;
    } catch (error) {
      throw new Error(`${claim.reader.format} (${claim.recognition.variant.slice(0, 40)})`, { cause: error });
    }
  }
  return { recognised: found.kind === 'read', rollouts, noted };
}

async function checkReading(source: Source, claim: Claim, seed: number): Promise<{ rollouts: number; noted: number }> {
  const rollouts: Rollout[] = [];
  const notes: Note[] = [];
  const summary = await read(source, claim, { rollouts, notes, from: null });
  const { lines, skipped, noted, next } = summary;
  must(summary.read + skipped + noted === lines, `sums: ${JSON.stringify(summary)}`);
  must(notes.length >= noted, `${noted} noted, ${notes.length} notes`);
  const records = new Set(rollouts.map(({ place }) => place.bytes.first)).size;
  must(records === summary.read, `${summary.read} records read, ${records} places`);
  must(next.bytes.first >= 0 && next.bytes.first <= source.sizeBytes, `next at ${next.bytes.first}`);
  let row = -1;
  for (const rollout of rollouts) {
    const { place } = rollout;
    must(place.row > row, `row ${place.row} behind row ${row}`);
    row = place.row;
    must(place.bytes.first + place.bytes.count <= source.sizeBytes, `bytes behind the end of the file`);
    const broken = brokenRule(rollout);
    must(broken === null, broken ?? '');
  }
  for (const note of notes) {
    must(note.message.length < 2_000, `a note of ${note.message.length} characters`);
    must(note.message !== '', 'an empty note');
  }
  const middle = rollouts[seed % Math.max(1, rollouts.length)];
  for (const rollout of new Set([rollouts[0], middle, rollouts.at(-1)])) {
    if (rollout === undefined) continue;
    const text = JSON.stringify(rollout);
    must(JSON.stringify(structuredClone(rollout)) === text, 'it is no plain data');
    const again = await claim.reader.readOne(source, rollout.place, claim.recognition);
    must(JSON.stringify(again) === text, `row ${rollout.place.row} read again is another one`);
  }
  if (seed % 4 === 0) {
    const elsewhere = { row: 0, line: 0, bytes: { first: seed % (source.sizeBytes + 1), count: seed % 977 } };
    await claim.reader.readOne(source, elsewhere, claim.recognition);
    const rest: Rollout[] = [];
    await read(source, claim, { rollouts: rest, notes: [], from: next });
  }
  must(({} as { readonly polluted?: unknown }).polluted === undefined, 'Object.prototype has a new key');
  return { rollouts: rollouts.length, noted };
}

interface Into {
  readonly rollouts: Rollout[];
  readonly notes: Note[];
  readonly from: ReadSummary['next'] | null;
}

async function read(source: Source, { reader, recognition }: Claim, into: Into): Promise<ReadSummary> {
  return reader.read(source, {
    recognition,
    from: into.from,
    signal: new AbortController().signal,
    rollout: (rollout) => into.rollouts.push(rollout),
    note: (note) => into.notes.push(note),
  });
}

function must(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}
