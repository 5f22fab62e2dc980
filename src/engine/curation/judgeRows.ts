/**
 * Asks a judge about rows: several requests in flight, waiting longer after each failure and as long as a server asks,
 * each answer kept at once, so that a run that was cut off goes on where it stood. An answer that is none is asked for once
 * more, and a judge that stays down ends the whole. Leaves out what is sent (judgeText.ts) and how (the host, or the command line).
 */
import { setTimeout as wait } from 'node:timers/promises';
import { isAbort, messageOf, UserError } from '../../base/errors.ts';
import { durationText, pluralText } from '../../base/numberText.ts';
import type { CurationStage, JudgeHostApi } from '../../protocol/curation.ts';
import type { ParamsOf, ResultOf } from '../../protocol/rpc.ts';
import { answerIn, answerTokens, judgePromptOf, type JudgeAnswer } from './judgeText.ts';

/** Sends one prompt. */
export type AskJudge = (
  params: ParamsOf<JudgeHostApi['askJudge']>,
  signal: AbortSignal,
) => Promise<ResultOf<JudgeHostApi['askJudge']>>;

/** What is judged, by whom. */
export interface Judging {
  readonly rows: readonly number[];
  readonly stage: CurationStage;
  readonly prompt: string;
  readonly judge: string;
  /** Requests in flight. */
  readonly concurrency: number;
  readonly ask: AskJudge;
  /** What the judge sees of a row; null where its record is gone. */
  readonly recordOf: (row: number) => Promise<string | null>;
  /** Keeps an answer. */
  readonly keep: (row: number, answer: JudgeAnswer) => Promise<void>;
  readonly progress: (done: number, of: number) => void;
  readonly signal: AbortSignal;
  /** Hears in a sentence that the judge failed and is asked again, and when. */
  readonly waits?: (sentence: string) => void;
  /** First wait after a failure; default 1,000 ms. */
  readonly firstWaitMs?: number;
}

/** How it went. */
export interface JudgeOutcome {
  readonly judged: number;
  readonly failed: number;
  readonly firstFailure: string | null;
}

/** Requests about one row that fail in a way that asking again can help. */
const mostTries = 6;
/** Answers that are asked for about one row, where the first cannot be read. */
export const mostAnswers = 2;
const longestWaitMs = 120_000;
const mostConcurrency = 64;
/** So many failures in a row that asking again cannot change end the whole: no key, no such model. */
const mostHopeless = 3;
/** So many rows in succession that were given up after all tries end it too: the judge is down. */
const mostLost = 3;

/** Asks about all rows; rejects on abort, and with the judge's sentence where nothing can be asked at all. */
export async function judgeRows(judging: Judging): Promise<JudgeOutcome> {
  const { rows, signal, progress } = judging;
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const sums = { judged: 0, failed: 0, hopeless: 0, lost: 0 };
  let firstFailure: string | null = null;
  let next = 0;
  const failed = ({ failure: why, hopeless, lost }: RowFailure): void => {
    sums.failed += 1;
    firstFailure ??= why;
    sums.hopeless = hopeless ? sums.hopeless + 1 : 0;
    sums.lost = lost ? sums.lost + 1 : 0;
    if ((sums.hopeless >= mostHopeless && sums.judged === 0) || sums.lost >= mostLost) stop.abort();
  };
  const work = async (): Promise<void> => {
    while (next < rows.length && !either.aborted) {
      const row = rows[next] ?? 0;
      next += 1;
      const outcome = await judgeRow(judging, row, either).catch((error: unknown) => {
        // What the others of a stopped round were doing is no failure of theirs.
        if (isAbort(error) || either.aborted) return null;
        throw error;
      });
      if (outcome === null) return;
      if ('answer' in outcome) {
        await judging.keep(row, outcome.answer);
        sums.judged += 1;
        sums.hopeless = 0;
        sums.lost = 0;
      } else failed(outcome);
      progress(sums.judged + sums.failed, rows.length);
    }
  };
  const workers = Math.min(mostConcurrency, Math.max(1, Math.trunc(judging.concurrency) || 1), rows.length);
  await Promise.all(
    Array.from({ length: workers }, () =>
      work().catch((error: unknown) => {
        stop.abort();
        throw error;
      }),
    ),
  );
  signal.throwIfAborted();
  if (stop.signal.aborted) {
    const [given, kept] =
      sums.lost >= mostLost
        ? [` It was given up after ${mostTries} attempts at each of ${pluralText(sums.lost, 'row')}.`, sums.judged]
        : ['', 0];
    throw new UserError(
      `The judge cannot be asked: ${firstFailure ?? 'it does not answer.'}${given}${kept > 0 ? ` ${pluralText(kept, 'answer')} before that ${kept === 1 ? 'is' : 'are'} kept.` : ''}`,
      'Check its address, model and key.',
    );
  }
  return { judged: sums.judged, failed: sums.failed, firstFailure };
}

interface RowFailure {
  readonly failure: string;
  /** Asking again cannot help. */
  readonly hopeless: boolean;
  /** It was asked as often as it may be, and did not answer. */
  readonly lost: boolean;
}

type RowOutcome = { readonly answer: JudgeAnswer } | RowFailure;

async function judgeRow(judging: Judging, row: number, signal: AbortSignal): Promise<RowOutcome> {
  const record = await judging.recordOf(row);
  if (record === null) return { failure: 'The record has changed since it was indexed.', hopeless: false, lost: false };
  const params = { judge: judging.judge, prompt: judgePromptOf(judging.prompt, record), maximumTokens: answerTokens };
  let nonsense = 0;
  let failure = '';
  for (let tries = 0; tries < mostTries; tries += 1) {
    signal.throwIfAborted();
    const said = await judging.ask(params, signal).catch((error: unknown) => {
      if (isAbort(error) || signal.aborted) throw error;
      return { text: null, failure: messageOf(error), retryAfterMs: null, again: false };
    });
    if (said.text !== null) {
      const answer = answerIn(said.text);
      if (answer !== null) return { answer };
      nonsense += 1;
      failure = `The judge answered something else than a score and a reason: “${said.text.trim().slice(0, 80)}”`;
      if (nonsense >= mostAnswers) return { failure, hopeless: false, lost: false };
      continue;
    }
    failure = said.failure ?? 'The judge did not answer.';
    if (!said.again) return { failure, hopeless: true, lost: false };
    if (tries + 1 === mostTries) break;
    const own = (judging.firstWaitMs ?? 1_000) * 2 ** tries;
    const waitMs = Math.min(longestWaitMs, Math.max(said.retryAfterMs ?? 0, own));
    judging.waits?.(`${failure} Attempt ${tries + 1} of ${mostTries}; asked again in ${durationText(waitMs)}.`);
    await wait(waitMs, undefined, { signal });
  }
  return { failure, hopeless: false, lost: true };
}
