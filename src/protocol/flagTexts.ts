/**
 * The words of flagged calls: one sentence a rule with its references, and the counterfactual as it stands in the transcript.
 * Typed in one place so that they can be translated here (invariant 10); the engine and the command line use them too.
 * Leaves out the names of rules (texts.ts) and what only the extension host says.
 */
import {
  countText,
  durationText,
  notKnown,
  numberText,
  percentText,
  pluralText,
  signedText,
} from '../base/numberText.ts';
import type { Counterfactual } from './flags.ts';

/** "call 2", "calls 2 and 4", "calls 1, 2, 3 … (9)": calls are counted from 1 wherever people read them. */
export function callsText(calls: readonly number[], shown = 6): string {
  const numbers = calls.map((call) => String(call + 1));
  const [only] = numbers;
  if (numbers.length <= 1) return `call ${only ?? notKnown}`;
  if (numbers.length > shown) return `calls ${numbers.slice(0, shown - 1).join(', ')} … (${countText(numbers.length)})`;
  return `calls ${numbers.slice(0, -1).join(', ')} and ${numbers.at(-1) ?? ''}`;
}

const callText = (call: number | null): string => (call === null ? 'an earlier call' : `call ${call + 1}`);

/** A share with its 95 % interval: "67 % (21 % to 94 %)". */
function shareText({ share, low, high }: ShareOfSiblings): string {
  return `${percentText(share)} (${percentText(low)} to ${percentText(high)})`;
}

/** A share of right siblings with its 95 % Wilson interval, all 0 to 1. */
export interface ShareOfSiblings {
  readonly share: number;
  readonly low: number;
  readonly high: number;
}

/** One sentence part a rule, without a full stop. Calls are 0-based here and 1-based in the text. */
export const flagTexts = {
  repeat: (call: number | null, subject: 'code' | 'arguments', doubt: string) =>
    `repeats ${callText(call)}: same ${subject}, same result${doubt === '' ? '' : ` (${doubt})`}`,
  twin: (call: number | null) => `the same as ${callText(call)} in one turn, before any answer`,
  blindRetry: (call: number | null, failure: string) =>
    `retries ${callText(call)}, which failed for a reason that repeating cannot change${failure === '' ? '' : `: ${failure}`}`,
  refused: (call: number | null) => `refused by the tool as done before (${callText(call)})`,
  echo: 'prints only what it was given',
  afterAnswer: (turn: string, answer: string) => `after the answer "${answer}" in ${turn}`,
  verification: (turn: string, answer: string) =>
    `checks the answer "${answer}" in ${turn}, which was not said for sure`,
  sameLinks: (call: number | null, share: number) =>
    `nearly repeats ${callText(call)}: same terms, ${percentText(share)} of its links were there`,
  sameResults: (call: number | null) => `nearly repeats ${callText(call)}: same terms, same results`,
  sameCrop: (call: number | null, overlap: number) =>
    `nearly repeats ${callText(call)}: the boxes overlap with IoU ${numberText(overlap)}`,
  wholeImage: (share: number) => `covers ${percentText(share)} of the picture`,
  showsPrompt: 'only shows a picture of the prompt as it is',
  subsumed: (call: number | null, range: string, inside: string) =>
    `${range} lies inside ${inside}, which ${callText(call)} read`,
  known: (call: number | null, share: number) =>
    `${percentText(share)} of its text was known, ${call === null ? 'from the prompt' : `most of it from ${callText(call)}`}`,
  confirmation: (share: number) => `another source said ${percentText(share)} of it before`,
  unused: (words: number) => `none of its ${pluralText(words, 'new word')} is used later`,
  other: (rule: string) => rule,
  siblings: (right: number, of: number, callsEnough: number, share: ShareOfSiblings) =>
    `${countText(right)} of ${countText(of)} siblings were right with ${
      callsEnough === 0 ? 'no call' : `at most ${pluralText(callsEnough, 'call')}`
    }: ${shareText(share)}`,
  siblingsTooMany: (calls: number) => `${pluralText(calls, 'call')} too many: `,
  otherSiblings: (share: ShareOfSiblings) => `; with more: ${shareText(share)}`,
  noOtherSiblings: '; none with more',
  chance: (share: number) => `; guessing: ${percentText(share)}`,
  knownBefore: (model: string, probability: number, gain: number) =>
    `${model} gives the answer ${percentText(probability)} before this call, which adds ${numberText(gain)} nats`,
  rightWithout: (right: number, judged: number) =>
    `; without it right ${countText(right)} of ${countText(judged)} times`,
  notChecked: '; whether it is the policy that acted is not checked: no log-probs are logged',
} as const;

/** Words of the counterfactual. */
export const counterfactualTexts = {
  redundantCalls: (calls: number) => `⚠ ${pluralText(calls, 'redundant call')}`,
  saves: (milliseconds: number) => `saves ${durationText(milliseconds)}`,
  toolReward: ([logged, without]: readonly [number, number]) => `r_tool ${numberText(logged)} → ${numberText(without)}`,
  toolAdvantage: ([logged, without]: readonly [number, number]) =>
    `A_tool ${signedText(logged)} → ${signedText(without)}`,
  without: (what: string, sums: string) => `without ${what} (its answer assumed to stay right): ${sums}`,
  onlyCost: (what: string, cost: string) => `without ${what}: ${cost}`,
  numberOnly: (calls: number) => pluralText(calls, 'call'),
  calls: ([logged, without]: readonly [number, number]) => `T ${countText(logged)} → ${countText(without)}`,
  characters: (characters: number) => pluralText(characters, 'character'),
  groupCleaned: (advantage: number) => `whole group cleaned: A_tool ${signedText(advantage)}`,
  groupCleanedEqual: 'whole group cleaned: equal T, A_tool 0 for all (the signal was the waste)',
} as const;

/** "⚠ 1 redundant call (saves 0.6 s; r_tool 0.33 → 0.50, A_tool −0.70 → +0.05)", for the title. */
export function counterfactualTitle(counterfactual: Counterfactual): string {
  const { count, latencyMs, toolReward, toolAdvantage } = counterfactual;
  const sums = [
    toolReward === null ? '' : counterfactualTexts.toolReward(toolReward),
    toolAdvantage === null ? '' : counterfactualTexts.toolAdvantage(toolAdvantage),
  ].filter((part) => part !== '');
  const parts = [latencyMs === null ? '' : counterfactualTexts.saves(latencyMs), sums.join(', ')];
  const inside = parts.filter((part) => part !== '').join('; ');
  return `${counterfactualTexts.redundantCalls(count)}${inside === '' ? '' : ` (${inside})`}`;
}

/** The counterfactual in whole lines: what is taken away, what changes, what the group would be. */
export function counterfactualLines(counterfactual: Counterfactual): readonly string[] {
  const { without, count, calls, toolReward, toolAdvantage, groupCleaned, latencyMs, characters } = counterfactual;
  const what = without.length === count ? callsText(without) : counterfactualTexts.numberOnly(count);
  const cost = [
    counterfactualTexts.calls(calls),
    latencyMs === null ? '' : counterfactualTexts.saves(latencyMs),
    characters === 0 ? '' : counterfactualTexts.characters(characters),
  ].filter((part) => part !== '');
  if (toolReward === null) return [counterfactualTexts.onlyCost(what, cost.join(', '))];
  const sums = [counterfactualTexts.toolReward(toolReward)];
  if (toolAdvantage !== null) sums.push(counterfactualTexts.toolAdvantage(toolAdvantage));
  const lines = [counterfactualTexts.without(what, [...cost, ...sums].join(', '))];
  if (groupCleaned !== null) {
    const { equalCalls, toolAdvantage: cleaned } = groupCleaned;
    lines.push(equalCalls ? counterfactualTexts.groupCleanedEqual : counterfactualTexts.groupCleaned(cleaned));
  }
  return lines;
}
