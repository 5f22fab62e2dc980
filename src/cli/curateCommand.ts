/**
 * `curate`: what of a run is worth training on. Prints the funnel as JSON; with --out it writes the kept rows and a manifest
 * beside them. Nothing is sent anywhere unless --judge names an endpoint, and then what it takes is said first.
 * Leaves out filters, judging and files (engine/curation).
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, extname, resolve } from 'node:path';
import { messageOf, UserError } from '../base/errors.ts';
import { isObject } from '../base/json.ts';
import { countText, pluralText } from '../base/numberText.ts';
import { checkedConfig } from '../engine/curation/checkedConfig.ts';
import { curationHandlers } from '../engine/curation/curationHandlers.ts';
import { mostAnswers } from '../engine/curation/judgeRows.ts';
import { writeCurationRows } from './writeCurationRows.ts';
import { judgedFilters } from '../analysis/curation/all.ts';
import { createRolloutReader } from '../engine/rolloutReader.ts';
import type { Library } from '../engine/library.ts';
import type { RunIndex } from '../engine/runIndex.ts';
import type { CurationApi, CurationConfig, CurationExport, CurationExported, Funnel } from '../protocol/curation.ts';
import type { JudgeEndpoint } from '../protocol/judgeEndpoint.ts';
import { judgePrompts } from '../protocol/judgePrompt.ts';
import type { Handlers } from '../protocol/rpc.ts';
import { printJson, problem, sentenceOf, sharedOptions, UsageError, type Arguments, type Command } from './command.ts';
import { askJudgeAt, judgeAddress, judgeKeyVariable } from './judgeEndpoint.ts';
import { generateToolFree } from './generateToolFree.ts';
import { cacheFolder, onlyPath, reportNotes, runOptions, withLibrary } from './openLogs.ts';

/** The row of cli.ts's table. */
export const curateCommand: Command = {
  usage: 'curate PATH --stage sft|rl [--out FILE] [--rows FILE] [--config FILE] [--judge URL --judge-model NAME]',
  sentence: 'prints what of the runs at PATH is worth training on, and writes it to FILE',
  options: {
    stage: 'sft (trajectories) or rl (prompts)',
    out: 'FILE  .jsonl or .parquet for the kept rows; FILE.manifest.json and pictures go beside it. Without it only the funnel is printed',
    rows: 'FILE  JSON lines: each row with the filter that drops it (null: none), the reason and the evidence',
    form: 'messages (default for sft), verl (default for rl) or pairs',
    images: 'files (default: in a folder beside FILE) or uris (inside the records)',
    config: 'FILE  JSON with filters and thresholds, as the Curate view saves it',
    base: 'PATH  log of the base model, for prompts that it solves without tools',
    'generate-with': 'DIR   ONNX model that generates the missing tool-free samples, here',
    judge: `URL   of an OpenAI-compatible endpoint, with /v1; its key is read from ${judgeKeyVariable}`,
    'judge-model': 'NAME  of the judge’s model',
    'judge-prompt': 'FILE  text that the judge is asked with (default: ours)',
    'judge-requests': 'N     requests in flight (default 4)',
    ...runOptions,
    ...sharedOptions,
  },
  json: false,
  run: curate,
};

const usualRequests = 4;

async function curate(given: Arguments): Promise<boolean> {
  const path = onlyPath(given, 'curate');
  checkTogether(given);
  const config = await configOf(given);
  const target = targetOf(given, config);
  const rowsFile = rowsFileOf(given);
  const judge = await judgeOf(given, config);
  // Ctrl+C ends it like a cancel: what was written under a temporary name goes.
  const stop = new AbortController();
  process.once('SIGINT', () => {
    stop.abort();
  });
  // The library takes `--out` for a folder of shards.
  const library = { ...given, option: (name: string) => (name === 'out' ? null : given.option(name)) };
  return withLibrary(library, async (opened) => {
    const { runs, readable } = await openedRuns(opened, path, given.option('run'));
    const base = given.option('base');
    const withBase = base === null ? config : await baseOf(opened, base, config);
    const loaded = runs.map(({ id }) => id);
    const handlers = handlersOf(opened, judge);
    try {
      const model = given.option('generate-with');
      const whole: CurationConfig = model === null ? withBase : { ...withBase, toolFreeFrom: { kind: 'generated' } };
      const question = { runs: loaded, config: whole };
      if (model !== null) {
        await generateToolFree(question, { model: resolve(model), handlers, library: opened, signal: stop.signal });
      }
      // What is known is printed whatever fails later: the funnel shows why nothing is kept.
      const { signal } = stop;
      const judged =
        judge === null
          ? null
          : await judgeAll(question, { judge, handlers, signal }).catch(async (error: unknown) => {
              if (error instanceof UserError && !signal.aborted)
                await printJson(shown(await handlers.funnel(question, signal)));
              throw error;
            });
      const funnel = await handlers.funnel(question, signal);
      const judgeText = judged === null ? {} : { judge: judged };
      if (base !== null) warnOfBase(base, funnel);
      const rowsText = rowsFile === null ? {} : { rows_file: rowsFile };
      if (rowsFile !== null) await writeCurationRows(rowsFile, question, { handlers, signal });
      const known = { ...shown(funnel), ...judgeText, ...rowsText };
      const written = target === null ? null : await exported(question, target, { handlers, signal, known });
      await printJson({ ...known, ...writtenText(written) });
      if (target !== null && written !== null) explainRecords(target, funnel, written.rows);
      if (judged !== null && judged.failed > 0)
        problem(`warning: ${pluralText(judged.failed, 'row')} could not be judged: ${judged.first_failure ?? ''}`);
      return readable && (judged === null || judged.failed === 0);
    } catch (error) {
      if (stop.signal.aborted) throw new UserError('Cancelled; nothing was written.');
      throw error;
    }
  });
}

/** Options that decide the same, or that another one needs. */
function checkTogether(given: Arguments): void {
  if (given.option('base') !== null && given.option('generate-with') !== null) {
    throw new UsageError('--base and --generate-with both give tool-free rollouts: choose one');
  }
  for (const name of ['judge-model', 'judge-prompt', 'judge-requests']) {
    if (given.option(name) !== null && given.option('judge') === null)
      throw new UsageError(`--${name} goes with --judge URL`);
  }
}

interface Exporting {
  readonly handlers: Handlers<CurationApi>;
  readonly signal: AbortSignal;
  /** What is printed where it fails. */
  readonly known: Readonly<Record<string, unknown>>;
}

/** Writes the kept rows; where that is refused, the funnel is printed all the same. */
async function exported(
  question: Parameters<Handlers<CurationApi>['funnel']>[0],
  target: CurationExport,
  { handlers, signal, known }: Exporting,
): Promise<CurationExported> {
  try {
    return await handlers.exportCuration({ ...question, target }, signal);
  } catch (error) {
    if (error instanceof UserError && !signal.aborted) await printJson(known);
    throw error;
  }
}

async function configOf(given: Arguments): Promise<CurationConfig> {
  const file = given.option('config');
  const stage = given.option('stage');
  const values = file === null ? {} : await jsonIn(file);
  if (stage === null && !('stage' in values)) throw new UsageError('curate needs --stage sft or --stage rl');
  if (stage !== null && stage !== 'sft' && stage !== 'rl') throw new UsageError(`--stage ${stage}: choose sft or rl`);
  try {
    const config = checkedConfig({ ...(stage === null ? {} : { stage }), ...values });
    if (stage !== null && config.stage !== stage)
      throw new UsageError(
        `--stage ${stage}: --config ${file ?? ''} is for stage ${config.stage}; give one of the two`,
      );
    return config;
  } catch (error) {
    if (error instanceof UserError) throw new UsageError(`${file ?? ''}: ${sentenceOf(error)}`);
    throw error;
  }
}

async function jsonIn(file: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    const value: unknown = JSON.parse(await readFile(file, 'utf8'));
    if (isObject(value)) return value;
  } catch (error) {
    throw new UsageError(`--config ${file} cannot be read: ${messageOf(error)}`);
  }
  throw new UsageError(`--config ${file} holds no JSON object`);
}

function targetOf(given: Arguments, { stage }: CurationConfig): CurationExport | null {
  const out = given.option('out');
  const form = given.option('form') ?? (stage === 'sft' ? 'messages' : 'verl');
  const images = given.option('images') ?? 'files';
  if (form !== 'messages' && form !== 'verl' && form !== 'pairs')
    throw new UsageError(`--form ${form}: choose messages, verl or pairs`);
  if (images !== 'files' && images !== 'uris') throw new UsageError(`--images ${images}: choose files or uris`);
  if (out === null) return null;
  const ending = extname(out).toLowerCase();
  if (ending !== '.jsonl' && ending !== '.parquet') throw new UsageError(`--out ${out}: end it in .jsonl or .parquet`);
  if (!existsSync(dirname(resolve(out)))) throw new UsageError(`--out ${out}: its folder does not exist`);
  const format = ending === '.parquet' ? 'parquet' : 'jsonl';
  return { path: resolve(out), format, form, images: images === 'files' ? 'files' : 'data URIs' };
}

interface GivenJudge extends Pick<JudgeEndpoint, 'address' | 'model'> {
  readonly prompt: string;
  readonly concurrency: number;
}

async function judgeOf(given: Arguments, { stage, off }: CurationConfig): Promise<GivenJudge | null> {
  const url = given.option('judge');
  if (url === null) return null;
  const model = given.option('judge-model');
  if (model === null) throw new UsageError('--judge needs --judge-model NAME');
  if (off.includes(judgedFilters[stage])) throw new UsageError(`--judge: the filter ${judgedFilters[stage]} is off`);
  const file = given.option('judge-prompt');
  const prompt =
    file === null
      ? judgePrompts[stage]
      : await readFile(file, 'utf8').catch((error: unknown) => {
          throw new UsageError(`--judge-prompt ${file} cannot be read: ${messageOf(error)}`);
        });
  const concurrency = Number(given.option('judge-requests') ?? usualRequests);
  if (!Number.isInteger(concurrency) || concurrency < 1)
    throw new UsageError('--judge-requests takes a whole number from 1 on');
  return { address: judgeAddress(url), model, prompt, concurrency };
}

/** All runs at the path, or the one that is named, read to their end. */
async function openedRuns(
  library: Library,
  path: string,
  wanted: string | null,
): Promise<{ readonly runs: readonly RunIndex[]; readonly readable: boolean }> {
  const { runs, notes } = await library.open(path);
  const chosen = wanted === null ? runs : runs.filter(({ id }) => id === wanted);
  if (chosen.length === 0) throw new UsageError(`${path} holds no run ${wanted ?? ''}`);
  for (const run of chosen) await run.whenSettled();
  if (chosen.length > 1)
    problem(
      `curates ${pluralText(chosen.length, 'run')} together: ${chosen.map((run) => run.found().name).join(', ')}`,
    );
  return { runs: chosen, readable: reportNotes([...notes, ...chosen.flatMap((run) => run.notes())]) };
}

async function baseOf(library: Library, path: string, config: CurationConfig): Promise<CurationConfig> {
  const { runs } = await library.open(resolve(path));
  const [run, ...others] = runs;
  if (run === undefined || others.length > 0)
    throw new UsageError(`--base ${path} holds ${runs.length} runs; name one`);
  await run.whenSettled();
  return { ...config, toolFreeFrom: { kind: 'run', run: run.id } };
}

function rowsFileOf(given: Arguments): string | null {
  const file = given.option('rows');
  if (file === null) return null;
  if (!existsSync(dirname(resolve(file)))) throw new UsageError(`--rows ${file}: its folder does not exist`);
  const out = given.option('out');
  if (out !== null && resolve(out) === resolve(file)) throw new UsageError('--rows and --out name one file');
  return resolve(file);
}

/** A base model whose log decides nothing was given in vain. */
function warnOfBase(base: string, { stage, stages }: Funnel): void {
  if (stage === 'rl') {
    problem(`warning: --base ${base} decides nothing: only the filters of --stage sft look at tool-free rollouts`);
    return;
  }
  const part = stages.find(({ filter }) => filter === 'tool-free-solvable');
  if (part !== undefined && part.entered > 0 && part.undecided === part.entered)
    problem(`warning: --base ${base} decides nothing of ${pluralText(part.entered, 'row')}: ${part.coverage}`);
}

/** Why a file has another number of records than rows are kept. */
function explainRecords({ form }: CurationExport, { stage, kept }: Funnel, records: number): void {
  const rows = stage === 'sft' ? pluralText(kept, 'trajectory', 'trajectories') : pluralText(kept, 'prompt');
  const why =
    form === 'pairs'
      ? 'a record is a pair: the leanest right rollout of a group, and a right one with more calls'
      : form === 'verl' && stage === 'sft'
        ? 'a record is a prompt, however many of its trajectories are kept'
        : 'the others have changed since they were indexed';
  if (form === 'pairs' || records !== kept)
    process.stderr.write(`${pluralText(records, 'record')} of ${rows} kept: ${why}
`);
}

function handlersOf(library: Library, judge: GivenJudge | null): Handlers<CurationApi> {
  return curationHandlers({
    storage: cacheFolder(),
    temporaryFolder: library.temporaryFolder,
    contents: library.contents,
    reader: createRolloutReader(library.contents),
    loaded: (run) => Promise.resolve(library.run(run)),
    isOpen: () => true,
    tell: { curationProgress: () => undefined },
    askJudge: judge === null ? null : askJudgeAt(judge),
    judgeWaits: (sentence) => {
      problem(`judge: ${sentence}`);
    },
  });
}

interface Judging {
  readonly judge: GivenJudge;
  readonly handlers: Handlers<CurationApi>;
  readonly signal: AbortSignal;
}

/** Says what it takes, then asks. */
async function judgeAll(
  question: Parameters<Handlers<CurationApi>['funnel']>[0],
  { judge, handlers, signal }: Judging,
) {
  const id = `${judge.model} at ${judge.address}`;
  const asked = { ...question, prompt: judge.prompt, judge: id };
  const { requests, cached, promptTokens, answerTokens } = await handlers.estimateJudge(asked, signal);
  problem(
    `judge: ${pluralText(requests, 'request')} to ${id}, at most ${countText(mostAnswers * requests)} as an answer that cannot be read is asked for once more, about ${countText(promptTokens)} tokens and at most ${countText(answerTokens)} in answers; ${countText(cached)} answers are kept from before`,
  );
  const { judged, failed, firstFailure } = await handlers.judge({ ...asked, concurrency: judge.concurrency }, signal);
  return { name: id, judged, cached, failed, first_failure: firstFailure };
}

/** The funnel in the names of the command line. */
function shown({ stage, rows, kept, stages, overruled, byHand, notes }: Funnel) {
  return { stage, rows, kept, dropped: rows - kept, by_hand: byHand, overruled, stages, notes };
}

function writtenText(written: CurationExported | null) {
  if (written === null) return {};
  const { path, manifest, rows, images } = written;
  return { out: path, manifest, records: rows, images };
}
