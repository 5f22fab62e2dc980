/**
 * What was said of rows, kept beside the index: a file of lines (lineFile.ts), the last line of a key wins and a line may
 * take a word back. Several windows share it: of a file that grew only the new lines are read.
 * Leaves out what lines mean (curation/) and how they are added (lineFile.ts).
 */
import { open, stat } from 'node:fs/promises';
import { isObject, type JsonObject } from '../base/json.ts';
import { addLines } from './lineFile.ts';

/** How lines are read and what they do. */
export interface LineForm<Line, Kept> {
  /** The line in a JSON object; null where it is damaged. */
  parse(value: JsonObject): Line | null;
  keyOf(line: Line): string;
  /** What is kept of it; null for a line that takes back what was said under its key. */
  keptOf(line: Line): Kept | null;
}

/** The words of one file. */
export interface KeptLines<Line, Kept> {
  /** All that is kept, by key, as it is now; later words stand behind earlier ones. */
  all(): Promise<ReadonlyMap<string, Kept>>;
  /** Adds lines; rejects if the file cannot be written. */
  add(lines: readonly Line[]): Promise<void>;
}

/** A file of fewer lines is never rewritten. */
const fewLines = 1_000;

/** Opens a file, which need not exist, nor its folder. Damaged lines are left out. */
export function openKeptLines<Line extends object, Kept extends object>(
  path: string,
  form: LineForm<Line, Kept>,
): KeptLines<Line, Kept> {
  let file: Reached = { id: 'none', bytes: 0 };
  let stamp = '';
  let known = new Map<string, Kept>();
  let count = 0;
  let reading: Promise<void> | null = null;

  const read = async (): Promise<void> => {
    const now = await stampOf(path);
    if (now.stamp === stamp) return;
    // A file that only grew is read from where the last line ended.
    const goesOn = now.id === file.id && now.bytes >= file.bytes;
    const from = goesOn ? file.bytes : 0;
    const text = now.bytes > from ? await textFrom(path, from) : '';
    // An unfinished line is read again once it has an end: another window may be writing it.
    const complete = text.slice(0, text.lastIndexOf('\n') + 1);
    if (!goesOn) {
      known = new Map();
      count = 0;
    }
    const { lines, badLines } = linesIn(complete, form);
    applyLines(known, lines, form);
    count += lines.length + badLines;
    file = { id: now.id, bytes: from + Buffer.byteLength(complete) };
    stamp = now.stamp;
  };

  const all = async (): Promise<ReadonlyMap<string, Kept>> => {
    // One reading at a time: two would apply the same lines twice.
    while (reading !== null) await reading;
    reading = read().finally(() => {
      reading = null;
    });
    await reading;
    return known;
  };

  return {
    all,
    add: async (lines) => {
      await addLines(path, {
        lines: textOfLines(lines),
        rewrite: async () => {
          const before = await all();
          if (count + lines.length <= fewLines || count <= 2 * before.size) return null;
          const after = new Map(before);
          applyLines(after, lines, form);
          return textOfLines(after.values());
        },
      });
      await all();
    },
  };
}

interface Reached {
  /** Device and inode: a file that was replaced is another one. */
  readonly id: string;
  readonly bytes: number;
}

/** The lines of a text and how many are none. */
function linesIn<Line extends object, Kept>(
  text: string,
  form: LineForm<Line, Kept>,
): { readonly lines: readonly Line[]; readonly badLines: number } {
  const lines: Line[] = [];
  let badLines = 0;
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    const value = parsed(line);
    const one = isObject(value) ? form.parse(value) : null;
    if (one === null) badLines += 1;
    else lines.push(one);
  }
  return { lines, badLines };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function applyLines<Line, Kept>(known: Map<string, Kept>, lines: Iterable<Line>, form: LineForm<Line, Kept>): void {
  for (const line of lines) {
    const key = form.keyOf(line);
    const kept = form.keptOf(line);
    known.delete(key);
    if (kept !== null) known.set(key, kept);
  }
}

function textOfLines(lines: Iterable<object>): string {
  return Array.from(lines, (line) => `${JSON.stringify(line)}\n`).join('');
}

async function textFrom(path: string, first: number): Promise<string> {
  const file = await open(path, 'r').catch(() => null);
  if (file === null) return '';
  try {
    const { size } = await file.stat();
    const bytes = Buffer.alloc(Math.max(0, size - first));
    const { bytesRead } = await file.read(bytes, 0, bytes.length, first);
    return bytes.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Tells whether the file is the one that was read. */
async function stampOf(path: string): Promise<Reached & { readonly stamp: string }> {
  const found = await stat(path, { bigint: true }).catch(() => null);
  if (found === null) return { id: 'none', bytes: 0, stamp: 'none' };
  const id = `${found.dev} ${found.ino}`;
  return { id, bytes: Number(found.size), stamp: `${id} ${found.size} ${found.mtimeNs}` };
}
