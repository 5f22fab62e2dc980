/**
 * An Inspect `.eval` archive: `samples/<id>_epoch_<n>.json`, one sample a member, listed by the central directory and
 * opened one after the other (formats.md 6.5). Row = position of the member in the archive, counted over the samples,
 * read or not, so rows stay when an evaluation that is still running appends. A name written twice counts once, the later
 * member wins. Names that lead out of an archive, overlapping and lying members are noted, one note each.
 * Leaves out `summaries.json`, `reductions.json` and the journal, whose numbers are all in the samples.
 */
import { isObject, type Json } from '../base/json.ts';
import type { RecordPlace, Rollout } from '../model/rollout.ts';
import { maximumRecordBytes } from './byteWindow.ts';
import { chunksOf, type ChunksOfSample, joinChunks, shellPrefix } from './inspectChunks.ts';
import { rolloutOfSample } from './inspectSample.ts';
import { parseJsonBytes } from './parseJson.ts';
import type { ReadOptions, ReadSummary } from './reader.ts';
import { finish, noteRecord, notePartial, pause, recordStream, takeParsed } from './records.ts';
import type { Source } from './source.ts';
import { listZip, openMember, openMemberAt, type ZipMember } from './zipMembers.ts';

/** Why a sample that parses is none. */
export const noSample = 'not an Inspect sample: it has no id, or neither messages nor output';

const sampleName = /^samples\/.+_epoch_\d+\.json$/su;
const headerName = 'header.json';
const localHeaderBytes = 30;

/** Reads the samples of an archive. Rejects only if the source cannot be read or on abort. */
export async function readArchive(source: Source, options: ReadOptions): Promise<ReadSummary> {
  const { members, broken } = await listZip(source);
  let named = '';
  let refused: string | null = null;
  const stream = recordStream(source.name, {
    ...options,
    record: (value, place) => {
      if (refused !== null) return refused;
      const rollout = rolloutOfSample(value, place);
      if (rollout === null) return noSample;
      options.rollout(rollout);
      return null;
    },
    // A member has a name, not a line.
    note: (note) => options.note({ ...note, line: null, message: `${named}${note.message}` }),
  });
  const start = options.from?.bytes.first ?? 0;
  if (members.length === 0 && broken !== null) {
    notePartial(stream, `the archive has no directory: it is cut, or still being written (${broken})`);
    return finish(stream, start);
  }
  let next = start;
  const chunks = chunksOf(members);
  const bounds = boundsOf(members);
  for (const [index, member] of members.entries()) {
    if (member.offset < start) continue;
    await pause(stream);
    named = `${shortName(member.name)}: `;
    if (leadsOut(member.name)) {
      noteRecord(stream, 'not-a-record', 'its name leads out of the archive, so it is not read');
      continue;
    }
    const prefix = shellPrefix(member.name);
    if (prefix === null && !sampleName.test(member.name)) continue;
    if (bounds.last.get(member.name) !== index) {
      stream.lines++;
      stream.skipped++;
      stream.row++;
      continue;
    }
    if (bounds.overlapping.has(index)) {
      noteRecord(stream, 'not-a-record', 'it overlaps another member, so it is not read');
      continue;
    }
    const opened = await openMember(source, member, maximumRecordBytes);
    // A member that is not where its directory says ends nowhere.
    const end = opened.place === null ? next : opened.place.first + opened.place.count;
    if (!opened.ok) {
      noteRecord(stream, opened.reason.startsWith('it inflates') ? 'line-too-long' : 'not-a-record', opened.reason);
    } else if (shellPrefix(opened.name) !== prefix) {
      // Read again by its place it would go by that name, and be another sample.
      noteRecord(stream, 'not-a-record', 'its own header gives it another name than the directory');
    } else {
      const parsed = parseJsonBytes(opened.bytes, 0, opened.bytes.length);
      const joined = parsed.ok ? await wholeSample(source, parsed.value, { prefix, chunks }) : null;
      refused = typeof joined === 'string' ? joined : null;
      const whole = parsed.ok && joined !== null && refused === null ? { ...parsed, value: joined } : parsed;
      takeParsed(stream, whole, { first: 0, end: end - member.offset, offset: member.offset });
    }
    next = Math.max(next, end);
    options.progress?.(end);
  }
  named = '';
  if (broken !== null) {
    noteRecord(
      stream,
      'not-a-record',
      `the archive's directory breaks off after ${members.length} members (${broken})`,
    );
  }
  if (!bounds.last.has(headerName)) {
    const message = 'the evaluation is still running or was stopped: its header is not written yet';
    options.note({ severity: 'information', code: 'not-logged', file: source.name, line: null, message });
  }
  return finish(stream, next);
}

/** Reads one sample again by its member's bytes; a chunked one is put together again. */
export async function readArchiveAt(source: Source, place: RecordPlace): Promise<Rollout | null> {
  const opened = await openMemberAt(source, place.bytes, maximumRecordBytes);
  if (!opened.ok) return null;
  const parsed = parseJsonBytes(opened.bytes, 0, opened.bytes.length);
  if (!parsed.ok) return null;
  const prefix = shellPrefix(opened.name);
  const chunks = prefix === null ? new Map<string, readonly ZipMember[]>() : chunksOf((await listZip(source)).members);
  const whole = await wholeSample(source, parsed.value, { prefix, chunks });
  return typeof whole === 'string' ? null : rolloutOfSample(whole, place);
}

interface Shell {
  /** Null for a sample in one member. */
  readonly prefix: string | null;
  readonly chunks: ChunksOfSample;
}

/** The sample with its chunks, or (a string) why not. */
async function wholeSample(source: Source, value: Json, { prefix, chunks }: Shell): Promise<Json> {
  // A member that is a string must not pass for a reason.
  if (prefix === null || !isObject(value)) return typeof value === 'string' ? null : value;
  const parts = { prefix, chunks: chunks.get(prefix) ?? [], maximumBytes: maximumRecordBytes };
  return joinChunks(source, value, parts);
}

interface Bounds {
  /** Index of the last member of each name. */
  readonly last: ReadonlyMap<string, number>;
  /** Members that share bytes with the one behind them: how a small archive inflates to petabytes. */
  readonly overlapping: ReadonlySet<number>;
}

function boundsOf(members: readonly ZipMember[]): Bounds {
  const last = new Map<string, number>();
  const overlapping = new Set<number>();
  for (const [index, member] of members.entries()) {
    last.set(member.name, index);
    const following = members[index + 1];
    if (following === undefined || member.offset + localHeaderBytes + member.packedBytes <= following.offset) continue;
    overlapping.add(index);
    if (member.offset === following.offset && member.name !== following.name) overlapping.add(index + 1);
  }
  return { last, overlapping };
}

function leadsOut(name: string): boolean {
  return /^[/\\]|^[a-z]:|\0/iu.test(name) || /(^|[/\\])\.\.([/\\]|$)/u.test(name);
}

function shortName(name: string): string {
  return name.length <= 120 ? name : `${name.slice(0, 117)}...`;
}
