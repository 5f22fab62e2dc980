/**
 * Inspect AI logs: a `.eval` archive (inspectArchive.ts) or one JSON document `{version, status, eval, plan, results,
 * stats, samples}`, whose samples are streamed (formats.md 6.5; inspect_ai 0.3, log versions 2 and 3).
 * Group = sample id, rollout = epoch. Not training: no step.
 * Leaves out a document's header and its reductions: a run says what it is by its name.
 */
import type { RecordPlace } from '../model/rollout.ts';
import { noSample, readArchive, readArchiveAt } from './inspectArchive.ts';
import { inspectProducer, rolloutOfSample } from './inspectSample.ts';
import { readJsonArray } from './jsonArray.ts';
import { isDocument } from './jsonDocument.ts';
import { objectMembers } from './objectMembers.ts';
import { asBuffer, readJsonAt } from './parseJson.ts';
import type { Head, Reader, ReadOptions, ReadSummary } from './reader.ts';
import { finish, noteForeign, notePartial, recordStream } from './records.ts';
import type { Source } from './source.ts';

/** How much of a document is looked at for its samples; the header names every sample of the dataset. */
const headerSizes = [1024 * 1024, 8 * 1024 * 1024, 64 * 1024 * 1024] as const;

const zipMagic = 'PK\x03\x04';
const firstNames = /^(_journal\/start\.json|header\.json|samples\/.+_epoch_\d+[./])/u;
const listedName = /PK\x01\x02[\s\S]{42}(_journal\/start\.json|header\.json)/u;

/** The Inspect reader. */
export const inspectReader: Reader = {
  format: 'inspect',
  version: 1,
  recognise: (head) => {
    if (isArchive(head)) return { format: 'inspect', producer: inspectProducer, variant: 'eval' };
    const isLog = isDocument(head) && ['version', 'status', 'eval'].every((key) => head.keys.has(key));
    const hasMore = ['plan', 'results', 'samples'].some((key) => head.keys.has(key));
    return isLog && hasMore ? { format: 'inspect', producer: inspectProducer, variant: 'json' } : null;
  },
  stepOfName: () => null,
  read: (source, options) =>
    options.recognition.variant === 'json' ? readDocument(source, options) : readArchive(source, options),
  readOne: async (source, place, recognition) =>
    recognition.variant === 'json'
      ? rolloutOfSample(await readJsonAt(source, place), place)
      : readArchiveAt(source, place),
};

/** By the first member's name, else by the directory: a converted archive may have its members in any order. */
function isArchive(head: Head): boolean {
  const bytes = asBuffer(head.bytes);
  if (bytes.toString('latin1', 0, 4) !== zipMagic || bytes.length < 30) return false;
  if (firstNames.test(bytes.toString('latin1', 30, 30 + bytes.readUInt16LE(26)))) return true;
  return head.tail !== undefined && listedName.test(asBuffer(head.tail).toString('latin1'));
}

/** The samples of a document, one after the other. */
async function readDocument(source: Source, options: ReadOptions): Promise<ReadSummary> {
  const { from, signal, note, progress } = options;
  const samples = await samplesOf(source);
  if (typeof samples === 'string' || samples === null) {
    const stream = recordStream(source.name, { ...options, record: () => null });
    if (samples === null) notePartial(stream, 'the samples are not written yet; they are read when the file grows');
    else noteForeign(stream, samples);
    return finish(stream, from?.bytes.first ?? 0);
  }
  return readJsonArray(source, {
    from: from !== null && from.bytes.first >= samples.bytes.first ? from : samples,
    signal,
    note,
    progress,
    behind: 'ignored',
    record: (value, place) => {
      const rollout = rolloutOfSample(value, place);
      if (rollout === null) return noSample;
      options.rollout(rollout);
      return null;
    },
  });
}

/** Where the samples start, behind their bracket; null where they are not there yet, a sentence where there are none. */
async function samplesOf(source: Source): Promise<RecordPlace | string | null> {
  for (const size of headerSizes) {
    const bytes = asBuffer(await source.read(0, size));
    const samples = objectMembers(bytes).find((member) => member.key === 'samples');
    if (samples !== undefined) {
      const { first, line } = samples;
      if (bytes[first] !== 0x5b) return 'the log has no samples: they were not logged';
      return { row: 0, line, bytes: { first: first + 1, count: 0 } };
    }
    if (bytes.length < size) break;
  }
  return null;
}
