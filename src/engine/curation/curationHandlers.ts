/**
 * What the engine answers about curation: funnels, pages of rows, the user's word, the judge, exports. Progress is told as
 * events, a few a second. Leaves out how each is done (the files beside this one).
 */
import { wilsonInterval } from '../../analysis/intervals.ts';
import { isAbort, messageOf, UserError } from '../../base/errors.ts';
import type { CurationApi, CurationConfig, CurationEvents, JudgeEstimate } from '../../protocol/curation.ts';
import type { RunId } from '../../protocol/engine.ts';
import type { Emitter, Handlers } from '../../protocol/rpc.ts';
import { rolloutAt } from '../../store/questions.ts';
import { entryOf, placeOfStored } from '../readEpisode.ts';
import type { RolloutReader } from '../rolloutReader.ts';
import { fitting, pageOf } from '../rows.ts';
import type { RunIndex } from '../runIndex.ts';
import type { UnwrappedFiles } from '../unwrappedFiles.ts';
import { checkedConfig } from './checkedConfig.ts';
import { createCurations, funnelOf, rowsToJudge, type CuratedRows, type CurationQuestion } from './curation.ts';
import { createCurationFacts } from './curationFacts.ts';
import { exportCuration } from './exportCuration.ts';
import { hexOf } from './factsOfRun.ts';
import { isRowKey, judgementKey, openKeptRows, toolFreeKey } from './keptRows.ts';
import { judgeRows, type AskJudge } from './judgeRows.ts';
import { answerTokens, frameCharacters, longestRecord, pairOf, recordOf } from './judgeText.ts';
import { refOf, rowPage } from './rowPages.ts';

/** What the handlers stand on. */
export interface CurationOptions {
  readonly storage: string;
  readonly temporaryFolder: string;
  readonly contents: UnwrappedFiles;
  readonly reader: RolloutReader;
  /** A run whose shards are in its table; UserError where it is not open. */
  readonly loaded: (run: RunId) => Promise<RunIndex>;
  readonly isOpen: (run: RunId) => boolean;
  readonly tell: Emitter<CurationEvents>;
  /** Null where nobody can send anything. */
  readonly askJudge: AskJudge | null;
  /** Hears in a sentence that the judge failed and is asked again. */
  readonly judgeWaits?: (sentence: string) => void;
}

const tellEveryMs = 200;
const charactersOfToken = 4;

/** The handlers over open runs. */
export function curationHandlers(options: CurationOptions): Handlers<CurationApi> {
  const handlers = openHandlers(options);
  /** The table of a run is gone once it is closed, which is no bug of the question. */
  const whileOpen =
    <Params extends { readonly runs: readonly RunId[] }, Result>(
      ask: (params: Params, signal: AbortSignal) => Result | Promise<Result>,
    ) =>
    async (params: Params, signal: AbortSignal): Promise<Result> => {
      try {
        return await ask(params, signal);
      } catch (error) {
        if (isAbort(error) || error instanceof UserError || params.runs.every(options.isOpen)) throw error;
        throw new UserError('This run was closed before the answer was ready.', 'Open its folder or file again.');
      }
    };
  return {
    ...handlers,
    prepareCuration: whileOpen(handlers.prepareCuration),
    funnel: whileOpen(handlers.funnel),
    curationRows: whileOpen(handlers.curationRows),
    estimateJudge: whileOpen(handlers.estimateJudge),
    judge: whileOpen(handlers.judge),
    judgeAgreement: whileOpen(handlers.judgeAgreement),
    toolFreeWanted: whileOpen(handlers.toolFreeWanted),
    exportCuration: whileOpen(handlers.exportCuration),
  };
}

function openHandlers(options: CurationOptions): Handlers<CurationApi> {
  const { storage, contents, reader, loaded, tell } = options;
  const kept = openKeptRows(storage);
  const progressOf = (what: 'reading' | 'judging' | 'exporting'): ((done: number, of: number) => void) => {
    let toldAtMs = 0;
    return (done, of) => {
      const now = Date.now();
      if (now - toldAtMs < tellEveryMs && done < of) return;
      toldAtMs = now;
      tell.curationProgress({ what, done, of });
    };
  };
  const curations = createCurations({
    facts: createCurationFacts(contents),
    kept,
    loaded,
    progress: progressOf('reading'),
  });
  const rowsOf = (question: CurationQuestion, signal: AbortSignal): Promise<CuratedRows> =>
    curations.rows({ runs: question.runs, config: checkedConfig(question.config) }, signal);
  const recordOfRow = async (rows: CuratedRows, row: number): Promise<string | null> => {
    const { ref, run } = refOf(rows, rows.rolloutOf(row));
    const stored = await rolloutAt(run.table, ref.file, ref.row);
    const rollout = stored && (await reader.at(entryOf(run, ref.file).found, placeOfStored(stored)));
    return rollout && recordOf(rollout, rows.config.stage);
  };
  /** Rows without an answer of this judge to this prompt; rows that say the same are asked about once. */
  const unanswered = async (
    rows: CuratedRows,
    pair: string,
  ): Promise<{ readonly open: readonly number[]; readonly cached: number }> => {
    const judgements = await kept.judgements.all();
    const asked = new Set<string>();
    let cached = 0;
    const open = rowsToJudge(rows).filter((row) => {
      const content = rows.contentOf(row);
      if (judgements.has(judgementKey(pair, content))) cached += 1;
      else if (!asked.has(content)) {
        asked.add(content);
        return true;
      }
      return false;
    });
    return { open, cached };
  };

  return {
    prepareCuration: async ({ runs }, signal) => ({ rollouts: await curations.prepare(runs, signal) }),
    funnel: async (question, signal) => funnelOf(await rowsOf(question, signal)),
    curationRows: async ({ filter, first, count, ...question }, signal) =>
      rowPage(await rowsOf(question, signal), { filter, first, count }, { reader, signal }),
    overrule: async ({ key, verdict }) => {
      if (!isRowKey(key)) throw new UserError('This row is gone: the log has changed.', 'Look at the funnel again.');
      await kept.overrules.add([{ key, verdict }]).catch(notKept);
      return null;
    },
    estimateJudge: async ({ prompt, judge, ...question }, signal): Promise<JudgeEstimate> => {
      const rows = await rowsOf(question, signal);
      const { open, cached } = await unanswered(rows, pairOf(prompt, judge));
      const characters = open.reduce((sum, row) => sum + Math.min(longestRecord, charactersOf(rows, row)), 0);
      const around = open.length * (prompt.length + frameCharacters);
      return {
        requests: open.length,
        cached,
        promptTokens: Math.ceil((characters + around) / charactersOfToken),
        answerTokens: open.length * answerTokens,
      };
    },
    judge: async ({ prompt, judge, concurrency, ...question }, signal) => {
      const { askJudge } = options;
      if (askJudge === null) throw new UserError('No judge can be asked here.', 'Set up a judge first.');
      const rows = await rowsOf(question, signal);
      const pair = pairOf(prompt, judge);
      const { stage } = rows.config;
      const { open } = await unanswered(rows, pair);
      // From now on the stage goes by this judge and prompt, with the answers that are kept already.
      await kept.judgements.add([{ stage, use: pair, judge }]).catch(notKept);
      return judgeRows({
        rows: open,
        stage,
        prompt,
        judge,
        concurrency,
        ask: askJudge,
        recordOf: (row) => recordOfRow(rows, row),
        keep: (row, answer) =>
          kept.judgements.add([{ pair, row: rows.contentOf(row), ...answer, judge }]).catch(notKept),
        progress: progressOf('judging'),
        signal,
        ...(options.judgeWaits === undefined ? {} : { waits: options.judgeWaits }),
      });
    },
    judgeAgreement: async (question, signal) => {
      const rows = await rowsOf(question, signal);
      let agree = 0;
      let of = 0;
      for (let row = 0; row < rows.count; row += 1) {
        const word = rows.byHand[row] ?? 0;
        const score = rows.data.scores[row] ?? Number.NaN;
        if (word === 0 || Number.isNaN(score)) continue;
        of += 1;
        if (score < rows.config.judgeThreshold === (word === 2)) agree += 1;
      }
      const interval = wilsonInterval(agree, of);
      return { agree, of, low: interval?.low ?? null, high: interval?.high ?? null };
    },
    toolFreeWanted: async ({ first, count, ...question }, signal) => {
      const rows = await rowsOf({ ...question, config: generated(question.config) }, signal);
      const { joined, config } = rows;
      // Samples that could not be judged count here: to draw them again would change nothing.
      const have = new Map<string, number>();
      for (const { key, samples } of (await kept.toolFree.all()).values()) {
        have.set(key, (have.get(key) ?? 0) + samples.length);
      }
      const haveOf = (prompt: number): number => have.get(hexOf(joined.prompts.hash, prompt)) ?? 0;
      const wanted: number[] = [];
      for (let prompt = 0; prompt < joined.prompts.count; prompt += 1) {
        if (haveOf(prompt) < config.toolFreeSamples) wanted.push(prompt);
      }
      const page = pageOf({ first, count });
      const shown = wanted.slice(page.first, page.first + page.count).map((prompt) => ({
        key: hexOf(joined.prompts.hash, prompt),
        ref: refOf(rows, joined.prompts.first[prompt] ?? 0).ref,
        have: haveOf(prompt),
      }));
      return fitting({ rows: shown, total: wanted.length });
    },
    keepToolFree: async (samples) => {
      if (!isRowKey(samples.key)) throw new UserError('This prompt is gone: the log has changed.');
      const before = (await kept.toolFree.all()).get(toolFreeKey(samples))?.samples ?? [];
      await kept.toolFree.add([{ ...samples, samples: [...before, ...samples.samples] }]).catch(notKept);
      return null;
    },
    exportCuration: async ({ target, ...question }, signal) => {
      const rows = await rowsOf(question, signal);
      const { temporaryFolder } = options;
      return exportCuration(rows, target, {
        contents,
        reader,
        signal,
        temporaryFolder,
        progress: progressOf('exporting'),
      });
    },
  };
}

function generated(config: CurationConfig): CurationConfig {
  return { ...config, toolFreeFrom: { kind: 'generated' } };
}

function charactersOf({ config, joined }: CuratedRows, row: number): number {
  if (config.stage === 'sft') return joined.rollouts.characters[row] ?? 0;
  const tokens = joined.prompts.tokens[row] ?? 0;
  return tokens * charactersOfToken;
}

function notKept(error: unknown): never {
  throw new UserError(`It could not be kept: ${messageOf(error)}.`, 'Check the rights and the free space.');
}
