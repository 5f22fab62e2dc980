/**
 * What a search tells of what it leaves out: unreadable paths, limits, links that lead back, and files that are known but
 * not read, a note a kind and folder. Owned by discovery.ts. Leaves out the search itself.
 */
import type { Note, NoteCode } from '../model/note.ts';
import type { FileLook } from './fileHeads.ts';
import { codeOf, fileError } from './fileSource.ts';

/** A note on what cannot be read. */
export function unreadable(path: string, error: unknown): Note {
  const code = codeOf(error) === 'ELOOP' ? 'symlink-loop' : 'unreadable-file';
  const { message, action } = fileError(path, error);
  return {
    severity: 'error',
    code,
    file: path,
    line: null,
    message: action === null ? message : `${message} ${action}`,
  };
}

/** A note on where a search stopped. */
export function limitNote(folder: string, message: string): Note {
  return { severity: 'information', code: 'folder-limit', file: folder, line: null, message };
}

/** A note on a link that leads back to a folder above it. */
export function loopNote(folder: string, real: string): Note {
  const message = `this link leads back to ${real}, which holds it; it was not followed`;
  return { severity: 'information', code: 'symlink-loop', file: folder, line: null, message };
}

/** How the files of one name shape in one folder were tried. */
export interface Tried {
  looked: number;
  hits: number;
  skipped: number;
  readonly first: string;
  /** What one of them is that is known but not read: the others count as the same. */
  named: NamedLook | null;
}

/** What is known of a file that is not read. */
export interface NamedLook {
  readonly code: NoteCode;
  readonly description: string;
}

/** Files of one folder that are the same thing get one note: a conversation may lie in thousands of files. */
export type NamedFiles = Map<string, { readonly path: string; readonly look: NamedLook; count: number }>;

type OtherLook = Extract<FileLook, { readonly kind: 'other' }>;

const howToMap =
  'if a record holds a prompt and a response, say under which names: "Map Fields…" in the editor, --mapping FILE on the command line';

/** What is told of a file that no reader reads; null for one that is nobody's log. */
export function namedLook({ known, code, description, mappable }: OtherLook): NamedLook | null {
  if (known) return { code, description };
  return mappable ? { code, description: `records that are not known, left out; ${howToMap}` } : null;
}

/** What the user can do about one file that is not read. */
export function nextStep({ known, description, mappable }: OtherLook): string {
  if (mappable) return `${howToMap.charAt(0).toUpperCase()}${howToMap.slice(1)}.`;
  return known && /that is damaged|cannot be read/u.test(description)
    ? 'Copy it again from where it was written.'
    : 'Open a log of one of the formats in the README.';
}

/** Counts a file that is told of. */
export function countNamed(named: NamedFiles, path: string, look: NamedLook | null): void {
  if (look === null) return;
  const known = named.get(look.description);
  if (known) known.count += 1;
  else named.set(look.description, { path, look, count: 1 });
}

/** The note on the files of one folder that are the same thing. */
export function namedNote(path: string, { code, description }: NamedLook, count: number): Note {
  const more = count === 1 ? '' : ` (and ${count - 1} more ${count === 2 ? 'file' : 'files'} of this folder)`;
  return { severity: 'information', code, file: path, line: null, message: `${description}${more}` };
}
