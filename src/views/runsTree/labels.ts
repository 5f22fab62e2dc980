/**
 * What the nodes of the tree are called: label, description (about 30 characters are visible) and the sentence a screen
 * reader says where the meaning rests on a sign. Pure text functions; log text appears only as plain text.
 * Leaves out tooltips (tooltips.ts), icons and colours (treeItems.ts).
 */
import { countText, numberText, percentText, signedText } from '../../base/numberText.ts';
import type { Translator } from '../../host/translator.ts';
import type { StepRow } from '../../model/stepRow.ts';
import type { GroupRow, RolloutRow, RunSummary } from '../../protocol/engine.ts';
import { verdictSign } from '../../protocol/texts.ts';

/** The texts of one node. */
export interface NodeTexts {
  readonly label: string;
  readonly description: string;
  /** What a screen reader says. */
  readonly spoken: string;
}

/** Where a rollout is listed; `flat without steps`: in a run whose log has no training steps. */
export type RolloutPlace = 'in group' | 'flat' | 'flat without steps';

const separator = ' · ';

/** "hdpo" with "Metis / verl-tool · 60 steps · 15,360 rollouts · tool 98 % → 21 %". */
export function runTexts(run: RunSummary, l10n: Translator): NodeTexts {
  const parts = [
    run.producer,
    writing(run, l10n),
    run.hasSteps && run.steps > 0 ? counted(run.steps, l10n.t('step'), l10n.t('steps')) : null,
    counted(run.rollouts, l10n.t('rollout'), l10n.t('rollouts')),
    toolRates(run, l10n),
    run.hasRewards ? null : l10n.t('no rewards'),
    run.state === 'partial' ? l10n.t('partly read') : null,
    run.notes > 0 ? counted(run.notes, l10n.t('note'), l10n.t('notes')) : null,
  ];
  const description = joined(parts);
  return { label: run.name, description, spoken: `${l10n.t('Run {0}', run.name)}, ${spokenParts(parts)}` };
}

function writing({ live, hasSteps, lastStep }: RunSummary, l10n: Translator): string | null {
  if (!live) return null;
  return hasSteps && lastStep !== null ? l10n.t('writing step {0}', lastStep) : l10n.t('being written');
}

function toolRates(run: RunSummary, l10n: Translator): string | null {
  if (run.firstToolRate === null || run.lastToolRate === null) return null;
  const rates =
    run.steps > 1
      ? `${percentText(run.firstToolRate)} → ${percentText(run.lastToolRate)}`
      : percentText(run.lastToolRate);
  return l10n.t('tool {0}', rates);
}

/** "steps 1–20" with "acc 0.31 → 0.61 · tool 98 % → 74 %"; `first` and `last` are its first and last step. */
export function stepRangeTexts(first: StepRow, last: StepRow, l10n: Translator): NodeTexts {
  const label = l10n.t('steps {0}–{1}', first.step, last.step);
  const description = joined([
    arrow(first.accuracy, last.accuracy, (text) => l10n.t('acc {0}', text), numberText),
    arrow(first.tool_rate, last.tool_rate, (text) => l10n.t('tool {0}', text), percentText),
  ]);
  return { label, description, spoken: `${label}, ${description}` };
}

function arrow(
  from: number | null,
  to: number | null,
  name: (text: string) => string,
  text: (value: number) => string,
): string | null {
  return from === null || to === null ? null : name(`${text(from)} → ${text(to)}`);
}

/** "step 17" with "acc 0.61 · tool 74 % · redundant 31 %". */
export function stepTexts(row: StepRow, l10n: Translator): NodeTexts {
  const label = l10n.t('step {0}', row.step);
  const description = joined([
    row.accuracy === null ? null : l10n.t('acc {0}', numberText(row.accuracy)),
    row.accuracy === null && row.reward_mean !== null ? l10n.t('reward {0}', numberText(row.reward_mean)) : null,
    row.tool_rate === null ? null : l10n.t('tool {0}', percentText(row.tool_rate)),
    row.redundant_call_rate === null || row.redundant_call_rate === 0
      ? null
      : l10n.t('redundant {0}', percentText(row.redundant_call_rate)),
  ]);
  return { label, description, spoken: `${label}, ${description}` };
}

/** Whether the log of a run has rewards or verdicts: without them nothing is right, and nothing qualifies. */
export type Rewards = 'rewards' | 'no rewards';

/** "48 × 7 = ?" with "G 16 · 9 ✓ · |Q| 9"; of a log without rewards "G 16" alone. */
export function groupTexts(row: GroupRow, l10n: Translator, rewards: Rewards = 'rewards'): NodeTexts {
  const label = groupLabel(row, l10n);
  if (rewards === 'no rewards') {
    return { label, description: `G ${countText(row.size)}`, spoken: l10n.t('Group of {0}: {1}', row.size, label) };
  }
  const description = joined([
    `G ${countText(row.size)}`,
    `${countText(row.correct)} ✓`,
    `|Q| ${countText(row.qualifying)}`,
    row.oddSize ? l10n.t('merged or cut') : null,
  ]);
  const spoken = l10n.t(
    'Group of {0}: {1}; {2} right, {3} qualify for the efficiency channel',
    row.size,
    label,
    row.correct,
    row.qualifying,
  );
  return { label, description, spoken };
}

/** Longer logged ids (UUIDs) and hashes say nothing to a reader. */
const longestKeyShown = 12;
/** A whole prompt would push G, right and |Q| out of sight; the tooltip has all of it. */
const longestQuestion = 40;

/** "48 × 7 = ?", with the id of the task before it where the log has a short one. */
function groupLabel({ key, question }: GroupRow, l10n: Translator): string {
  const text = question === '' ? l10n.t('(no question)') : question;
  const cut = [...text].length > longestQuestion ? `${[...text].slice(0, longestQuestion - 1).join('')}…` : text;
  return key.length <= longestKeyShown && key !== '' ? `${key} · ${cut}` : cut;
}

/** "#5" with "✓ T 2 A_acc +0.86 A_tool −0.70 · reward 1"; in a flat list "step 17 #5", the question at the end. */
export function rolloutTexts(row: RolloutRow, place: RolloutPlace, l10n: Translator): NodeTexts {
  const member = `#${row.member}`;
  const channels = [
    isUnrewarded(row) ? `T ${countText(row.calls)}` : `${verdictSign(row.correct)} T ${countText(row.calls)}`,
    row.accAdvantage === null ? null : `A_acc ${signedText(row.accAdvantage)}`,
    row.toolAdvantage === null ? null : `A_tool ${signedText(row.toolAdvantage)}`,
    row.redundantCalls > 0 ? `⚠ ${countText(row.redundantCalls)}` : null,
  ];
  const description = joined([
    channels.filter((part) => part !== null).join(' '),
    row.reward === null ? null : l10n.t('reward {0}', numberText(row.reward)),
    row.loggedAdvantage === null ? null : l10n.t('logged A {0}', signedText(row.loggedAdvantage)),
    place === 'in group' ? null : row.question,
  ]);
  return {
    label: place === 'flat' ? `${l10n.t('step {0}', row.step)} ${member}` : member,
    description,
    spoken: spokenRollout(row, place, l10n),
  };
}

function spokenRollout(row: RolloutRow, place: RolloutPlace, l10n: Translator): string {
  return spokenParts([
    place === 'flat' ? l10n.t('Step {0}', row.step) : null,
    place === 'in group' ? null : row.question,
    l10n.t('Rollout {0} of {1}', row.member, row.groupSize),
    isUnrewarded(row) ? null : spokenVerdict(row.correct, l10n),
    counted(row.calls, l10n.t('call'), l10n.t('calls')),
    row.reward === null ? null : l10n.t('reward {0}', numberText(row.reward)),
    row.accAdvantage === null ? null : l10n.t('accuracy advantage {0}', signedText(row.accAdvantage)),
    row.toolAdvantage === null ? null : l10n.t('efficiency advantage {0}', signedText(row.toolAdvantage)),
    row.redundantCalls === 0 ? null : counted(row.redundantCalls, l10n.t('redundant call'), l10n.t('redundant calls')),
  ]);
}

/** True for a rollout that nobody scored: a chat, a coding session. It is neither right nor wrong, nor in doubt. */
export function isUnrewarded({ correct, reward }: Pick<RolloutRow, 'correct' | 'reward'>): boolean {
  return correct === null && reward === null;
}

function spokenVerdict(correct: boolean | null, l10n: Translator): string {
  if (correct === null) return l10n.t('right or wrong unknown');
  return correct ? l10n.t('right') : l10n.t('wrong');
}

/** "rollouts 501–1,000" for a page of a list; 1-based for people. */
export function pageTexts(
  what: 'rollouts' | 'groups' | 'steps',
  { first, count }: { readonly first: number; readonly count: number },
  l10n: Translator,
): NodeTexts {
  const from = countText(first + 1);
  const to = countText(first + count);
  const label = {
    rollouts: l10n.t('rollouts {0}–{1}', from, to),
    groups: l10n.t('groups {0}–{1}', from, to),
    steps: l10n.t('steps {0}–{1}', from, to),
  }[what];
  return { label, description: '', spoken: label };
}

function counted(count: number, one: string, several: string): string {
  return `${countText(count)} ${count === 1 ? one : several}`;
}

function joined(parts: readonly (string | null)[]): string {
  return parts.filter((part) => part !== null && part !== '').join(separator);
}

function spokenParts(parts: readonly (string | null)[]): string {
  return parts.filter((part) => part !== null && part !== '').join(', ');
}
