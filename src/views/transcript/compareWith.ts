/**
 * "Compare With…": VS Code's own diff of two transcripts. Offers a sibling of the group, the same prompt in another
 * step, and another run. Leaves out the quick picks themselves (rolloutPick.ts).
 */
import * as vscode from 'vscode';
import { UserError } from '../../base/errors.ts';
import { isObject } from '../../base/json.ts';
import { asRolloutRef } from '../../host/commandTable.ts';
import type { Session } from '../../host/session.ts';
import { noFilter, type Explanation, type RolloutRef, type RunId } from '../../protocol/engine.ts';
import { currentRollout } from './currentRollout.ts';
import { memberLabel, orderedMembers, sameRollout } from './rolloutLabels.ts';
import { mostItems, pickRollout, pickRun, type RolloutQuery } from './rolloutPick.ts';
import { uriOf } from './showTranscript.ts';

/** Asks what to compare a rollout with, unless the argument names it as `other`, and opens the diff. */
export async function compareWith(session: Session, argument: unknown): Promise<void> {
  const { l10n } = vscode;
  const ref = currentRollout(argument);
  const named = isObject(argument) ? asRolloutRef(argument.other) : null;
  if (named !== null) return showDiff(session, ref, named);
  const explanation = await session.engine.explain({ ref });
  const ways = [
    { label: l10n.t('A sibling of its group'), pick: () => pickSibling(explanation) },
    { label: l10n.t('The same prompt in another step'), pick: () => pickOtherStep(session, explanation) },
    { label: l10n.t('Another run'), pick: () => pickOtherRun(session, explanation) },
  ];
  const way = await vscode.window.showQuickPick(ways, { title: l10n.t('Compare With') });
  const other = await way?.pick();
  if (other === undefined) return;
  await showDiff(session, ref, other);
}

async function showDiff(session: Session, ref: RolloutRef, other: RolloutRef): Promise<void> {
  const title = vscode.l10n.t('{0} ↔ {1}', shortName(ref), shortName(other));
  await vscode.commands.executeCommand('vscode.diff', uriOf(session, ref), uriOf(session, other), title);
}

function shortName({ file, row }: RolloutRef): string {
  // As the tabs name them (rolloutUri.ts): "17.jsonl:35" would read like a line.
  return vscode.l10n.t('{0} row {1}', file, row);
}

async function pickSibling(explanation: Explanation): Promise<RolloutRef | undefined> {
  const { l10n } = vscode;
  const siblings = explanation.members.filter(({ ref }) => !sameRollout(ref, explanation.row.ref));
  if (siblings.length === 0) throw new UserError(l10n.t('This rollout is alone in its group.'));
  const items = orderedMembers(siblings).map(({ ref, ...member }) => ({
    ...memberLabel({ ref, ...member }, l10n),
    ref,
  }));
  return (await vscode.window.showQuickPick(items, { title: l10n.t('Compare With a Sibling') }))?.ref;
}

async function pickOtherStep(session: Session, { row }: Explanation): Promise<RolloutRef | undefined> {
  const { l10n } = vscode;
  const query: RolloutQuery = async (text, signal) => {
    const rows = await samePrompt(session, { run: row.ref.run, group: row.group, text }, signal);
    return rows.filter(({ step }) => step !== row.step);
  };
  const found = await query('', new AbortController().signal);
  if (found.length === 0) throw new UserError(l10n.t('No other step of this run has this prompt.'));
  return (await pickRollout(session, l10n.t('Compare With Another Step'), query))?.ref;
}

async function pickOtherRun(session: Session, { row }: Explanation): Promise<RolloutRef | undefined> {
  const { l10n } = vscode;
  const others = () => session.runs.filter(({ id }) => id !== row.ref.run);
  if (others().length === 0) {
    throw new UserError(l10n.t('Only one run is open.'), l10n.t('Open another with "Open Run…".'));
  }
  const run = await pickRun(session, l10n.t('Compare With Another Run'), others);
  if (run === undefined) return undefined;
  const same = await samePrompt(session, { run: run.id, group: row.group, text: '' });
  const query: RolloutQuery =
    same.length > 0
      ? (text, signal) => samePrompt(session, { run: run.id, group: row.group, text }, signal)
      : (text, signal) => session.engine.search({ run: run.id, text, limit: mostItems }, signal);
  return (await pickRollout(session, l10n.t('Compare With a Rollout of {0}', run.name), query))?.ref;
}

async function samePrompt(
  session: Session,
  { run, group, text }: { readonly run: RunId; readonly group: string; readonly text: string },
  signal?: AbortSignal,
) {
  const filter = { ...noFilter, text };
  const page = await session.engine.rollouts({ run, step: null, group, filter, first: 0, count: 500 }, signal);
  return page.rows;
}
