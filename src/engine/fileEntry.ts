/**
 * A file of a run as the queue of its run keeps it: where it stands, what of it is indexed, what happened to it.
 * Plain data and its first values. Owned by fileQueue.ts, which alone changes it.
 */
import type { Note } from '../model/note.ts';
import type { FoundFile } from './foundRun.ts';
import type { IndexedFile } from './indexFile.ts';

const notesPerFile = 20;

/** One file of a run. */
export interface FileEntry {
  readonly found: FoundFile;
  readonly state: 'waiting' | 'reading' | 'done' | 'failed';
  readonly indexed: IndexedFile | null;
  /** Bytes of it that are indexed or consumed by the reading that is under way. */
  readonly bytesRead: number;
  /** What happened to the file itself (unreadable, rewritten, deleted), newest last. */
  readonly notes: readonly Note[];
}

/** An entry as the queue changes it. */
export interface OpenEntry extends FileEntry {
  found: FoundFile;
  state: FileEntry['state'];
  indexed: IndexedFile | null;
  bytesRead: number;
  notes: Note[];
  /** It changed while it was being read. */
  again: boolean;
  /** Readings in a row that found the file rewritten. */
  rewrites: number;
  /** How often its shards were useless. */
  drops: number;
  /** When its index last changed, ms since the epoch. */
  changedAtMs: number;
  /** Sizes and times of the files beside it that it depends on, when last looked at; null since it was read. */
  besideStamp: string | null;
}

/** The entry of a file that nothing is known of yet. */
export function newEntry(found: FoundFile): OpenEntry {
  return {
    found,
    state: 'waiting',
    indexed: null,
    bytesRead: 0,
    notes: [],
    again: false,
    rewrites: 0,
    drops: 0,
    changedAtMs: Date.now(),
    besideStamp: null,
  };
}

/** Adds what happened to a file as a whole; the same again moves to the end, the oldest go first. */
export function addNote(entry: OpenEntry, added: Pick<Note, 'severity' | 'code' | 'message'>): void {
  const others = entry.notes.filter(({ message }) => message !== added.message);
  entry.notes = [...others, { ...added, file: entry.found.path, line: null }].slice(-notesPerFile);
}
