/**
 * The sums behind one rollout's reward and advantages as lines of text: for the end of the transcript, for hovers and
 * for the tree's tooltip. Pure; the numbers come from the engine (analysis/hdpo.ts), nothing is computed again here.
 * Source of every formula: hdpo.md, sections 1 and 2. Leaves out layout: a caller indents, lists or picks by topic.
 */
import { numberText, rewardText, signedText } from '../base/numberText.ts';
import type { Explanation, GroupMember } from './engine.ts';
import { arithmeticTexts as texts, verdictSign } from './texts.ts';

/** What a line is about, so that a hover can pick the lines of one number. */
export type ArithmeticTopic =
  'reward' | 'correct' | 'accAdvantage' | 'toolReward' | 'qualifying' | 'toolAdvantage' | 'masked' | 'logged';

/** One line of the sums, e.g. "A_acc = (1.0 − 0.613) / (0.462 + 1e-6) = +0.838". */
export interface ArithmeticLine {
  readonly topic: ArithmeticTopic;
  readonly text: string;
}

/** Added to a standard deviation before dividing by it, as the reference does (hdpo.md 2). */
const epsilon = '1e-6';

/** "1.0 = 0.9·answer 1 + 0.1·format 1" where both parts are known, else the number alone. */
export function rewardSum(
  explanation: Pick<Explanation, 'answerReward' | 'formatReward'>,
  reward: number | null,
): string {
  const { answerReward, formatReward: format } = explanation;
  if (answerReward === null || format === null) return rewardText(reward);
  const sum = `0.9·${texts.answerPart} ${numberText(answerReward)} + 0.1·${texts.formatPart} ${numberText(format)}`;
  return `${rewardText(reward)} = ${sum}`;
}

/** The reward of a rollout as `rewardSum` has it, and named where it is taken from right or wrong. */
export function shownReward(explanation: Explanation): string {
  const { row } = explanation;
  const reward = row.accReward ?? row.reward;
  return isVerdict(explanation) ? texts.fromVerdict(rewardText(reward)) : rewardSum(explanation, reward);
}

/** True where nothing is logged that r_acc could be but right or wrong. */
function isVerdict({ row, answerReward, formatReward }: Explanation): boolean {
  return row.reward === null && row.accReward !== null && (answerReward === null || formatReward === null);
}

/** All lines of the sums of one rollout, in the order in which they are computed. */
export function arithmeticLines(explanation: Explanation): readonly ArithmeticLine[] {
  const { row } = explanation;
  const lines: ArithmeticLine[] = [rewardLine(explanation), correctLine(explanation), accLine(explanation)];
  if (row.loggedAdvantage !== null) lines.push(loggedLine(row.loggedAdvantage, row.accAdvantage));
  lines.push(toolRewardLine(explanation), qualifyingLine(explanation), toolLine(explanation));
  if (explanation.masked) lines.push({ topic: 'masked', text: texts.masked });
  return lines;
}

/** The lines of the given topics only, in the order of the sums. */
export function arithmeticOf(explanation: Explanation, topics: readonly ArithmeticTopic[]): readonly string[] {
  return arithmeticLines(explanation)
    .filter(({ topic }) => topics.includes(topic))
    .map(({ text }) => text);
}

/** A line a member of the group: "✓ 5  T 2  r_acc 1.0  r_tool 0.333  in Q"; at most 64, then how many more. */
export function memberLines(explanation: Explanation): readonly string[] {
  const { members, row } = explanation;
  const lines = members.map((member) => memberLine(member, member.member === row.member));
  const missing = row.groupSize - members.length;
  return missing > 0 ? [...lines, texts.moreMembers(missing)] : lines;
}

function memberLine(member: GroupMember, own: boolean): string {
  const sign = verdictSign(member.correct);
  const parts = [
    `${sign} ${String(member.member).padStart(2)}`,
    `T ${member.calls}`,
    `r_acc ${rewardText(member.accReward)}`,
    `r_tool ${numberText(member.toolReward)}`,
  ];
  if (member.qualifies) parts.push(texts.inQ);
  if (own) parts.push(texts.thisOne);
  return parts.join('  ');
}

function rewardLine(explanation: Explanation): ArithmeticLine {
  const topic = 'reward';
  const { accReward, reward } = explanation.row;
  if (accReward === null && reward === null) return { topic, text: texts.rewardUnknown };
  if (isVerdict(explanation)) return { topic, text: texts.rewardFromVerdict(rewardText(accReward)) };
  return { topic, text: `r_acc = ${shownReward(explanation)}` };
}

function correctLine({ row, correctSource }: Explanation): ArithmeticLine {
  if (row.correct === null) return { topic: 'correct', text: texts.undecided };
  return { topic: 'correct', text: row.correct ? texts.right(correctSource) : texts.wrong(correctSource) };
}

function accLine({ row, accMean, accStd, accEqual }: Explanation): ArithmeticLine {
  const topic = 'accAdvantage';
  if (row.accAdvantage === null || row.accReward === null) return { topic, text: texts.accUnknown };
  const reward = rewardText(row.accReward);
  if (row.groupSize === 1) {
    const sum = division(reward, 0, 1);
    return { topic, text: `A_acc = ${sum} = ${signedText(row.accAdvantage)} (${texts.groupOfOne})` };
  }
  if (accEqual) return { topic, text: texts.accEqual(row.groupSize, reward) };
  return { topic, text: `A_acc = ${division(reward, accMean, accStd)} = ${signedText(row.accAdvantage)}` };
}

function toolRewardLine({ row }: Explanation): ArithmeticLine {
  const topic = 'toolReward';
  if (row.correct === null) return { topic, text: texts.toolRewardUnknown };
  if (row.toolReward === null) return { topic, text: texts.toolRewardUnrewarded };
  if (!row.correct) return { topic, text: texts.toolRewardWrong };
  const value = row.calls === 0 ? '' : ` = ${numberText(row.toolReward)}`;
  return { topic, text: `r_tool = 1/(T+1) = ${row.calls === 0 ? '1' : `1/${row.calls + 1}`}${value}` };
}

function qualifyingLine({ row, qualifying, toolMean, toolStd }: Explanation): ArithmeticLine {
  const head = texts.qualifying(qualifying, row.groupSize);
  const known = qualifying > 0 && toolMean !== null;
  if (!known) return { topic: 'qualifying', text: head };
  const mean = `${texts.mean} ${numberText(toolMean)}`;
  // One number has no sample standard deviation.
  const std = qualifying > 1 && toolStd !== null ? `, ${texts.std} ${numberText(toolStd)}` : '';
  return { topic: 'qualifying', text: `${head}: ${mean}${std}` };
}

function toolLine({ row, qualifying, toolMean, toolStd, toolEqual }: Explanation): ArithmeticLine {
  const topic = 'toolAdvantage';
  if (row.toolAdvantage === null) {
    return { topic, text: row.correct === null ? texts.toolUnknown : texts.toolUnrewarded };
  }
  if (!row.qualifies) return { topic, text: texts.outside };
  if (qualifying === 1) return { topic, text: texts.alone };
  if (toolEqual) return { topic, text: texts.toolEqual };
  const sum = division(numberText(row.toolReward), toolMean, toolStd);
  return { topic, text: `A_tool = ${sum} = ${signedText(row.toolAdvantage)}` };
}

function loggedLine(logged: number, recomputed: number | null): ArithmeticLine {
  const difference = recomputed === null ? null : Math.abs(logged - recomputed);
  return {
    topic: 'logged',
    text: texts.logged(signedText(logged), signedText(recomputed), numberText(difference)),
  };
}

/** "(1.0 − 0.613) / (0.462 + 1e-6)"; a negative mean stands in parentheses. */
function division(reward: string, mean: number | null, std: number | null): string {
  const subtrahend = numberText(mean);
  const safe = mean !== null && mean < 0 ? `(${subtrahend})` : subtrahend;
  return `(${reward} − ${safe}) / (${numberText(std)} + ${epsilon})`;
}
