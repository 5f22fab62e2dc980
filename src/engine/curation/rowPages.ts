/**
 * Pages of the rows of a funnel: what a filter dropped with reason and evidence, what was dropped by hand, what is kept.
 * What a sentence quotes of a call is read again in the log, for the rows of the page alone.
 * Leaves out the funnel (curation.ts).
 */
import { droppers } from '../../analysis/curation/funnel.ts';
import { isFailure, unrecoveredCalls } from '../../analysis/curation/executionFailure.ts';
import { feedbackOf } from '../../analysis/curation/feedback.ts';
import type { NamedValue, Rollout } from '../../model/rollout.ts';
import type { CurationFilter, CurationRow } from '../../protocol/curation.ts';
import type { Page, PageRequest, RolloutRef } from '../../protocol/engine.ts';
import { rolloutAt, type StoredRollout } from '../../store/questions.ts';
import { fitting, pageOf } from '../rows.ts';
import { entryOf, placeOfStored } from '../readEpisode.ts';
import type { RolloutReader } from '../rolloutReader.ts';
import type { RunIndex } from '../runIndex.ts';
import type { CuratedRows } from './curation.ts';

/** Which rows. */
export interface RowsWanted extends PageRequest {
  readonly filter: CurationFilter | 'by hand' | 'all' | null;
}

/** What is needed to read rows again. */
export interface RowReading {
  readonly reader: RolloutReader;
  readonly signal: AbortSignal;
}

const mostRows = 200;

/** One page in the order of rows. */
export async function rowPage(rows: CuratedRows, wanted: RowsWanted, reading: RowReading): Promise<Page<CurationRow>> {
  const dropper = dropperOf(rows, wanted.filter);
  const { first, count } = pageOf(wanted);
  const chosen: number[] = [];
  let total = 0;
  for (let row = 0; row < rows.count; row += 1) {
    if (dropper !== null && rows.funnel.dropper[row] !== dropper) continue;
    if (total >= first && chosen.length < Math.min(count, mostRows)) chosen.push(row);
    total += 1;
  }
  const tally = rollsOfPrompts(rows, chosen);
  const found: CurationRow[] = [];
  for (const row of chosen) {
    reading.signal.throwIfAborted();
    found.push(await curationRow(rows, row, { ...reading, tally }));
  }
  return fitting({ rows: found, total });
}

/** Null for all rows. */
function dropperOf({ funnel }: CuratedRows, filter: RowsWanted['filter']): number | null {
  if (filter === 'all') return null;
  if (filter === null) return droppers.kept;
  if (filter === 'by hand') return droppers.byHand;
  const index = funnel.parts.findIndex((part) => part.filter.id === filter);
  // A filter of the other stage dropped nothing.
  return index < 0 ? Number.NaN : index;
}

/** Where a rollout of the joined list is logged. */
export function refOf(
  { runs, facts, joined }: CuratedRows,
  rollout: number,
): { readonly ref: RolloutRef; readonly run: RunIndex } {
  const at = joined.rollouts.run[rollout] ?? 0;
  const [run, own] = [runs[at], facts[at]?.rows];
  if (!run || !own) throw new Error(`no run ${at}`);
  const row = joined.origin[rollout] ?? 0;
  return { ref: { run: run.id, file: own.files[own.file[row] ?? 0] ?? '', row: own.row[row] ?? 0 }, run };
}

interface PromptTally {
  rollouts: number;
  judged: number;
  right: number;
  calls: number;
}

interface Showing extends RowReading {
  readonly tally: ReadonlyMap<number, PromptTally>;
}

/** Rollouts of the prompts of a page; one pass for all of them. */
function rollsOfPrompts(
  { config, joined: { rollouts } }: CuratedRows,
  chosen: readonly number[],
): ReadonlyMap<number, PromptTally> {
  if (config.stage === 'sft') return new Map();
  const tallies = new Map(
    chosen.map((prompt): [number, PromptTally] => [prompt, { rollouts: 0, judged: 0, right: 0, calls: 0 }]),
  );
  for (let row = 0; row < rollouts.count; row += 1) {
    const tally = tallies.get(rollouts.prompt[row] ?? 0);
    if (tally === undefined) continue;
    const correct = rollouts.correct[row] ?? 2;
    tally.rollouts += 1;
    tally.calls += rollouts.calls[row] ?? 0;
    if (correct === 2) continue;
    tally.judged += 1;
    tally.right += correct;
  }
  return tallies;
}

async function curationRow(rows: CuratedRows, row: number, showing: Showing): Promise<CurationRow> {
  const { funnel, data, config, joined } = rows;
  const rollout = rows.rolloutOf(row);
  const { ref, run } = refOf(rows, rollout);
  const stored = await rolloutAt(run.table, ref.file, ref.row);
  const dropper = funnel.dropper[row] ?? droppers.kept;
  const part = dropper >= 0 ? funnel.parts[dropper] : undefined;
  const decision = part?.decision;
  const why = part && decision ? part.filter.reason(data, config, { row, decision }) : { reason: '', evidence: [] };
  const other = decision?.other?.[row] ?? -1;
  const quoted = part
    ? await quotedEvidence(part.filter.id, { run, ref, stored, onlyUnrecovered: config.onlyUnrecovered }, showing)
    : [];
  const judgement = rows.judgementOf(row);
  const tally = showing.tally.get(row);
  const correct = joined.rollouts.correct[rollout] ?? 2;
  return {
    key: rows.keyOf(row),
    ref,
    step: joined.rollouts.step[rollout] ?? 0,
    question: stored?.question.slice(0, longestQuestion) ?? '',
    rollouts: tally?.rollouts ?? 1,
    correct: tally ? tally.right : correct === 2 ? null : correct,
    calls: tally?.calls ?? joined.rollouts.calls[rollout] ?? 0,
    filter: part?.filter.id ?? null,
    reason: reasonText(dropper, why.reason, judgement?.reason ?? null, part?.filter.id ?? null),
    evidence: [
      ...why.evidence.filter(({ name }) => other < 0 || !name.endsWith('_row')),
      ...otherRow(rows, other),
      ...quoted,
    ],
    overruled: overruledOf(rows, row),
    judgement: judgement && { score: judgement.score, reason: judgement.reason, judge: judgement.judge },
  };
}

const longestQuestion = 300;

function reasonText(dropper: number, reason: string, judged: string | null, filter: CurationFilter | null): string {
  if (dropper === droppers.byHand) return 'You dropped it.';
  if (dropper === droppers.kept) return '';
  return (filter === 'not-strategic' || reason.startsWith('The judge')) && judged !== null
    ? `${reason} ${judged}`
    : reason;
}

/** The earlier row of a duplicate, by its place. */
function otherRow(rows: CuratedRows, other: number): readonly NamedValue[] {
  if (other < 0) return [];
  const { ref } = refOf(rows, rows.rolloutOf(other));
  return [{ name: 'earlier', value: `${ref.file}:${ref.row}` }];
}

function overruledOf({ funnel, byHand }: CuratedRows, row: number): 'keep' | 'drop' | null {
  if (funnel.dropper[row] === droppers.byHand) return 'drop';
  return byHand[row] === 1 ? 'keep' : null;
}

interface Quoted {
  readonly run: RunIndex;
  readonly ref: RolloutRef;
  readonly stored: StoredRollout | null;
  readonly onlyUnrecovered: boolean;
}

const mostQuoted = 8;

/** What stands in the log of the calls that a filter is about. */
async function quotedEvidence(
  filter: CurationFilter,
  { run, ref, stored, onlyUnrecovered }: Quoted,
  { reader }: Showing,
): Promise<readonly NamedValue[]> {
  if (filter !== 'execution-failure' && filter !== 'inconsistent-feedback') return [];
  if (stored === null) return [];
  const rollout = await reader.at(entryOf(run, ref.file).found, placeOfStored(stored));
  if (rollout === null) return [];
  return filter === 'execution-failure' ? failedCalls(rollout, onlyUnrecovered) : impossibleFeedback(rollout);
}

function failedCalls({ calls }: Rollout, onlyUnrecovered: boolean): readonly NamedValue[] {
  const failed = onlyUnrecovered
    ? unrecoveredCalls(calls)
    : calls.flatMap((call, index) => (isFailure(call) ? [index] : []));
  return failed.slice(0, mostQuoted).map((index) => {
    const { tool = null, outcome = 'failed', failure = null, observation = '' } = calls[index] ?? {};
    return {
      name: `call ${index + 1}`,
      value: `${tool ?? 'no tool'}, ${outcome}: ${oneLine(failure ?? observation)}`,
    };
  });
}

function impossibleFeedback(rollout: Rollout): readonly NamedValue[] {
  const { faults, undefinedNames, imports } = feedbackOf(rollout);
  return [
    ...faults.map(({ call, turn, sentence }) => ({
      name: call === null ? `turn ${turn + 1}` : `call ${call + 1}`,
      value: sentence,
    })),
    ...undefinedNames.map(({ name, call }) => ({ name: `call ${call + 1}`, value: `reads ${name}` })),
    ...imports.map(({ name, call }) => ({ name: `call ${call + 1}`, value: `imports ${name}` })),
  ].slice(0, mostQuoted);
}

function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/gu, ' ').trim();
  return line.length > 160 ? `${line.slice(0, 159)}…` : line;
}
