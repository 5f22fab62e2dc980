/**
 * A note: something about the content of a log that the user should know and that did not stop the reading.
 * Invariant 1: read + skipped + noted = lines of the file, so every line that is not read leaves exactly one note.
 */

/** What kind of trouble it is; stable, since scripts read it (`describe --json`). */
export type NoteCode =
  | 'unreadable-file'
  | 'unknown-format'
  | 'format-not-read-yet'
  | 'not-rollouts'
  | 'bad-json'
  | 'not-a-record'
  | 'line-too-long'
  | 'partial-last-line'
  /** A compressed file ends too early or is damaged; what could be decompressed was read. */
  | 'damaged-file'
  | 'non-finite-number'
  | 'invalid-utf8'
  | 'file-changed'
  | 'folder-limit'
  | 'symlink-loop'
  | 'index-not-written'
  | 'group-size'
  /** The log does not say something that is shown all the same, or only in another form; the message says what. */
  | 'not-logged';

/** One note; `line` is 0-based and null where the note is about the whole file. */
export interface Note {
  readonly severity: 'information' | 'warning' | 'error';
  readonly code: NoteCode;
  /** Absolute path inside the engine; relative to the run in `describe`. */
  readonly file: string;
  readonly line: number | null;
  readonly message: string;
}
