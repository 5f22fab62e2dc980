/**
 * The commands of the runs tree as a table: id and what it does. Arguments are ids or tree nodes (which name what they
 * stand for); anything else is ignored and asked for. Errors are shown by views/commands.ts.
 * Leaves out the view itself (activateRunsTree.ts).
 */
import * as vscode from 'vscode';
import { UserError } from '../../base/errors.ts';
import { isObject, type JsonObject } from '../../base/json.ts';
import { asIndex, asRolloutRef, asRunId, asUri, type CommandTable } from '../../host/commandTable.ts';
import { setting } from '../../host/config.ts';
import { notOnDisk } from '../../host/notOnDisk.ts';
import { openOrMap } from '../../host/offerMapping.ts';
import type { Session } from '../../host/session.ts';
import { noFilter, type RolloutFilter, type RolloutRef, type RunId, type RunSummary } from '../../protocol/engine.ts';
import { pickConditions, pickOrder } from './filterPick.ts';
import { openSample } from './openSample.ts';
import { askThreshold, pickPath, pickRun, showNotes } from './picks.ts';

/** What the commands need from the view. */
export interface RunsTreeControls {
  filter(): RolloutFilter;
  setFilter(filter: RolloutFilter): Promise<void>;
  /** Shows a run (step null) or a step in the tree, clearing the filter; false if the run is not there. */
  revealStep(run: RunId, step: number | null): Promise<boolean>;
  revealRollout(ref: RolloutRef): Promise<boolean>;
  /** Draws the whole tree again. */
  redraw(): void;
}

/** What the commands work with. */
export interface RunsTreeDependencies {
  readonly context: vscode.ExtensionContext;
  readonly session: Session;
  readonly runsTree: RunsTreeControls;
}

/** The handlers of the runs tree by command id. */
export function runsTreeCommands({ context, session, runsTree }: RunsTreeDependencies): CommandTable {
  const runOf = async (value: unknown, title: string): Promise<RunSummary | undefined> => {
    const id = asRunId(value);
    const named = id === null ? undefined : session.run(id);
    if (named === undefined && session.runs.length === 0) throw noRuns();
    return named ?? pickRun(session, title);
  };
  const open = async (uri: vscode.Uri | undefined) => {
    if (uri === undefined) return;
    if (uri.scheme !== 'file') throw notOnDisk(uri);
    const [run] = await openOrMap(session, uri.fsPath);
    if (run !== undefined) await runsTree.revealStep(run.id, null);
  };
  return {
    'rolloutLens.openRun': async (target) => open(asUri(target) ?? (await pickPath())),
    'rolloutLens.openSampleRun': () => openSample({ context, session, show: (run) => runsTree.revealStep(run, null) }),
    'rolloutLens.closeRun': async (target) => {
      const run = await runOf(target, vscode.l10n.t('Close Run'));
      if (run !== undefined) await session.close(run.id);
    },
    'rolloutLens.refresh': async () => {
      await session.search();
      runsTree.redraw();
    },
    'rolloutLens.sortRollouts': async () => {
      const order = await pickOrder(runsTree.filter());
      if (order !== undefined) await runsTree.setFilter({ ...runsTree.filter(), ...order });
    },
    'rolloutLens.filterRollouts': async () => {
      const conditions = await pickConditions(runsTree.filter());
      if (conditions !== undefined) await runsTree.setFilter({ ...runsTree.filter(), ...conditions });
    },
    'rolloutLens.clearFilter': () => runsTree.setFilter(noFilter),
    'rolloutLens.cancelIndexing': async (target) => {
      const run = asRunId(target);
      // From the view's title VS Code hands over the focused row, whatever is being indexed: then all of it stops.
      const named = run !== null && session.run(run)?.state === 'indexing';
      return session.engine.cancelIndexing({ run: named ? run : null });
    },
    'rolloutLens.resumeIndexing': async (target) => session.engine.resumeIndexing({ run: asRunId(target) }),
    'rolloutLens.setRewardThreshold': async (target) => {
      const run = await runOf(target, vscode.l10n.t('Set Reward Threshold'));
      if (run === undefined) return;
      if (run.rewardThreshold === null) throw logSays(run);
      const threshold = await askThreshold(run, run.rewardThreshold ?? setting('rewardThreshold'));
      if (threshold !== undefined) await session.setRewardThreshold(run.id, threshold);
    },
    'rolloutLens.showNotes': async (target) => {
      const run = await runOf(target, vscode.l10n.t('Show Notes'));
      if (run !== undefined) await showNotes(session, run);
    },
    'rolloutLens.showLog': () => {
      session.log.show();
    },
    'rolloutLens.revealStep': (target) => {
      const run = asRunId(target);
      return run === null ? false : runsTree.revealStep(run, isObject(target) ? asIndex(target.step) : null);
    },
    'rolloutLens.showPattern': async (target) => {
      const run = asRunId(target);
      const pattern = isObject(target) ? asPattern(target) : null;
      if (run === null || pattern === null) return;
      // The worst first: what a person looks into.
      await runsTree.setFilter({ ...noFilter, pattern, sort: 'wasted', descending: true });
      await runsTree.revealStep(run, null);
    },
    'rolloutLens.revealRollout': (target) => {
      const ref = asRolloutRef(target);
      return ref === null ? false : runsTree.revealRollout(ref);
    },
  };
}

function asPattern({ tool, rule }: JsonObject): RolloutFilter['pattern'] {
  if (typeof rule !== 'string' || (typeof tool !== 'string' && tool !== null)) return null;
  return { tool, rule };
}

function noRuns(): UserError {
  return new UserError(vscode.l10n.t('No run is open.'), vscode.l10n.t('Open one with "Rollout Lens: Open Run…".'));
}

function logSays(run: RunSummary): UserError {
  return new UserError(
    vscode.l10n.t('The log of {0} says itself which rollouts are right, so it has no reward threshold.', run.name),
  );
}
