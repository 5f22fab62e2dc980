/**
 * A rollout as a document: text laid out as ui.md's wireframe and marks that say which lines are what, so that nobody
 * ever parses text that a log wrote. Pure: no clock, no I/O; the engine calls it, the command line prints it.
 * Leaves out reading the record (readers) and the sums themselves (analysis/hdpo.ts).
 */
import type { Rollout } from '../model/rollout.ts';
import type { Explanation, RolloutRef } from '../protocol/engine.ts';
import type { FlagReport } from '../protocol/flags.ts';
import { transcriptTexts as texts } from '../protocol/texts.ts';
import type { Mark, TranscriptDocument } from '../protocol/transcript.ts';
import { addAnswer, type AnswerVerdict } from './answerBlock.ts';
import { charactersOf, emptyBlock, heading, stack, type Block } from './block.ts';
import { closingBlock, shortTitle, titleBlock } from './closing.ts';
import { before, between, fit, mostTurns, partStarts, renderLimits, type CutPlace, type Fit } from './fit.ts';
import { annotateCalls, renderTurn, smallValues, turnContext, turnSize, type TurnContext } from './renderTurn.ts';

/** What the engine knows about a rollout besides its record. */
export interface TranscriptContext {
  readonly ref: RolloutRef;
  readonly runName: string;
  /** Absolute path of the log file. */
  readonly file: string;
  /** Null while the group is not indexed yet. */
  readonly explanation: Explanation | null;
  readonly flags: FlagReport;
}

/** What the rest of a turn is shown with; all of it may be left out. */
export type RestContext = Partial<TranscriptContext>;

/** Bytes of text and marks in one part of a rest. */
const partBytes = 900_000;

/**
 * The transcript of a rollout: at most 1,000,000 characters and 1 MB of UTF-8, marks included; turns that are cut carry
 * `cut` in their mark, and their rest comes from renderRest.
 */
export function renderTranscript(rollout: Rollout, context: TranscriptContext): TranscriptDocument {
  const { blocks, plan } = planTurns(rollout, turnContext(rollout, verdictOf(rollout, context.explanation)));
  const shown = blocks.slice(0, plan.shown).map((block, turn) => shownBlock(block, plan.cuts[turn] ?? null));
  for (const block of shown) annotateCalls(block, context.flags);
  if (plan.shown < rollout.turns.length) shown.push(leftOutBlock(rollout, plan.shown));
  const all = stack([
    titleBlock(rollout, context),
    ...shown,
    lateAnswer(rollout, context.explanation),
    closingBlock(rollout, context),
  ]);
  return {
    title: shortTitle(rollout, context.explanation),
    text: `${all.lines.join('\n')}\n`,
    marks: all.marks,
    explanation: context.explanation,
    flags: context.flags,
    part: null,
    file: context.file,
    line: rollout.place.line,
  };
}

/**
 * Part `part` (0-based) of what the document leaves out of turn `turn`; from the first turn that is left out whole, the
 * rest of all turns. Parts are at most 900,000 bytes; one beyond the last gives the last. A turn that is not cut is
 * given whole.
 */
export function renderRest(
  rollout: Rollout,
  turn: number,
  part: number,
  context: RestContext = {},
): TranscriptDocument {
  const explanation = context.explanation ?? null;
  const turns = turnContext(rollout, verdictOf(rollout, explanation));
  const { plan } = planTurns(rollout, turns);
  const { block, from } = restOf(rollout, turns, { turn, plan });
  const starts = partStarts(block, partBytes, from);
  const index = Math.min(Math.max(0, Math.trunc(part)), starts.length - 1);
  const chosen = between(block, starts[index] ?? from, starts[index + 1] ?? null);
  const flags = context.flags ?? { flags: [], counterfactual: null, crops: [] };
  annotateCalls(chosen, flags);
  const label =
    turn >= plan.shown ? texts.moreTurns(turn + 1, rollout.turns.length) : (turns.labels[turn] ?? String(turn + 1));
  const title = texts.rest(label, index + 1, starts.length);
  const all = stack([
    { ...emptyBlock(), lines: [heading(title)], marks: [{ kind: 'title', line: 0, count: 1 }] },
    chosen,
  ]);
  return {
    title: `${shortTitle(rollout, explanation)} · ${title}`,
    text: `${all.lines.join('\n')}\n`,
    marks: all.marks,
    explanation,
    flags,
    part: { index, count: starts.length },
    file: context.file ?? '',
    line: rollout.place.line,
  };
}

/** Turns rendered as far as they can be shown, and where each is cut. */
function planTurns(rollout: Rollout, context: TurnContext): { readonly blocks: readonly Block[]; readonly plan: Fit } {
  const turns = rollout.turns.slice(0, mostTurns);
  const limits = renderLimits(turns.map((turn) => turnSize(rollout, turn)));
  const blocks = turns.map((_, index) => renderTurn(context, index, limits[index]));
  return { blocks, plan: fit(blocks) };
}

function restOf(
  rollout: Rollout,
  context: TurnContext,
  { turn, plan }: { readonly turn: number; readonly plan: Fit },
): { readonly block: Block; readonly from: CutPlace } {
  const whole = { line: 0, column: 0 };
  if (turn < plan.shown) return { block: renderTurn(context, turn), from: plan.cuts[turn] ?? whole };
  const blocks: Block[] = [];
  for (let index = turn; index < rollout.turns.length; index += 1) blocks.push(renderTurn(context, index));
  return { block: stack(blocks), from: whole };
}

function verdictOf(rollout: Rollout, explanation: Explanation | null): AnswerVerdict {
  return {
    correct: explanation?.row.correct ?? rollout.reward.correct,
    groundTruth: rollout.groundTruth,
    rewardParts: smallValues(rollout.reward.parts, { count: 16, characters: 200 }),
  };
}

/** A turn as the document shows it: cut, with the line that says how much is left. */
function shownBlock(block: Block, cut: CutPlace | null): Block {
  if (cut === null) return block;
  const shown = before(block, cut);
  const characters = charactersOf(block) + block.hidden - charactersOf(shown);
  shown.lines.push(`  ${texts.cut(characters)}`);
  return {
    ...shown,
    marks: shown.marks.map((mark) =>
      mark.kind === 'turn' ? { ...mark, count: mark.count + 1, cut: characters } : mark,
    ),
  };
}

/** One block for all turns that do not fit at all. */
function leftOutBlock(rollout: Rollout, first: number): Block {
  let characters = 0;
  for (let turn = first; turn < rollout.turns.length; turn += 1) characters += rollout.turns[turn]?.characters ?? 0;
  const label = texts.moreTurns(first + 1, rollout.turns.length);
  const mark: Mark = {
    kind: 'turn',
    line: 0,
    count: 2,
    turn: first,
    role: 'other',
    loggedRole: '',
    label,
    characters,
    tokens: null,
    latencyMs: null,
    cut: characters,
    agent: null,
    tokenValues: 0,
  };
  return { ...emptyBlock(), lines: [heading(label), `  ${texts.cut(characters)}`], marks: [mark] };
}

/** The answer where no turn holds it: from a side table, or none at all. */
function lateAnswer(rollout: Rollout, explanation: Explanation | null): Block {
  const block = emptyBlock();
  const inTurn = rollout.turns.some(({ parts }) => parts.some(({ kind }) => kind === 'answer'));
  const verdict = verdictOf(rollout, explanation);
  // A chat that nobody graded has no outcome.
  const graded = rollout.answer !== null || verdict.correct !== null || verdict.groundTruth !== null;
  const scored = rollout.reward.total !== null || rollout.reward.parts.length > 0;
  if (!inTurn && (graded || scored)) addAnswer(block, rollout.answer, verdict);
  return block;
}
