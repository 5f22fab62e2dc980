/**
 * What a shard says about itself: the sums of the reading, its notes and where the next record starts. Kept as JSON in
 * the key-value metadata of the rollouts file, so that it cannot be separated from the rows it counts.
 */
import { asArray, asNumber, asString, isObject, type Json, type JsonObject } from '../base/json.ts';
import type { Note, NoteCode } from '../model/note.ts';
import type { ByteRange, RecordPlace } from '../model/rollout.ts';
import type { ShardMeta } from './shardStore.ts';

/** A file beside the log that its reader asked for, and what was in it. */
export interface Neighbour {
  /** As Source.beside takes it. */
  readonly name: string;
  /** Hash of its content, '' where there was none to read. */
  readonly digest: string;
}

/** Key of the metadata in the Parquet file. */
export const metaKey = 'rollout_lens';

const keptNotes = 1_000;

/** The metadata as JSON; notes above 1,000 are left out. */
export function textOfMeta(meta: ShardMeta): string {
  return JSON.stringify({ ...meta, notes: meta.notes.slice(0, keptNotes) });
}

/** Reads metadata that any version or machine may have written; null if it is not ours. */
export function parseMeta(text: string): ShardMeta | null {
  const value = parseJson(text);
  if (!isObject(value)) return null;
  const reader = asString(value['reader']);
  const variant = asString(value['variant']);
  const sums = ['readerVersion', 'rulesVersion', 'lines', 'read', 'skipped', 'noted'].map(
    (name) => asNumber(value[name]) ?? Number.NaN,
  );
  const [readerVersion = 0, rulesVersion = 0, lines = 0, read = 0, skipped = 0, noted = 0] = sums;
  const range = rangeOf(value['range']);
  const next = placeOf(value['next']);
  if (reader === null || variant === null || range === null || next === null || sums.some(Number.isNaN)) return null;
  const notes = asArray(value['notes']).flatMap((note) => noteOf(note) ?? []);
  const previous = asString(value['previous']);
  const rollouts = asNumber(value['rollouts']) ?? read;
  const beside = asArray(value['beside']).flatMap((one) => neighbourOf(one) ?? []);
  return {
    reader,
    readerVersion,
    rulesVersion,
    variant,
    range,
    previous,
    lines,
    read,
    skipped,
    noted,
    rollouts,
    notes,
    next,
    beside,
  };
}

/** Metadata of consecutive shards joined into one; null if there are none or they leave a gap. */
export function joinMeta(metas: readonly ShardMeta[]): ShardMeta | null {
  const first = metas[0];
  const last = metas.at(-1);
  if (!first || !last) return null;
  const sum = (value: (meta: ShardMeta) => number): number => metas.reduce((total, meta) => total + value(meta), 0);
  for (const [index, meta] of metas.entries()) {
    const before = metas[index - 1];
    // A part begins at the next record of the one before, whose range may end with blank lines after it.
    if (before && meta.range.first !== before.next.bytes.first && meta.range.first !== endOf(before)) return null;
  }
  return {
    ...last,
    range: { first: first.range.first, count: endOf(last) - first.range.first },
    previous: first.previous,
    lines: sum(({ lines }) => lines),
    read: sum(({ read }) => read),
    skipped: sum(({ skipped }) => skipped),
    noted: sum(({ noted }) => noted),
    rollouts: sum(({ rollouts }) => rollouts),
    notes: metas.flatMap(({ notes }) => notes).slice(0, keptNotes),
  };
}

function endOf({ range }: ShardMeta): number {
  return range.first + range.count;
}

function neighbourOf(value: Json): Neighbour | null {
  if (!isObject(value)) return null;
  const [name, digest] = [asString(value['name']), asString(value['digest'])];
  return name === null || digest === null ? null : { name, digest };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function rangeOf(value: Json | undefined): ByteRange | null {
  if (!isObject(value)) return null;
  const [first, count] = [asNumber(value['first']), asNumber(value['count'])];
  return first === null || count === null ? null : { first, count };
}

function placeOf(value: Json | undefined): RecordPlace | null {
  if (!isObject(value)) return null;
  const [row, line, bytes] = [asNumber(value['row']), asNumber(value['line']), rangeOf(value['bytes'])];
  return row === null || line === null || bytes === null ? null : { row, line, bytes };
}

const noteCodes: Readonly<Record<NoteCode, true>> = {
  'unreadable-file': true,
  'unknown-format': true,
  'format-not-read-yet': true,
  'not-rollouts': true,
  'bad-json': true,
  'not-a-record': true,
  'line-too-long': true,
  'partial-last-line': true,
  'damaged-file': true,
  'non-finite-number': true,
  'invalid-utf8': true,
  'file-changed': true,
  'folder-limit': true,
  'symlink-loop': true,
  'index-not-written': true,
  'group-size': true,
  'not-logged': true,
};

function noteOf(value: Json): Note | null {
  if (!isObject(value)) return null;
  const { severity, code, file, message } = value satisfies JsonObject;
  if (severity !== 'information' && severity !== 'warning' && severity !== 'error') return null;
  if (typeof code !== 'string' || typeof file !== 'string' || typeof message !== 'string') return null;
  if (!isNoteCode(code)) return null;
  return { severity, code, file, line: asNumber(value['line']), message };
}

function isNoteCode(code: string): code is NoteCode {
  return Object.hasOwn(noteCodes, code);
}
