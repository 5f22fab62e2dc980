/**
 * The answer as lines: a heading with right or wrong, the text, and the ground truth beside it or below it.
 * Leaves out the sums (closing.ts) and who decided right or wrong.
 */
import type { Json } from '../base/json.ts';
import type { NamedValue } from '../model/rollout.ts';
import { transcriptTexts as texts } from '../protocol/texts.ts';
import { addLines, heading, withRemark, type Block } from './block.ts';
import { cutAt, oneLine, trimmedLines, visibleText } from './visibleText.ts';

/** What is known about the graded answer. */
export interface AnswerVerdict {
  readonly correct: boolean | null;
  readonly groundTruth: Json;
  readonly rewardParts: readonly NamedValue[];
}

/** Ground truth that its mark carries, in characters. */
const groundTruthLength = 2000;
/** Ground truth up to this length stands beside a one-line answer. */
const besideLength = 60;
/** Ground truth shown in the document: more is in the log. */
const shownLength = 10_000;

/** Adds the block of one answer; `text` null: the policy gave none; `verdict` null: not the graded one. */
export function addAnswer(block: Block, text: string | null, verdict: AnswerVerdict | null): void {
  const line = block.lines.length;
  const name = text === null ? texts.outcome : verdict === null ? texts.furtherAnswer : texts.answer;
  const correct = verdict?.correct ?? null;
  block.lines.push(heading(correct === null ? name : `${name} ${correct ? '✓' : '✗'}`));
  const lines = text === null ? [texts.noAnswer] : text.trim() === '' ? [texts.empty] : trimmedLines(text);
  addLines(block, '  ', lines);
  if (verdict === null) return;
  const truth = groundTruthText(verdict.groundTruth);
  if (truth !== '') addTruth(block, truth, lines.length);
  block.marks.push({
    kind: 'answer',
    line,
    count: block.lines.length - line,
    correct,
    groundTruth: visibleText(cutAt(truth, groundTruthLength)),
    rewardParts: verdict.rewardParts,
  });
}

function addTruth(block: Block, truth: string, answerLines: number): void {
  const last = block.lines.length - 1;
  const answer = block.lines[last] ?? '';
  const short = truth.length <= besideLength && !/[\r\n]/.test(truth);
  if (short && answerLines === 1 && answer.length <= 100) {
    block.lines[last] = withRemark(answer, `${texts.groundTruth} ${oneLine(truth, besideLength)}`);
    return;
  }
  if (short) block.lines.push(`  ${texts.groundTruth} ${oneLine(truth, besideLength)}`);
  else {
    block.lines.push(`  ${texts.groundTruth}`);
    addLines(block, '    ', trimmedLines(cutAt(truth, shownLength)));
  }
}

/** A ground truth as text: strings as they are, anything else as JSON; '' for none. */
export function groundTruthText(value: Json): string {
  if (value === null) return '';
  if (typeof value === 'string') return value;
  try {
    const compact = JSON.stringify(value);
    return compact.length <= besideLength ? compact : JSON.stringify(value, null, 2);
  } catch {
    return '';
  }
}
