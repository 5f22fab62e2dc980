/**
 * The "Runs" view: run → (steps →) step → group → rollout, or flat lists while a filter or an order is set. Ties the
 * model, the refresher and VS Code's tree together; searches the workspace when the view is first seen.
 * Leaves out what a rollout opens as (the transcript, by command).
 */
import * as vscode from 'vscode';
import { notify } from '../../host/notify.ts';
import type { Session } from '../../host/session.ts';
import { noFilter, type RolloutFilter } from '../../protocol/engine.ts';
import { filterFrom, isFlat } from './filterText.ts';
import type { TreeNode } from './nodes.ts';
import { findRollout, findStep } from './paths.ts';
import { openRefresher } from './refresher.ts';
import { keepRunPaths } from './runPaths.ts';
import { drawBadges } from './rolloutBadges.ts';
import type { RunsTreeControls } from './runsTreeCommands.ts';
import { tooltipOf, treeItem } from './treeItems.ts';
import { openTreeModel, type TreeSource } from './treeModel.ts';
import { showProgress, showViewState } from './viewSurroundings.ts';

/** Id of the view, as the manifest has it. */
const viewId = 'rolloutLens.runs';
const filterKey = 'runsTree.filter';
const refreshIntervalMs = 500;

/** Opens the view and hands back what its commands need. */
export function activateRunsTree(context: vscode.ExtensionContext, session: Session): RunsTreeControls {
  let filter = filterFrom(context.workspaceState.get(filterKey));
  const source: TreeSource = { engine: session.engine, runs: () => session.runs, filter: () => filter };
  const model = openTreeModel(source);
  const changed = new vscode.EventEmitter<TreeNode | TreeNode[] | undefined>();
  const failed = (error: unknown) => notify(error, session.log);

  const provider: vscode.TreeDataProvider<TreeNode> = {
    onDidChangeTreeData: changed.event,
    getTreeItem: (node) => treeItem(node, session),
    getParent: (node) => node.parent,
    getChildren: async (node) => {
      try {
        return [...(node === undefined ? model.roots() : await model.children(node))];
      } catch (error) {
        failed(error);
        return [...(node === undefined ? [] : (model.shown(node) ?? []))];
      }
    },
    resolveTreeItem: async (item, node, token) => {
      // A tooltip that cannot be had is no reason to show an error: the label stands for itself.
      item.tooltip = await tooltipOf(node, session, token).catch(() => undefined);
      return item;
    },
  };
  const view = vscode.window.createTreeView(viewId, {
    treeDataProvider: provider,
    showCollapseAll: true,
    canSelectMany: true,
  });

  const refresher = openRefresher({
    model,
    source,
    flat: () => isFlat(filter),
    fire: (nodes) => {
      changed.fire(nodes === null ? undefined : [...nodes]);
    },
    failed: (error) => session.log.warn(`runs tree: ${String(error)}`),
    intervalMs: refreshIntervalMs,
  });
  const surround = () => showViewState(view, session, filter);

  const setFilter = async (next: RolloutFilter) => {
    filter = next;
    surround();
    refresher.all();
    await context.workspaceState.update(filterKey, next);
  };
  const searchOnce = () => {
    if (view.visible && session.searchState.state === 'not started') session.search().catch(failed);
  };

  /** A node that VS Code was not handed yet cannot be revealed: then the tree is drawn again first. */
  const reveal = async (find: () => Promise<TreeNode | null>): Promise<boolean> => {
    await refresher.flush();
    const node = await find();
    if (node === null) return false;
    const options = { select: true, focus: true, expand: node.content.kind !== 'rollout' };
    try {
      await view.reveal(node, options);
    } catch (error) {
      session.log.debug(`runs tree: ${String(error)}`);
      changed.fire(undefined);
      await view.reveal(node, options);
    }
    return true;
  };

  const controls: RunsTreeControls = {
    filter: () => filter,
    setFilter,
    redraw: () => refresher.all(),
    revealStep: async (run, step) => {
      if (step !== null && isFlat(filter)) await setFilter(noFilter);
      return reveal(() => findStep(model, run, step));
    },
    revealRollout: async (ref) => {
      if (isFlat(filter)) await setFilter(noFilter);
      const { row } = await session.engine.explain({ ref });
      return reveal(() => findRollout(model, row));
    },
  };

  context.subscriptions.push(
    view,
    changed,
    refresher,
    drawBadges(),
    keepRunPaths(session),
    showProgress(viewId, session),
    view.onDidChangeVisibility(searchOnce),
    view.onDidChangeSelection(({ selection: [node] }) => {
      if (node !== undefined) session.select({ run: node.run, step: node.step });
    }),
    session.onDidChangeRuns(() => {
      surround();
      refresher.runs();
    }),
    session.onDidChangeSteps((change) => refresher.steps(change)),
    session.onDidChangeSearch(surround),
    session.onDidChangeEngine((state) => {
      surround();
      if (state === 'running') refresher.all();
    }),
    vscode.workspace.onDidChangeWorkspaceFolders(surround),
  );
  surround();
  searchOnce();
  return controls;
}
