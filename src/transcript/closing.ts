/**
 * What stands above and below the turns: the title with the reward, the advantages, and at the end the sums with the
 * members of the group and what else the record logs. Leaves out the turns, and any computing (analysis/ did it).
 */
import { isObject } from '../base/json.ts';
import type { NamedValue, Rollout } from '../model/rollout.ts';
import { arithmeticLines, memberLines, rewardSum, shownReward } from '../protocol/arithmetic.ts';
import type { Explanation } from '../protocol/engine.ts';
import type { FlagReport } from '../protocol/flags.ts';
import { counterfactualLines, counterfactualTitle } from '../protocol/flagTexts.ts';
import { countText, signedText } from '../base/numberText.ts';
import { transcriptTexts as texts } from '../protocol/texts.ts';
import { emptyBlock, heading, type Block } from './block.ts';
import { smallValues } from './renderTurn.ts';
import { oneLine, visibleText } from './visibleText.ts';

/** What title and sums need besides the rollout. */
export interface TitleContext {
  readonly runName: string;
  readonly explanation: Explanation | null;
  readonly flags: FlagReport;
}

/** 60 values of 500 characters: at most 90 kB of UTF-8. */
const extrasShown = { count: 60, characters: 500 };
/** Objects with more entries stay one JSON text: they are data, not a list of metrics. */
const mostEntries = 40;

/** One line for tabs and quick picks: "step 17 · 48 × 7 = ? · 5 of 16". */
export function shortTitle(rollout: Rollout, explanation: Explanation | null): string {
  const parts: string[] = [];
  if (rollout.step !== null) parts.push(texts.step(rollout.step));
  parts.push(oneLine(rollout.question, 60));
  if (explanation === null) parts.push(texts.row(rollout.place.row));
  else parts.push(texts.memberShort(explanation.row.member, explanation.row.groupSize));
  return parts.filter((part) => part !== '').join(' · ');
}

/** The two lines above the turns. */
export function titleBlock(rollout: Rollout, context: TitleContext): Block {
  const block = emptyBlock();
  block.lines.push(titleLine(rollout, context));
  block.lines.push(advantageLine(rollout, context));
  block.marks.push({ kind: 'title', line: 0, count: block.lines.length });
  return block;
}

function titleLine(rollout: Rollout, { runName, explanation }: TitleContext): string {
  const parts: string[] = [];
  if (rollout.step !== null) parts.push(texts.step(rollout.step));
  const question = oneLine(rollout.question, 100);
  if (question !== '') parts.push(`"${question}"`);
  if (explanation === null) parts.push(texts.row(rollout.place.row));
  else parts.push(texts.member(explanation.row.member, explanation.row.groupSize));
  parts.push(oneLine(runName, 60));
  return parts.join(' · ');
}

function rewardText(rollout: Rollout, explanation: Explanation | null): string {
  const { reward } = rollout;
  const logged = { answerReward: reward.answer, formatReward: reward.format };
  return texts.reward(explanation === null ? rewardSum(logged, reward.total) : shownReward(explanation));
}

function advantageLine(rollout: Rollout, { explanation, flags }: TitleContext): string {
  const calls = rollout.calls.filter(({ sent }) => sent).length;
  const parts: string[] = [];
  const logged = rollout.loggedAdvantage;
  const unrewarded = hasNoReward(rollout, explanation);
  if (unrewarded || explanation === null || (explanation.row.accAdvantage === null && logged !== null)) {
    if (logged !== null) parts.push(texts.loggedAlone(signedText(logged)));
    if (!unrewarded && explanation === null) parts.push(texts.notIndexed);
  } else {
    const acc = signedText(explanation.row.accAdvantage);
    // A logged number is never silently replaced by ours: both stand here, named (invariant 4).
    parts.push(logged === null ? `A_acc ${acc}` : `${texts.recomputed(acc)}, ${texts.logged(signedText(logged))}`);
  }
  if (!unrewarded && explanation !== null) parts.push(`A_tool ${signedText(explanation.row.toolAdvantage)}`);
  parts.push(`T ${calls}`, unrewarded ? texts.noReward : rewardText(rollout, explanation));
  if (flags.counterfactual !== null) parts.push(counterfactualTitle(flags.counterfactual));
  return parts.join('   ');
}

/** True where neither the log nor the index has a reward or a verdict: then there is nothing to compute. */
function hasNoReward({ reward }: Rollout, explanation: Explanation | null): boolean {
  const row = explanation?.row ?? { reward: null, correct: null };
  return reward.total === null && reward.correct === null && row.reward === null && row.correct === null;
}

/** The blocks below the turns: sums, members of the group, further logged values. */
export function closingBlock(rollout: Rollout, { explanation, flags }: Omit<TitleContext, 'runName'>): Block {
  const block = emptyBlock();
  block.lines.push(heading(texts.arithmetic));
  if (hasNoReward(rollout, explanation)) {
    block.lines.push(`  ${texts.nothingToCompute}`);
    const logged = rollout.loggedAdvantage;
    if (logged !== null) block.lines.push(`  ${texts.loggedAlone(signedText(logged))}`);
  } else if (explanation === null) {
    block.lines.push(`  ${rewardText(rollout, null)}`, `  ${texts.notIndexed}`);
  } else {
    // correctSource comes from the engine, which may put a logged name into it.
    for (const { text } of arithmeticLines(explanation)) block.lines.push(`  ${oneLine(text, 300)}`);
    for (const line of memberLines(explanation)) block.lines.push(`    ${line}`);
  }
  for (const line of redundancyLines(flags)) block.lines.push(`  ${line}`);
  block.marks.push({ kind: 'arithmetic', line: 0, count: block.lines.length });
  addFacts(block, rollout);
  return block;
}

/** What only a number of calls is proven for, and what the rollout would be without its redundant calls. */
function redundancyLines({ flags, counterfactual }: FlagReport): readonly string[] {
  const numbers = flags.filter(
    ({ call, confidence, verdict }) => call === null && confidence !== 'hint' && verdict !== 'dismissed',
  );
  const proven = numbers.map(({ sentence }) => `⚠ ${sentence}`);
  return counterfactual === null ? proven : [...proven, ...counterfactualLines(counterfactual)];
}

function addFacts(block: Block, rollout: Rollout): void {
  const logged = [...rollout.reward.parts, ...rollout.extras].flatMap(entriesOf);
  const values = smallValues(logged, extrasShown);
  const total = logged.length;
  const own = ownFacts(rollout);
  if (values.length === 0 && own.length === 0 && rollout.stopReason === null) return;
  const line = block.lines.length;
  block.lines.push(heading(texts.loggedFacts));
  for (const fact of own) block.lines.push(`  ${fact}`);
  if (rollout.stopReason !== null) block.lines.push(`  ${texts.stopReason}: ${oneLine(rollout.stopReason, 200)}`);
  for (const { name, value } of values) block.lines.push(`  ${name}: ${visibleText(String(value))}`);
  if (total > values.length) block.lines.push(`  ${texts.moreFacts(total - values.length)}`);
  block.marks.push({ kind: 'facts', line, count: block.lines.length - line });
}

/** What the record logs of the rollout as a whole and no other line shows. */
function ownFacts({ id, output, modelTokens }: Rollout): readonly string[] {
  const facts: string[] = [];
  if (id !== null) facts.push(`${texts.id}: ${oneLine(id, 200)}`);
  if (output !== null) facts.push(`${texts.output}: ${countText(output)}`);
  if (modelTokens !== null) facts.push(`${texts.modelTokens}: ${countText(modelTokens)}`);
  return facts;
}

/** A logged object of metrics as one value a metric ("verl_tool_metrics.num_turns"); anything else as it is. */
function entriesOf(logged: NamedValue): readonly NamedValue[] {
  const { name, value } = logged;
  if (!isObject(value)) return [logged];
  const entries = Object.entries(value);
  if (entries.length === 0 || entries.length > mostEntries) return [logged];
  return entries.map(([key, inner]) => ({ name: `${name}.${key}`, value: inner ?? null }));
}
