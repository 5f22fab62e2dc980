/**
 * The tooltips of the tree as lines: of a rollout the sums behind its advantages, of the others their numbers in full.
 * Pure; treeItems.ts turns lines into Markdown by appendText and appendCodeblock only, since questions are log text.
 * Leaves out the sums themselves (protocol/arithmetic.ts) and the members of the group, which the hovers list.
 */
import { countText, numberText, percentText, signedText, sizeText } from '../../base/numberText.ts';
import type { Translator } from '../../host/translator.ts';
import type { Finding, FindingCode } from '../../model/finding.ts';
import { arithmeticLines } from '../../protocol/arithmetic.ts';
import type { StepRow } from '../../model/stepRow.ts';
import type { Explanation, GroupRow, RunSummary } from '../../protocol/engine.ts';

/** A block of a tooltip: `text` is a paragraph, `code` keeps its columns. */
export interface TooltipBlock {
  readonly kind: 'text' | 'code';
  readonly text: string;
}

const text = (line: string): TooltipBlock => ({ kind: 'text', text: line });
const code = (lines: readonly string[]): TooltipBlock => ({ kind: 'code', text: lines.join('\n') });

/** A rollout: question, place in its group, reward and both advantages as sums. */
export function rolloutTooltip(
  explanation: Explanation,
  { hasSteps }: Pick<RunSummary, 'hasSteps'>,
  l10n: Translator,
): readonly TooltipBlock[] {
  const { row } = explanation;
  return [
    text(row.question),
    text(
      [
        hasSteps ? l10n.t('step {0}', row.step) : '',
        l10n.t('rollout {0} of {1}', row.member, row.groupSize),
        row.redundantCalls > 0 ? l10n.t('redundant calls: {0}', countText(row.redundantCalls)) : '',
        row.stopReason === null ? '' : l10n.t('ended by: {0}', row.stopReason),
      ]
        .filter((part) => part !== '')
        .join(' · '),
    ),
    ...(row.reward === null && row.correct === null
      ? [
          text(l10n.t('No reward in this log.')),
          ...(row.loggedAdvantage === null ? [] : [text(l10n.t('logged A {0}', signedText(row.loggedAdvantage)))]),
        ]
      : [code(arithmeticLines(explanation).map((line) => line.text))]),
    text(l10n.t('{0}, line {1}', row.ref.file, row.line + 1)),
  ];
}

/** What runTooltip says by itself, also while the engine cannot be asked. */
const saidAnyway: ReadonlySet<FindingCode> = new Set<FindingCode>(['threshold-used', 'step-not-logged']);

/** What the doctor says of a run's log beside runTooltip: a sentence a finding, and the lines to add to the trainer. */
export function doctorBlocks(findings: readonly Finding[], l10n: Translator): readonly TooltipBlock[] {
  const news = findings.filter(({ code }) => !saidAnyway.has(code));
  const lines = [...new Set(findings.flatMap(({ fix }) => fix))];
  return [
    ...news.map(({ severity, sentence }) => text(severity === 'warning' ? l10n.t('Warning: {0}', sentence) : sentence)),
    ...(lines.length === 0 ? [] : [text(l10n.t('Lines to add to the trainer:')), code(lines)]),
  ];
}

/** A run: where it lies, what was read of it, and which reward counts as right. */
export function runTooltip(run: RunSummary, l10n: Translator): readonly TooltipBlock[] {
  return [
    text(run.path),
    text(
      l10n.t(
        '{0}: {1} of {2} files read ({3} of {4})',
        run.producer,
        countText(run.filesRead),
        countText(run.files),
        sizeText(run.bytesRead),
        sizeText(run.bytes),
      ),
    ),
    text(l10n.t('{0} rollouts in {1} groups', countText(run.rollouts), countText(run.groups))),
    ...(run.notes === 0 ? [] : [text(l10n.t('{0} notes about its content ("Show Notes")', countText(run.notes)))]),
    ...(run.rewardThreshold === null
      ? []
      : [
          text(
            l10n.t('Where the log does not say, a reward above {0} counts as right.', numberText(run.rewardThreshold)),
          ),
        ]),
    ...(run.hasSteps ? [] : [text(l10n.t('This log has no training steps.'))]),
    ...(run.hasRewards
      ? []
      : [text(l10n.t('This log has no rewards: nothing says which rollouts are right, and there are no advantages.'))]),
  ];
}

/** A step: its aggregates in full. */
export function stepTooltip(row: StepRow, l10n: Translator): readonly TooltipBlock[] {
  const lines: readonly (readonly [string, string])[] = [
    [l10n.t('rollouts'), countText(row.rollouts)],
    [l10n.t('groups'), countText(row.groups)],
    [l10n.t('accuracy'), numberText(row.accuracy)],
    [l10n.t('mean reward'), numberText(row.reward_mean)],
    [l10n.t('calls per rollout'), numberText(row.calls_mean)],
    [l10n.t('tool rate'), percentText(row.tool_rate)],
    [l10n.t('failed calls'), percentText(row.failed_call_rate)],
    [l10n.t('refused repeats'), percentText(row.redundant_call_rate)],
    [l10n.t('mean |A_acc|'), numberText(row.acc_advantage_abs)],
    [l10n.t('mean |A_tool|'), numberText(row.tool_advantage_abs)],
    [l10n.t('groups with |Q| ≥ 2'), percentText(row.qualifying_share)],
    [l10n.t('groups with efficiency signal'), percentText(row.efficiency_signal_share)],
    [l10n.t('effective w_tool (w_tool 0.15)'), numberText(row.effective_w_tool)],
  ];
  const width = Math.max(...lines.map(([name]) => name.length)) + 2;
  return [text(l10n.t('Step {0}', row.step)), code(lines.map(([name, value]) => `${name.padEnd(width)}${value}`))];
}

/** A group: its question and what G, ✓ and |Q| mean here. */
export function groupTooltip(
  row: GroupRow,
  l10n: Translator,
  rewards: 'rewards' | 'no rewards' = 'rewards',
): readonly TooltipBlock[] {
  if (rewards === 'no rewards') {
    return [
      text(row.question),
      text(l10n.t('{0} rollouts of this prompt; the log has no rewards.', countText(row.size))),
    ];
  }
  return [
    text(row.question),
    text(
      l10n.t(
        '{0} rollouts of this prompt: {1} right, {2} in Q (right, so their calls are compared).',
        countText(row.size),
        countText(row.correct),
        countText(row.qualifying),
      ),
    ),
    ...(row.oddSize
      ? [text(l10n.t('Merged or cut: the group was inferred from equal prompts, and its size is not the usual one.'))]
      : []),
  ];
}
