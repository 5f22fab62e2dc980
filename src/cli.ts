/**
 * The command line: the same core as the engine, for scripts, clusters and tests. Results go to stdout, problems to
 * stderr; exit code 0 = ok, 1 = some input unreadable, 2 = bad usage. What `--json` prints is a contract.
 * Owns arguments and printing. Leaves out everything that is found, read or computed (engine/).
 */
import { existsSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { parseArgs } from 'node:util';
import packageJson from '../package.json' with { type: 'json' };
import { stepColumns } from './analysis/steps.ts';
import { messageOf, UserError } from './base/errors.ts';
import { buildIndex, type BuiltFile } from './engine/buildIndex.ts';
import { openLibrary, type Library, type OpenedPath } from './engine/library.ts';
import { readEpisode } from './engine/readEpisode.ts';
import { createRolloutReader } from './engine/rolloutReader.ts';
import type { RunIndex } from './engine/runIndex.ts';
import { fencedText, listText, tableText } from './engine/plainText.ts';
import type { Note } from './model/note.ts';
import { rolloutColumns, runColumns } from './store/columns.ts';
import { exportableColumns, exportTable, type ExportFormat } from './store/exportTable.ts';
import { renderTranscript } from './transcript/renderTranscript.ts';

/** Arguments of one command after parsing. */
interface Arguments {
  readonly paths: readonly string[];
  /** Value of an option, null where it is not given. */
  option(name: string): string | null;
  readonly json: boolean;
}

/** One command: a row of the table below. */
interface Command {
  readonly usage: string;
  readonly sentence: string;
  /** Options that take a value, with what it is. */
  readonly options: Readonly<Record<string, string>>;
  /** Whether `--json` exists. */
  readonly json: boolean;
  /** Resolves to true if all input was readable. */
  readonly run: (given: Arguments) => Promise<boolean>;
  readonly more?: () => string;
}

/** Bad usage: one sentence; exit code 2. */
class UsageError extends Error {
  override readonly name = 'UsageError';
}

const defaultColumns =
  'step,group,rollout,file,row,reward,correct,calls,acc_reward,tool_reward,acc_advantage,tool_advantage,qualifies,redundant_calls';
const shared = {
  index: 'DIR   folder of the index (default: the user’s cache)',
  threshold: 'N     reward above which a rollout counts as right where the log does not say (default 0.5)',
};

const commands: Readonly<Record<string, Command>> = {
  describe: {
    usage: 'describe PATH… [--json]',
    sentence: 'prints the runs at the paths: format, files, steps, rollouts, groups and notes',
    options: shared,
    json: true,
    run: describe,
  },
  steps: {
    usage: 'steps PATH [--json]',
    sentence: 'prints a row a training step: accuracy, tool rate, advantages and more',
    options: shared,
    json: true,
    run: steps,
    more: () => listText(stepColumns.map(({ name, formula, source }) => [name, `${formula} (${source})`])),
  },
  table: {
    usage: 'table PATH [--columns a,b,c] [--format jsonl|csv|parquet]',
    sentence: 'prints a row a rollout, with the columns you name',
    options: {
      columns: `a,b,c (default: ${defaultColumns})`,
      format: 'jsonl (default), csv or parquet',
      ...shared,
    },
    json: false,
    run: table,
    more: () => {
      const known = new Map([...rolloutColumns, ...runColumns].map((column) => [column.name, column.sentence]));
      return listText(exportableColumns().map((name) => [name, known.get(name) ?? '']));
    },
  },
  episode: {
    usage: 'episode PATH --row FILE:ROW [--format json|markdown]',
    sentence: 'prints one rollout; ROW is its 0-based record index in FILE',
    options: { row: 'FILE:ROW, FILE relative to PATH', format: 'markdown (default) or json', ...shared },
    json: true,
    run: episode,
  },
  index: {
    usage: 'index PATH --out DIR [--shard I/N] [--json]',
    sentence: 'writes the index of a run, or the I-th of N parts of it (on any machine), to DIR',
    options: { out: 'DIR   folder for the shards; other commands take it as --index', shard: 'I/N   1/1 by default' },
    json: true,
    run: index,
  },
};

/** Commands that a later version has: named, so that a script is told what is missing. */
const laterCommands: ReadonlySet<string> = new Set(['flags', 'replay', 'curate']);

const exitCodes = { ok: 0, unreadable: 1, usage: 2 } as const;

function print(text: string): Promise<void> {
  return new Promise((done) => {
    process.stdout.write(text.endsWith('\n') ? text : `${text}\n`, () => {
      done();
    });
  });
}

function printJson(value: unknown): Promise<void> {
  return print(JSON.stringify(value));
}

function problem(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Folder of this bundle, whatever link it was started through. */
function bundleFolder(): string {
  return dirname(realpathSync(process.argv[1] ?? '.'));
}

async function withLibrary<T>(given: Arguments, use: (library: Library) => Promise<T>): Promise<T> {
  const storage = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'rollout-lens');
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

function noteText({ severity, file, line, message }: Note): string {
  return `${severity}: ${file}${line === null ? '' : `:${line + 1}`}: ${message}`;
}

/** Prints notes, without those that only inform unless they are asked for; true if everything could be read. */
function reportNotes(notes: readonly Note[], which: 'problems' | 'all' = 'problems'): boolean {
  for (const note of notes) if (which === 'all' || note.severity !== 'information') problem(noteText(note));
  return notes.every(({ severity }) => severity !== 'error');
}

function onlyPath({ paths }: Arguments, command: string): string {
  const [path, ...others] = paths;
  if (path === undefined || others.length > 0) throw new UsageError(`${command} takes one PATH`);
  return resolve(path);
}

/** Opens the one run at a path and waits until it is read. */
async function onlyRun(library: Library, path: string): Promise<{ run: RunIndex; readable: boolean }> {
  const { runs, notes } = await library.open(path);
  const [run, ...others] = runs;
  if (run === undefined || others.length > 0) {
    const list = runs.map((one) => `  ${one.found().path}${one.found().pattern ? ` (${one.found().pattern})` : ''}`);
    throw new UsageError(`${path} holds ${runs.length} runs; choose one of them:\n${list.join('\n')}`);
  }
  await run.whenSettled();
  return { run, readable: reportNotes([...notes, ...run.notes()]) };
}

async function describe(given: Arguments): Promise<boolean> {
  if (given.paths.length === 0) throw new UsageError('describe takes at least one PATH');
  return withLibrary(given, async (library) => {
    let readable = true;
    const rows = new Map<string, ReturnType<typeof described>>();
    for (const path of given.paths) {
      const opened = await library.open(path).catch((error: unknown): OpenedPath => {
        if (!(error instanceof UserError)) throw error;
        problem(sentenceOf(error));
        readable = false;
        return { runs: [], notes: [] };
      });
      readable = reportNotes(opened.notes, 'all') && readable;
      for (const run of opened.runs) {
        await run.whenSettled();
        const row = described(run, resolve(path));
        if (row.notes.some(({ severity }) => severity === 'error')) readable = false;
        rows.set(run.id, row);
        // One run at a time in memory: a folder may hold hundreds.
        await library.close(run.id);
      }
    }
    const runs = [...rows.values()];
    if (given.json) await printJson({ runs });
    else await print(tableText(runs.map(({ notes, id: _, ...run }) => ({ ...run, notes: notes.length }))));
    if (!given.json)
      reportNotes(
        runs.flatMap(({ notes }) => notes),
        'all',
      );
    return readable;
  });
}

function described(run: RunIndex, opened: string) {
  const { id, path, producer, files, steps: stepCount, rollouts, groups } = run.summary();
  const notes = run.notes().map((note) => ({ ...note, file: nameIn(opened, note.file) }));
  return { id, path, format: producer, files, steps: stepCount, rollouts, groups, notes };
}

/** A file as results name it: relative to the path that was opened, '/' separated; its name if it is that path. */
function nameIn(opened: string, file: string): string {
  const base = opened === file ? dirname(opened) : opened;
  return relative(base, file).split(sep).join('/');
}

async function steps(given: Arguments): Promise<boolean> {
  const path = onlyPath(given, 'steps');
  return withLibrary(given, async (library) => {
    const { run, readable } = await onlyRun(library, path);
    const names = stepColumns.map(({ name }) => name).filter((name) => !extraStepColumns.has(name));
    const rows = run.steps().map((row) => {
      const values = new Map(Object.entries(row));
      return Object.fromEntries(names.map((name) => [name, values.get(name) ?? null]));
    });
    if (given.json) await printJson(rows);
    else await print(tableText(rows));
    return readable;
  });
}

/** Columns of analysis/steps.ts that are not part of the contract. */
const extraStepColumns: ReadonlySet<string> = new Set([
  'group_size',
  'groups_merged_or_cut',
  'redundant_intrinsic_rate',
  'redundant_sibling_rate',
]);

async function table(given: Arguments): Promise<boolean> {
  const path = onlyPath(given, 'table');
  const format = given.option('format') ?? 'jsonl';
  if (!isExportFormat(format)) throw new UsageError(`--format ${format}: choose jsonl, csv or parquet`);
  const columns = (given.option('columns') ?? defaultColumns).split(',').map((name) => name.trim());
  const unknown = columns.filter((name) => !exportableColumns().includes(name));
  if (unknown.length > 0) throw new UsageError(`there is no column ${unknown.join(', ')}; see: table --help`);
  if (format === 'parquet' && process.stdout.isTTY) throw new UsageError('write Parquet to a file: table … > FILE');
  return withLibrary(given, async (library) => {
    const { run, readable } = await onlyRun(library, path);
    await exportTable(run.table, process.stdout, { columns, format, temporaryFolder: library.temporaryFolder });
    return readable;
  });
}

function isExportFormat(format: string): format is ExportFormat {
  return format === 'jsonl' || format === 'csv' || format === 'parquet';
}

async function episode(given: Arguments): Promise<boolean> {
  const path = onlyPath(given, 'episode');
  const wanted = /^(?<file>.+):(?<row>\d+)$/su.exec(given.option('row') ?? '')?.groups;
  if (!wanted) throw new UsageError('episode needs --row FILE:ROW, for example --row 17.jsonl:0');
  const format = given.json ? 'json' : (given.option('format') ?? 'markdown');
  if (format !== 'json' && format !== 'markdown') throw new UsageError(`--format ${format}: choose json or markdown`);
  const file = (wanted['file'] ?? '').replace(/^\.\//u, '');
  const row = Number(wanted['row']);
  return withLibrary(given, async (library) => {
    const { runs } = await library.open(path);
    const run = runs.find((one) => one.absolutePath(file) !== null);
    if (!run) throw new UserError(`${file} is no log file at ${path}.`, 'FILE is relative to PATH.');
    // Only what its group needs: the steps around the file are of no use here.
    run.readOnly(file);
    await run.whenSettled();
    const ref = { run: run.id, file, row };
    const signal = new AbortController().signal;
    const { rollout, explanation, context } = await readEpisode(run, ref, {
      reader: createRolloutReader(library.contents),
      signal,
    });
    if (format === 'json') await printJson({ run: run.found().path, file, row, rollout, explanation });
    else await print(fencedText(renderTranscript(rollout, context).text));
    return true;
  });
}

async function index(given: Arguments): Promise<boolean> {
  const path = onlyPath(given, 'index');
  if (given.option('out') === null) throw new UsageError('index needs --out DIR');
  const share = /^(?<index>\d+)\/(?<count>\d+)$/u.exec(given.option('shard') ?? '1/1')?.groups;
  const part = { index: Number(share?.['index']), count: Number(share?.['count']) };
  if (!(part.index >= 1 && part.index <= part.count)) throw new UsageError('--shard takes I/N with 1 ≤ I ≤ N');
  return withLibrary(given, async (library) => {
    const { runs, notes } = await library.find(path);
    const built: BuiltFile[] = [];
    const { signal } = new AbortController();
    const { store, pool, contents } = library;
    await buildIndex(runs, {
      store,
      pool,
      contents,
      base: path,
      share: part,
      signal,
      built: (file) => built.push(file),
    });
    built.sort((a, b) => (a.file < b.file ? -1 : 1));
    for (const { file, problem: why } of built) if (why !== null) problem(`error: ${file}: ${sentenceOf(why)}`);
    const shards = built.map(({ file, state, keys, rollouts }) => ({ file, state, shards: keys, rollouts }));
    if (given.json) await printJson({ shards });
    else await print(tableText(shards.map((one) => ({ ...one, shards: one.shards.length }))));
    return reportNotes([...notes, ...built.flatMap((one) => one.notes)]) && built.every((one) => one.problem === null);
  });
}

function helpText({ usage, sentence, options, json, more }: Command): string {
  const rows = Object.entries(options).map(([option, what]) => [`--${option}`, what] as const);
  const all = listText([...rows, ...(json ? [['--json', 'prints JSON'] as const] : []), ['--help', 'prints this']]);
  const columns = more ? `\n\nColumns:\n${more()}` : '';
  const first = sentence.charAt(0).toUpperCase() + sentence.slice(1);
  return `rollout-lens ${usage}\n\n${first}.\n\nOptions:\n${all}${columns}`;
}

function usageText(): string {
  const rows = Object.values(commands).map(({ usage, sentence }) => [usage, sentence] as const);
  return `rollout-lens: opens rollout logs of tool-using agents\n\n${listText(rows)}\n\nrollout-lens COMMAND --help says more. Exit codes: 0 ok, 1 some input unreadable, 2 bad usage.`;
}

function parse(name: string, command: Command, argv: readonly string[]): Arguments {
  const options = Object.fromEntries([
    ...Object.keys(command.options).map((option) => [option, { type: 'string' as const }] as const),
    ...(command.json ? ['json'] : []).map((option) => [option, { type: 'boolean' as const }] as const),
  ]);
  try {
    const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true, strict: true });
    const given = new Map<string, unknown>(Object.entries(values));
    return {
      paths: positionals,
      option: (option) => {
        const value = given.get(option);
        return typeof value === 'string' ? value : null;
      },
      json: given.get('json') === true,
    };
  } catch (error) {
    throw new UsageError(`${name}: ${messageOf(error)}`);
  }
}

async function main([name, ...rest]: readonly string[]): Promise<number> {
  if (name === '--version' || name === '-v') {
    await print(packageJson.version);
    return exitCodes.ok;
  }
  if (name === '--help' || name === '-h' || name === 'help') {
    await print(usageText());
    return exitCodes.ok;
  }
  if (name === undefined) throw new UsageError(usageText());
  if (laterCommands.has(name)) throw new UsageError(`${name} is not in this version`);
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command) throw new UsageError(`there is no command ${name}\n\n${usageText()}`);
  if (rest.includes('--help') || rest.includes('-h')) {
    await print(helpText(command));
    return exitCodes.ok;
  }
  return (await command.run(parse(name, command, rest))) ? exitCodes.ok : exitCodes.unreadable;
}

function sentenceOf(error: unknown): string {
  return error instanceof UserError && error.action !== null ? `${error.message} ${error.action}` : messageOf(error);
}

/** `rollout-lens table … | head` closes our output early: that is no problem of anyone. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? exitCodes.ok : exitCodes.unreadable);
});

main(process.argv.slice(2))
  .catch((error: unknown) => {
    if (error instanceof UsageError) {
      problem(error.message);
      return exitCodes.usage;
    }
    if (error instanceof UserError) problem(sentenceOf(error));
    else problem(error instanceof Error ? (error.stack ?? error.message) : messageOf(error));
    return exitCodes.unreadable;
  })
  .then((code) => {
    process.exitCode = code;
  })
  .catch(() => undefined);
