/**
 * How a rollout, a run and a member of a group read in a quick pick. Pure.
 * Log text is escaped, so that "$(name)" in a question draws no icon. Leaves out the pick itself (rolloutPick.ts).
 */
import { countText, signedText } from '../../base/numberText.ts';
import { withoutIcons } from '../../host/logText.ts';
import type { Translator } from '../../host/translator.ts';
import type { GroupMember, RolloutRef, RolloutRow, RunSummary } from '../../protocol/engine.ts';
import { verdictSign } from '../../protocol/texts.ts';

/** Label and description of one item. */
export interface PickLabel {
  readonly label: string;
  readonly description: string;
}

/**
 * "✓" with "step 17 · 48 × 7 = ? · 5 of 16 · T 2 · A_acc +0.86 · A_tool −0.70". All but the sign is description, since
 * VS Code moves items whose label holds the typed letters, even scattered ones, before what the engine found.
 */
export function rolloutLabel(
  row: RolloutRow,
  { l10n, hasSteps }: { readonly l10n: Translator; readonly hasSteps: boolean },
): PickLabel {
  // A chat that nobody scored is neither right nor wrong, and has no advantages.
  const unrewarded = row.correct === null && row.reward === null;
  const numbers = [l10n.t('{0} of {1}', row.member, row.groupSize), `T ${countText(row.calls)}`];
  if (!unrewarded) numbers.push(`A_acc ${signedText(row.accAdvantage)}`, `A_tool ${signedText(row.toolAdvantage)}`);
  if (row.id !== null) numbers.push(withoutIcons(row.id));
  const step = hasSteps ? [l10n.t('step {0}', row.step)] : [];
  return {
    label: unrewarded ? '·' : verdictSign(row.correct),
    description: [...step, withoutIcons(row.question), ...numbers].join(' · '),
  };
}

/** "✓ 5" with "T 2 · in Q". */
export function memberLabel(member: GroupMember, l10n: Translator): PickLabel {
  const parts = [`T ${countText(member.calls)}`];
  if (member.qualifies) parts.push(l10n.t('in Q'));
  const sign = member.correct === null && member.accReward === null ? '·' : verdictSign(member.correct);
  return {
    label: `${sign} ${l10n.t('rollout {0}', member.member)}`,
    description: parts.join(' · '),
  };
}

/** The run's name with what it is, how much of it there is, and where: two runs may have one name. */
export function runLabel(run: RunSummary, l10n: Translator): PickLabel {
  return {
    label: withoutIcons(run.name),
    description: `${withoutIcons(run.producer)} · ${
      run.rollouts === 0 && run.state !== 'ready'
        ? l10n.t('not read yet')
        : l10n.t('{0} rollouts', countText(run.rollouts))
    } · ${withoutIcons(run.path)}`,
  };
}

/** Members in the order in which one reads a group: right ones first, then fewer calls, then as logged. */
export function orderedMembers(members: readonly GroupMember[]): readonly GroupMember[] {
  const rank = ({ correct }: GroupMember) => (correct === true ? 0 : correct === false ? 1 : 2);
  return [...members].sort((a, b) => rank(a) - rank(b) || a.calls - b.calls || a.member - b.member);
}

/** True for two names of one rollout. */
export function sameRollout(a: RolloutRef, b: RolloutRef): boolean {
  return a.run === b.run && a.file === b.file && a.row === b.row;
}

/** True for a file that may be a rollout log by its name: what "Open Trajectory" takes from the active editor. */
export function mayBeLog(path: string): boolean {
  return /\.((jsonl|ndjson|json|traj)(\.(gz|zst))?|eval|parquet)$/i.test(path);
}
