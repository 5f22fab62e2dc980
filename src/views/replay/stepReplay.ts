/**
 * "Replay Step in Background…": the information gain of every call of a step or a group, rollout by rollout, in a process
 * of its own, with progress and a way to stop. What is measured is kept beside the index and feeds the rule `replay`.
 * Leaves out the measure itself (the replayer) and the rule (the engine).
 */
import * as vscode from 'vscode';
import { isAbort, UserError } from '../../base/errors.ts';
import { isObject } from '../../base/json.ts';
import { countText } from '../../base/numberText.ts';
import { asRunId } from '../../host/commandTable.ts';
import { withoutLinks } from '../../host/logText.ts';
import type { ReplayerKeeper } from '../../host/replayerKeeper.ts';
import { runPathOf } from '../../host/runPath.ts';
import { noFilter, type RolloutRef, type RunId } from '../../protocol/engine.ts';
import { playerTexts } from '../../protocol/playerTexts.ts';
import { chooseModel } from './chooseModel.ts';
import { bundledFor, choiceOf, rememberedModel, rememberModel } from './modelSources.ts';
import type { PlayerDependencies } from './playerPanel.ts';
import { logprobThresholds } from './sideModel.ts';
import { makeReplayer } from './startReplayer.ts';

/** Which rollouts. */
interface Selected {
  readonly run: RunId;
  readonly step: number | null;
  readonly group: string | null;
}

/** What came of it. */
interface Outcome {
  readonly rollouts: number;
  readonly measured: number;
  readonly calls: number;
  readonly flagged: number;
}

/** Runs the command on what the argument (a node of the tree) or the selection names. */
export async function replayStep(dependencies: PlayerDependencies, argument: unknown): Promise<void> {
  const { l10n } = vscode;
  const { context, session } = dependencies;
  if (!vscode.workspace.isTrusted) {
    throw new UserError(l10n.t('In Restricted Mode no model is loaded.'), l10n.t('Trust this workspace first.'));
  }
  const selected = selectedOf(argument, session.selection);
  if (selected === null) {
    throw new UserError(l10n.t('No step is selected.'), l10n.t('Select a step or a group in the sidebar.'));
  }
  const current = rememberedModel(context, selected.run, 'main');
  const asked = {
    title: l10n.t('Replay With Which Model?'),
    current: current ?? bundledFor(session.run(selected.run)?.name ?? ''),
  };
  const id = await chooseModel(context, asked);
  if (id === undefined || id === null) return;
  await rememberModel(context, selected.run, { main: id });
  const { name, choice } = await choiceOf(context, id, null);
  const replayer = makeReplayer({
    context,
    log: session.log,
    choice,
    state: () => undefined,
    events: { scored: () => undefined, branchText: () => undefined, progress: () => undefined },
  });
  const options = {
    location: vscode.ProgressLocation.Notification,
    title: l10n.t('Replaying with {0}', name),
    cancellable: true,
  };
  try {
    const outcome = await vscode.window.withProgress(options, (progress, token) => {
      const controller = new AbortController();
      token.onCancellationRequested(() => controller.abort());
      return measure(dependencies, selected, { replayer, name, progress, signal: controller.signal });
    });
    await dependencies.transcripts.refresh(null);
    const said = l10n.t(
      'Replayed {0} of {1} rollouts with calls: {2} of {3} calls brought nothing that the policy did not know. Others have no answer that could be scored, or are wrong.',
      countText(outcome.measured),
      countText(outcome.rollouts),
      countText(outcome.flagged),
      countText(outcome.calls),
    );
    void tell(said, outcome);
  } finally {
    replayer.dispose();
  }
}

/** Says it; where calls were flagged, leads to them. */
async function tell(said: string, { flagged }: Pick<Outcome, 'flagged'>): Promise<void> {
  const show = vscode.l10n.t('Show Redundant Calls…');
  const chosen = await vscode.window.showInformationMessage(withoutLinks(said), ...(flagged > 0 ? [show] : []));
  if (chosen === show) await vscode.commands.executeCommand('rolloutLens.showRedundantCalls');
}

function selectedOf(argument: unknown, selection: { readonly run: RunId; readonly step: number | null } | null) {
  const run = asRunId(argument);
  if (run !== null && isObject(argument)) {
    const step = typeof argument.step === 'number' ? argument.step : null;
    const group = typeof argument.group === 'string' ? argument.group : null;
    if (step !== null) return { run, step, group };
  }
  return selection === null || selection.step === null ? null : { ...selection, group: null };
}

interface Measuring {
  readonly replayer: ReplayerKeeper;
  readonly name: string;
  readonly progress: vscode.Progress<{ message?: string; increment?: number }>;
  readonly signal: AbortSignal;
}

/** Stops where it was cancelled; what was measured until then is kept. */
async function measure(
  { session }: PlayerDependencies,
  selected: Selected,
  { replayer, name, progress, signal }: Measuring,
): Promise<Outcome> {
  const refs = await rolloutsOf(session, selected, signal);
  const path = runPathOf(session, selected.run);
  let [measured, calls, flagged] = [0, 0, 0];
  for (const [index, ref] of refs.entries()) {
    if (signal.aborted) break;
    const message = vscode.l10n.t('{0} of {1} rollouts with calls', countText(index + 1), countText(refs.length));
    progress.report({ message, increment: 100 / refs.length });
    try {
      const episode = await session.engine.replayEpisode({ ref, path }, signal);
      await replayer.open(episode, signal);
      const { verdict } = await replayer.score({ thresholds: logprobThresholds(), top: 0 }, signal);
      const gains = await replayer.gains({}, signal);
      const facts = await replayer.load(signal);
      const model = playerTexts.speaking(name, facts);
      const kept = gains.map((gain) => ({ ...gain, model, fits: verdict, without: null }));
      await session.engine.keepGains({ ref, path, gains: kept }, signal);
      measured += 1;
      calls += gains.length;
      flagged += gains.filter((gain) => gain.flagged).length;
    } catch (error) {
      if (isAbort(error)) break;
      // A rollout that is wrong, has no answer or is too long is left out; a process that cannot be started is an end.
      if (!(error instanceof UserError) || replayer.state.state !== 'ready') throw error;
      session.log.info(`${ref.file} row ${ref.row}: ${error.message}`);
    }
  }
  return { rollouts: refs.length, measured, calls, flagged };
}

async function rolloutsOf(
  session: PlayerDependencies['session'],
  { run, step, group }: Selected,
  signal: AbortSignal,
): Promise<readonly RolloutRef[]> {
  const refs: RolloutRef[] = [];
  const filter = { ...noFilter, withCalls: true };
  for (;;) {
    const page = await session.engine.rollouts({ run, step, group, filter, first: refs.length, count: 500 }, signal);
    refs.push(...page.rows.map(({ ref }) => ref));
    if (page.rows.length === 0 || refs.length >= page.total) return refs;
  }
}
