/**
 * The words of the transcript and of the arithmetic, typed in one place so that they can be translated here
 * (invariant 10): the engine and the command line render without VS Code's l10n. Owned by src/transcript and
 * src/protocol/arithmetic.ts. Leaves out what only the extension host says: that goes through `vscode.l10n.t`.
 */
import { countText, notKnown, pluralText } from '../base/numberText.ts';
import type { CallOutcome, Role } from '../model/rollout.ts';

/** Names of roles in headings; `policy` turns are numbered. */
export const roleNames: Readonly<Record<Role, string>> = {
  system: 'system',
  user: 'user',
  policy: 'policy',
  tool: 'tool',
  other: 'other',
};

/** How a call went, behind its heading: sign first, so that it does not rest on colour. */
export const outcomeNames: Readonly<Record<CallOutcome, string>> = {
  ok: '✓',
  failed: '✗ failed',
  malformed: '✗ malformed',
  timeout: '✗ timed out',
  refused: '✗ refused',
  unknown: '',
};

/** ✓, ✗ or ?: right, wrong, not known. */
export function verdictSign(correct: boolean | null): string {
  return correct === null ? notKnown : correct ? '✓' : '✗';
}

/** One short sentence part a redundancy rule, as it stands behind "⚠" (hdpo.md 3). */
export const redundancyNames: Readonly<Record<string, string>> = {
  repeat: 'repeats an earlier call',
  twin: 'same call twice in one turn',
  'blind-retry': 'retries what cannot succeed',
  refused: 'refused as a repeat by the tool',
  echo: 'prints what it was given',
  'near-repeat': 'nearly repeats an earlier call',
  'whole-image': 'shows the whole image again',
  subsumed: 'inside what was read before',
  'no-new-information': 'brings nothing new',
  'after-answer': 'after the answer',
  unused: 'result not used',
  sibling: 'siblings were right with fewer calls',
  replay: 'the policy knew the answer',
};

/** The rules that flag a call, as words: "repeats an earlier call, after the answer". */
export function redundancyText(rules: readonly string[]): string {
  return rules.map((rule) => redundancyNames[rule] ?? rule).join(', ');
}

/** Every other word of the transcript document. */
export const transcriptTexts = {
  step: (step: number) => `step ${step}`,
  member: (member: number, size: number) => `rollout ${member} of ${size}`,
  memberShort: (member: number, size: number) => `${member} of ${size}`,
  row: (row: number) => `record ${countText(row + 1)}`,
  reward: (reward: string) => `reward ${reward}`,
  notIndexed: 'advantages: the group is not indexed yet',
  noReward: 'no reward in this log',
  nothingToCompute: 'This log has no reward here, so there is no right or wrong and no advantage to compute.',
  agent: (name: string, depth: number, label: string) => `${'↳'.repeat(depth)} ${name}: ${label}`,
  id: 'id',
  output: 'output',
  modelTokens: 'tokens of the policy',
  recomputed: (advantage: string) => `A_acc ${advantage} recomputed`,
  logged: (advantage: string) => `${advantage} logged`,
  loggedAlone: (advantage: string) => `advantage ${advantage} logged`,
  tokens: (tokens: number) => pluralText(tokens, 'token'),
  call: (number: number) => `call ${number}`,
  dismissed: (remark: string) => `dismissed: ${remark}`,
  calls: (numbers: readonly number[]) =>
    numbers.length === 1 ? `call ${numbers[0] ?? 0}` : `calls ${numbers.join(', ')}`,
  noTool: '(no tool named)',
  notSent: 'not sent',
  noArguments: '(no arguments)',
  empty: '(empty)',
  neverRead: '(logged, but not part of the conversation)',
  observation: (calls: string) => `result of ${calls}`,
  answer: 'answer',
  furtherAnswer: 'answer, not the one that was graded',
  outcome: 'outcome',
  noAnswer: '(no committed answer)',
  groundTruth: 'ground truth',
  image: (number: number, details: readonly string[]) =>
    `[image ${number}${details.length === 0 ? '' : `: ${details.join(', ')}`}]`,
  imageStates: { inline: 'inline', cut: 'cut by the logger', absent: 'not in the log' },
  pads: (pads: number) => pluralText(pads, 'pad'),
  arithmetic: 'reward and advantages',
  loggedFacts: 'also logged',
  stopReason: 'stop reason',
  moreFacts: (count: number) => `… ${pluralText(count, 'more value')}`,
  cut: (characters: number) => `… ${pluralText(characters, 'character')} more`,
  moreTurns: (first: number, last: number) => `turns ${countText(first)} to ${countText(last)}`,
  rest: (label: string, part: number, parts: number) => `${label}, continued: part ${part} of ${parts}`,
} as const;

/** Words of the values of tokens: in the transcript, its hovers and the list of views. */
export const tokenTexts = {
  logprob: 'log-prob',
  referenceLogprob: 'reference log-prob',
  kl: 'KL to the reference',
  mean: (name: string, value: string) => `mean ${name} ${value}`,
  meanKl: (value: string) => `mean KL to the reference ${value} (k1 = log p − log p_ref)`,
  onEveryToken: (name: string, value: string) => `${name} ${value} on every token`,
  outsideMask: (outside: string, all: string, name: string) => `${outside} of ${all} tokens outside ${name}`,
  summary: (parts: readonly string[]) => `· tokens: ${parts.join(' · ')}`,
  ids: (shown: string, all: string | null) =>
    all === null ? `· ${shown} token ids (the log has no text of tokens)` : `· the first ${shown} of ${all} token ids`,
} as const;

/** Words of the sums behind a reward and its advantages. */
export const arithmeticTexts = {
  answerPart: 'answer',
  formatPart: 'format',
  rewardUnknown: 'reward: the log has none',
  fromVerdict: (reward: string) => `${reward} from right or wrong`,
  rewardFromVerdict: (reward: string) => `r_acc = ${reward}: no reward is logged, it is taken from right or wrong`,
  right: (source: string) => `right (${source})`,
  wrong: (source: string) => `wrong (${source})`,
  undecided: 'right or wrong: the log does not say',
  accUnknown: 'A_acc: not known, since the log has no reward',
  groupOfOne: 'group of one: mean 0, std 1',
  accEqual: (size: number, reward: string) =>
    `A_acc = 0 exactly: all ${countText(size)} rewards of the group are equal (${reward})`,
  toolRewardWrong: 'r_tool = 0, since the answer is wrong',
  toolRewardUnknown: 'r_tool: not known, since right or wrong is not known',
  toolRewardUnrewarded: 'r_tool: not known, since the log has no reward here',
  qualifying: (right: number, size: number) => `Q = ${countText(right)} right of ${countText(size)}`,
  mean: 'mean',
  std: 'std',
  toolUnknown: 'A_tool: not known, since right or wrong is not known',
  toolUnrewarded: 'A_tool: not known, since the log has no reward here',
  outside: 'not in Q: A_tool = 0',
  alone: 'alone in Q: A_tool = 0',
  toolEqual: 'equal T in Q: A_tool = 0 exactly',
  masked: 'no loss on this rollout: it counts in mean and std, and contributes 0',
  logged: (logged: string, recomputed: string, difference: string) =>
    `logged advantage ${logged}, recomputed A_acc ${recomputed}, difference ${difference}`,
  members: (size: number) => `group of ${pluralText(size, 'rollout')}`,
  inQ: 'in Q',
  thisOne: '← this rollout',
  moreMembers: (count: number) => `… ${countText(count)} more`,
} as const;
