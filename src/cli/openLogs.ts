/**
 * Runs as the commands open them: a library over the user's cache or the named index, one run that is read to its end,
 * and notes as lines. Leaves out what is printed of a run (one file a command).
 */
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { messageOf } from '../base/errors.ts';
import { mappingOfFile } from '../engine/fieldMappings.ts';
import { openLibrary, type Library, type LibraryOptions } from '../engine/library.ts';
import type { RunIndex } from '../engine/runIndex.ts';
import type { Note, NoteCode } from '../model/note.ts';
import { problem, UsageError, type Arguments } from './command.ts';

/** Folder of this bundle, whatever link it was started through. */
function bundleFolder(): string {
  return dirname(realpathSync(process.argv[1] ?? '.'));
}

/** The user's cache: indexes, plain copies of packed logs, edited graphs of models. */
export function cacheFolder(): string {
  return join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'rollout-lens');
}

/** Opens a library, uses it, and closes it whatever happens. */
export async function withLibrary<T>(given: Arguments, use: (library: Library) => Promise<T>): Promise<T> {
  const storage = cacheFolder();
  const indexFolder = given.option('index') ?? given.option('out');
  const threshold = given.option('threshold');
  const rewardThreshold = threshold === null ? 0.5 : Number(threshold);
  if (!Number.isFinite(rewardThreshold)) throw new UsageError(`--threshold ${threshold} is not a number`);
  const worker = join(bundleFolder(), 'readWorker.cjs');
  const library = await openLibrary({
    storage,
    ...(indexFolder === null ? {} : { indexFolder: resolve(indexFolder) }),
    namesRelativeTo: 'opened',
    workerPath: existsSync(worker) ? worker : null,
    rewardThreshold,
    ...mappingGiven(given),
    watch: 'never',
    events: {
      changed: () => undefined,
      failed: (error) => {
        problem(error instanceof Error ? (error.stack ?? error.message) : messageOf(error));
      },
      log: () => undefined,
    },
  });
  try {
    const result = await use(library);
    // Only our own cache has a limit; a folder that the user names is the user's.
    if (indexFolder === null) await library.evict();
    return result;
  } finally {
    await library.dispose();
  }
}

/** The mapping that `--mapping` names; UsageError where the file holds none. */
function mappingGiven(given: Arguments): Pick<LibraryOptions, 'mapping'> {
  const file = given.option('mapping');
  if (file === null) return {};
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`--mapping ${file} cannot be read: ${messageOf(error)}`);
  }
  const mapping = mappingOfFile(text);
  if (mapping !== null) return { mapping };
  throw new UsageError(
    `--mapping ${file} holds no mapping with a conversation: {"fields": {"prompt": "…", "response": "…"}}, or "messages"`,
  );
}

/** A note, or a finding of the doctor as one. */
type ReportedNote = Omit<Note, 'code'> & { readonly code: string };

/** Codes of warnings that say that something of a log was not read. */
const unreadCodes: ReadonlySet<string> = new Set<NoteCode>([
  'bad-json',
  'not-a-record',
  'line-too-long',
  'damaged-file',
  'unreadable-file',
]);

/** Whether a note says that some input was unreadable; a last line that is still being written is none. */
export function isUnread({ severity, code }: ReportedNote): boolean {
  return severity === 'error' || (severity === 'warning' && unreadCodes.has(code));
}

function noteText({ severity, file, line, message }: ReportedNote): string {
  return `${severity}: ${file}${line === null ? '' : `:${line + 1}`}: ${message}`;
}

/** Prints notes, without those that only inform unless they are asked for; true if everything could be read. */
export function reportNotes(notes: readonly ReportedNote[], which: 'problems' | 'all' = 'problems'): boolean {
  for (const note of notes) if (which === 'all' || note.severity !== 'information') problem(noteText(note));
  return !notes.some(isUnread);
}

/** The one path of a command; UsageError for none or several. */
export function onlyPath({ paths }: Arguments, command: string): string {
  const [path, ...others] = paths;
  if (path === undefined || others.length > 0) throw new UsageError(`${command} takes one PATH`);
  return resolve(path);
}

/** Options of commands that print one run. */
export const runOptions: Readonly<Record<string, string>> = {
  run: 'ID of the run, where PATH holds several (they are listed then)',
};

/** Opens the one run at a path, or the one that `--run` names, and waits until it is read. */
export async function onlyRun(
  library: Library,
  path: string,
  given: Arguments,
): Promise<{ run: RunIndex; readable: boolean }> {
  const { runs, notes } = await library.open(path);
  const wanted = given.option('run');
  const [run, ...others] = wanted === null ? runs : runs.filter(({ id }) => id === wanted);
  if (run === undefined || others.length > 0) {
    const list = runs.map((one) => {
      const { path: at, pattern } = one.found();
      return `  --run ${one.id}  ${at}${pattern ? ` (${pattern})` : ''}`;
    });
    const why = wanted === null ? `holds ${runs.length} runs` : `holds no run ${wanted}`;
    throw new UsageError(`${path} ${why}; choose one of them:\n${list.join('\n')}`);
  }
  await run.whenSettled();
  return { run, readable: reportNotes([...notes, ...run.notes()]) };
}

/** A file as results name it: relative to the path that was opened, '/' separated; its name if it is that path. */
export function nameIn(opened: string, file: string): string {
  const base = opened === file ? dirname(opened) : opened;
  return relative(base, file).split(sep).join('/');
}
