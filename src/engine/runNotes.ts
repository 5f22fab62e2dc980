/**
 * The notes of a run: those of its files as they were read, of files that are gone, and what is said of the run as a whole.
 * Pure. Owned by runIndex.ts. Leaves out the findings of the doctor (examineRun.ts).
 */
import type { Note } from '../model/note.ts';
import { parseMapping } from '../readers/fieldMapping.ts';
import { genericReader } from '../readers/generic.ts';
import type { FileEntry } from './fileEntry.ts';
import { isEpoch } from './stepOfPath.ts';

/** All notes, those of files first. */
export function notesOfRun(entries: readonly FileEntry[], gone: readonly Note[]): readonly Note[] {
  return [...epochNotes(entries), ...toldOnce(entries.flatMap(notesOf)), ...gone, ...notWrittenNotes(entries)];
}

/** How many there are, counting those of a file that are not kept. */
export function noteCountOfRun(entries: readonly FileEntry[], gone: readonly Note[]): number {
  const inFiles = entries.reduce((sum, entry) => sum + noteCountOf(entry), 0);
  const ofRun = epochNotes(entries).length + notWrittenNotes(entries).length;
  return inFiles + gone.length + ofRun - repeatsIn(entries);
}

function notesOf({ found, indexed, notes }: FileEntry): readonly Note[] {
  const inParts = indexed?.parts.flatMap(({ meta }) => meta.notes) ?? [];
  const unfinished = indexed?.unfinished ? [indexed.unfinished] : [];
  return [...[...inParts, ...unfinished].map((note) => ({ ...note, file: found.path })), ...notes];
}

function noteCountOf({ indexed, notes }: FileEntry): number {
  const inParts = indexed?.parts.reduce((sum, { meta }) => sum + Math.max(meta.noted, meta.notes.length), 0) ?? 0;
  return inParts + (indexed?.unfinished ? 1 : 0) + notes.length;
}

/** What a log does not say it leaves out in each of its files: once is enough. */
function toldOnce(notes: readonly Note[]): readonly Note[] {
  const told = new Set<string>();
  return notes.filter(({ code, message }) => {
    const isNews = code !== 'not-logged' || !told.has(message);
    if (code === 'not-logged') told.add(message);
    return isNews;
  });
}

/** How many notes `toldOnce` leaves out. */
function repeatsIn(entries: readonly FileEntry[]): number {
  const messages: string[] = [];
  for (const { indexed } of entries) {
    for (const { meta } of indexed?.parts ?? []) {
      for (const { code, message } of meta.notes) if (code === 'not-logged') messages.push(message);
    }
  }
  return messages.length - new Set(messages).size;
}

/** One note for all files: a full disk fails for each of them. */
function notWrittenNotes(entries: readonly FileEntry[]): readonly Note[] {
  const entry = entries.find(({ indexed }) => indexed?.notWritten);
  if (!entry?.indexed?.notWritten) return [];
  const message = `the index could not be written (${entry.indexed.notWritten}); it is kept in memory and made anew next time. Free some space or choose another folder.`;
  return [{ severity: 'warning', code: 'index-not-written', file: entry.found.path, line: null, message }];
}

/** Files that are numbered by epoch: the number stands where others have the step. */
function epochNotes(entries: readonly FileEntry[]): readonly Note[] {
  const found = entries[0]?.found;
  if (found?.step === undefined || found.step === null || !isEpoch(found.path, found.step)) return [];
  const { format, variant } = found.recognition;
  if (format === genericReader.format && (parseMapping(variant)?.step ?? null) !== null) return [];
  const message = 'its files are numbered by epoch: what is called a step here is an epoch';
  return [{ severity: 'information', code: 'not-logged', file: found.path, line: null, message }];
}
