/**
 * Writes what a curation keeps: records as JSON lines or Parquet, pictures beside them or inside, and a manifest that says
 * how they were chosen. Everything has a temporary name until it is complete; a cancel or an error leaves nothing behind.
 * Never more than a few rollouts are in memory. Leaves out the records (exportRecords.ts) and the filters.
 */
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { basename, isAbsolute } from 'node:path';
import { filtersVersion } from '../../analysis/curation/all.ts';
import { droppers } from '../../analysis/curation/funnel.ts';
import { messageOf, isAbort, UserError } from '../../base/errors.ts';
import type { Rollout } from '../../model/rollout.ts';
import type { CurationExport, CurationExported } from '../../protocol/curation.ts';
import { readerOf } from '../../readers/all.ts';
import { rolloutAt } from '../../store/questions.ts';
import { parquetOfLines } from '../../store/parquetOfLines.ts';
import { entryOf, placeOfStored } from '../readEpisode.ts';
import type { RolloutReader } from '../rolloutReader.ts';
import type { UnwrappedFiles } from '../unwrappedFiles.ts';
import { funnelOf, type CuratedRows } from './curation.ts';
import { dataUris, imageFiles, type ImageWriter } from './exportImages.ts';
import { isExact, messagesOf, type MessageForm } from './exportMessages.ts';
import { preferencePairs, type Pair } from './exportPairs.ts';
import {
  columnTypes,
  messagesRecord,
  pairRecord,
  verlRecord,
  type PromptShare,
  type Written,
} from './exportRecords.ts';
import { refOf } from './rowPages.ts';
import { streamChosen } from './streamChosen.ts';

/** How it is written. */
export interface ExportOptions {
  readonly contents: UnwrappedFiles;
  readonly reader: RolloutReader;
  readonly temporaryFolder: string;
  readonly signal: AbortSignal;
  readonly progress: (done: number, of: number) => void;
}

/** Writes the kept rows to `target.path`; UserError where it cannot be written or nothing is kept. */
export async function exportCuration(
  rows: CuratedRows,
  target: CurationExport,
  options: ExportOptions,
): Promise<CurationExported> {
  const { path, format } = target;
  if (!isAbsolute(path)) throw new UserError(`${path} is no absolute path.`, 'Choose a file.');
  const temporary = `${path}.${process.pid}.partial`;
  const manifest = `${path}.manifest.json`;
  const images =
    target.images === 'files' ? imageFiles({ folder: `${path}-images`, temporary: `${temporary}-images` }) : dataUris();
  const lines = format === 'parquet' ? `${temporary}.jsonl` : temporary;
  try {
    const { count, gone, messages, longestBytes } = await writeLines(rows, target, { ...options, images, lines });
    options.signal.throwIfAborted();
    if (count === 0) throw nothingToWrite(target.form);
    if (format === 'parquet') {
      const { temporaryFolder, signal } = options;
      const columns = columnTypes(target.form, messages);
      await parquetOfLines({ lines, target: temporary, columns, count, longestBytes, temporaryFolder, signal });
    }
    await writeWhole(
      `${temporary}.manifest`,
      manifestText(rows, target, { count, images: images.count(), gone, messages }),
    );
    options.signal.throwIfAborted();
    await images.commit();
    await rename(temporary, path);
    await rename(`${temporary}.manifest`, manifest);
    return { path, manifest, rows: count, images: images.count() };
  } catch (error) {
    if (error instanceof UserError || isAbort(error) || options.signal.aborted) throw error;
    throw new UserError(
      `${path} could not be written: ${messageOf(error)}.`,
      'Choose another place, or free some space.',
    );
  } finally {
    await images.discard();
    for (const left of new Set([temporary, lines, `${temporary}.manifest`])) await rm(left, { force: true });
  }
}

function nothingToWrite(form: CurationExport['form']): UserError {
  return form === 'pairs'
    ? new UserError('No group has two right rollouts that are kept and differ in their calls.', 'Loosen the filters.')
    : new UserError('Nothing is kept, so nothing is written.', 'Loosen the filters.');
}

interface Writing extends ExportOptions {
  readonly images: ImageWriter;
  /** File of the JSON lines. */
  readonly lines: string;
}

interface WrittenLines {
  readonly count: number;
  /** Rows whose record had changed. */
  readonly gone: number;
  readonly longestBytes: number;
  readonly messages: MessageForm;
}

async function writeLines(rows: CuratedRows, target: CurationExport, writing: Writing): Promise<WrittenLines> {
  const messages = await messageForm(rows, writing);
  const file = await open(writing.lines, 'w').catch((error: unknown) => {
    throw new UserError(`${target.path} could not be written: ${messageOf(error)}.`, 'Choose another place.');
  });
  try {
    const written =
      target.form === 'pairs'
        ? await writePairs(rows, file, { ...writing, messages })
        : await writeRows(rows, file, { ...writing, messages, form: target.form });
    return { ...written, messages };
  } finally {
    await file.close();
  }
}

/** Exact text needs every run to have it: one file has one form of messages. */
async function messageForm(rows: CuratedRows, writing: Writing): Promise<MessageForm> {
  const seen = new Set<number>();
  const { rollouts } = rows.joined;
  for (let index = 0; index < rollouts.count; index += 1) {
    const run = rollouts.run[index] ?? 0;
    if (seen.has(run)) continue;
    seen.add(run);
    const rollout = await readAgain(rows, index, writing);
    if (rollout !== null && !isExact(rollout)) return 'structured';
  }
  return 'exact';
}

async function readAgain(
  rows: CuratedRows,
  index: number,
  { reader }: Pick<Writing, 'reader'>,
): Promise<Rollout | null> {
  const { ref, run } = refOf(rows, index);
  const stored = await rolloutAt(run.table, ref.file, ref.row);
  return stored && reader.at(entryOf(run, ref.file).found, placeOfStored(stored));
}

interface RowWriting extends Writing {
  readonly messages: MessageForm;
  readonly form: 'messages' | 'verl';
}

async function writeRows(
  rows: CuratedRows,
  file: FileHandle,
  { form, messages, ...writing }: RowWriting,
): Promise<Omit<WrittenLines, 'messages'>> {
  const { joined, config } = rows;
  const chosen = chosenRollouts(rows, form);
  const shares = form === 'verl' ? sharesOf(rows) : [];
  const trajectories = config.stage === 'sft';
  let pending: string[] = [];
  let count = 0;
  let longestBytes = 0;
  const take = (rollout: Rollout, index: number): void => {
    const written = writtenOf(rows, {
      rollout,
      index,
      messages,
      images: writing.images,
      whole: form === 'messages' && trajectories,
    });
    const share = shares[joined.rollouts.prompt[index] ?? 0] ?? { rollouts: 1, right: 0, judged: 0 };
    const record =
      form === 'verl'
        ? verlRecord(written, count, share)
        : messagesRecord(written, trajectories ? 'trajectory' : 'prompt');
    const line = `${JSON.stringify(record)}\n`;
    longestBytes = Math.max(longestBytes, Buffer.byteLength(line));
    pending.push(line);
    count += 1;
  };
  const flush = async (): Promise<void> => {
    const text = pending.join('');
    pending = [];
    if (text !== '') await file.writeFile(text);
    await writing.images.caughtUp();
    writing.progress(count, chosen.length);
  };
  // Loaders take the types of nested lists from the first rows: one with calls goes first.
  const leader =
    messages === 'structured' && trajectories
      ? chosen.find((index) => (joined.rollouts.calls[index] ?? 0) > 0)
      : undefined;
  if (leader !== undefined) {
    const rollout = await readAgain(rows, leader, writing);
    if (rollout) take(rollout, leader);
  }
  await streamChosen(rows, {
    chosen: chosen.filter((index) => index !== leader),
    contents: writing.contents,
    reader: writing.reader,
    signal: writing.signal,
    rollout: take,
    caughtUp: flush,
  });
  await flush();
  return { count, gone: chosen.length - count, longestBytes };
}

/** Rollouts to write, ascending: kept trajectories, or one of each kept prompt. */
function chosenRollouts(
  { config, funnel, joined, count, rolloutOf }: CuratedRows,
  form: 'messages' | 'verl',
): readonly number[] {
  const chosen: number[] = [];
  const prompts = new Set<number>();
  for (let row = 0; row < count; row += 1) {
    if (funnel.dropper[row] !== droppers.kept) continue;
    const index = rolloutOf(row);
    const prompt = joined.rollouts.prompt[index] ?? 0;
    if (form === 'verl' && prompts.has(prompt)) continue;
    prompts.add(prompt);
    chosen.push(index);
  }
  return config.stage === 'sft' ? chosen : chosen.sort((a, b) => a - b);
}

function sharesOf({ joined: { rollouts, prompts } }: CuratedRows): readonly PromptShare[] {
  const shares = Array.from({ length: prompts.count }, () => ({ rollouts: 0, right: 0, judged: 0 }));
  for (let index = 0; index < rollouts.count; index += 1) {
    const share = shares[rollouts.prompt[index] ?? 0];
    if (!share) continue;
    share.rollouts += 1;
    if (rollouts.correct[index] !== 2) share.judged += 1;
    if (rollouts.correct[index] === 1) share.right += 1;
  }
  return shares;
}

interface ToWrite {
  readonly rollout: Rollout;
  readonly index: number;
  readonly messages: MessageForm;
  readonly images: ImageWriter;
  /** False where only the prompt's pictures are shown. */
  readonly whole: boolean;
}

function writtenOf(rows: CuratedRows, { rollout, index, messages: form, images, whole }: ToWrite): Written {
  const { rollouts } = rows.joined;
  const { ref, run } = refOf(rows, index);
  const messages = messagesOf(rollout, form);
  const named = (list: readonly number[]): readonly (string | null)[] =>
    list.map((image) => images.name(rollout.images[image]));
  const [inPrompt, inResponse] = [named(messages.promptImages), whole ? named(messages.responseImages) : []];
  const there = (list: readonly (string | null)[]): readonly string[] => list.filter((name) => name !== null);
  const correct = rollouts.correct[index] ?? 2;
  return {
    rollout,
    messages,
    promptImages: there(inPrompt),
    responseImages: there(inResponse),
    missingImages: [...inPrompt, ...inResponse].filter((name) => name === null).length,
    source: {
      run: run.found().name,
      file: ref.file,
      row: ref.row,
      step: rollouts.step[index] ?? 0,
      group: rollouts.group[index] ?? 0,
      correct: correct === 2 ? null : correct === 1,
      calls: rollouts.calls[index] ?? 0,
    },
  };
}

async function writePairs(
  rows: CuratedRows,
  file: FileHandle,
  { messages, ...writing }: Writing & { readonly messages: MessageForm },
): Promise<Omit<WrittenLines, 'messages'>> {
  const pairs = preferencePairs(rows);
  let count = 0;
  let longestBytes = 0;
  const lean: { index: number; written: Written | null } = { index: -1, written: null };
  const read = async (index: number): Promise<Written | null> => {
    const rollout = await readAgain(rows, index, writing);
    return rollout && writtenOf(rows, { rollout, index, messages, images: writing.images, whole: true });
  };
  for (const { chosen, rejected } of withCallsFirst(pairs, rows)) {
    writing.signal.throwIfAborted();
    if (lean.index !== chosen) {
      lean.index = chosen;
      lean.written = await read(chosen);
    }
    const wasteful = await read(rejected);
    if (lean.written && wasteful) {
      const line = `${JSON.stringify(pairRecord(lean.written, wasteful))}\n`;
      longestBytes = Math.max(longestBytes, Buffer.byteLength(line));
      await file.writeFile(line);
      count += 1;
    }
    await writing.images.caughtUp();
    writing.progress(count, pairs.length);
  }
  return { count, gone: pairs.length - count, longestBytes };
}

/** As for rows: the first record shows the types of calls on both sides, where any pair has them. */
function withCallsFirst(pairs: readonly Pair[], { joined: { rollouts } }: CuratedRows): readonly Pair[] {
  const first = pairs.find(({ chosen }) => (rollouts.calls[chosen] ?? 0) > 0);
  return first === undefined ? pairs : [first, ...pairs.filter((pair) => pair !== first)];
}

interface Counts {
  readonly count: number;
  readonly images: number;
  readonly gone: number;
  readonly messages: MessageForm;
}

/** What was chosen and how, for whoever trains on it. */
function manifestText(rows: CuratedRows, target: CurationExport, { count, images, gone, messages }: Counts): string {
  const { config, runs, funnel, data } = rows;
  const judged = rows.count === 0 ? null : judgesOf(rows);
  return `${JSON.stringify(
    {
      file: basename(target.path),
      form: target.form,
      format: target.format,
      messages: messages === 'exact' ? 'exact text of the log' : 'structured calls',
      stage: config.stage,
      records: count,
      images: {
        count: images,
        as: target.images,
        folder: target.images === 'files' && images > 0 ? `${basename(target.path)}-images` : null,
      },
      records_gone: gone,
      funnel: funnelOf(rows),
      filters: funnel.parts.map(({ filter }) => ({ filter: filter.id, on: !config.off.includes(filter.id) })),
      config,
      tool_free: data.toolFree?.source ?? null,
      judge: judged,
      runs: runs.map((run) => {
        const { id, name, path, producer, files, rollouts, rewardThreshold } = run.summary();
        const formats = [...new Set(run.files.entries().map(({ found }) => found.recognition.format))];
        const readers = formats.map((format) => ({ format, version: readerOf(format)?.version ?? null }));
        return { id, name, path, producer, files, rollouts, reward_threshold: rewardThreshold, readers };
      }),
      versions: { filters: filtersVersion, node: process.version },
      written_at: new Date().toISOString(),
    },
    null,
    1,
  )}\n`;
}

/** Which judge the rows were judged by. */
function judgesOf(rows: CuratedRows): { readonly judge: string; readonly prompt: string } | null {
  for (let row = 0; row < rows.count; row += 1) {
    const judgement = rows.judgementOf(row);
    if (judgement !== null) return { judge: judgement.judge, prompt: judgement.pair };
  }
  return null;
}

async function writeWhole(path: string, text: string): Promise<void> {
  const file = await open(path, 'w');
  try {
    await file.writeFile(text);
  } finally {
    await file.close();
  }
}
