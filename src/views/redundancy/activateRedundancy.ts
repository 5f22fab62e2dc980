/**
 * The "Redundant Calls" view: what a run wastes, by tool and rule, and its worst offenders. Asked while it is visible and
 * when rollouts or verdicts changed. A click lists the rollouts of a pattern in Runs.
 * Leaves out the rows (redundantTree.ts) and the list that a click shows (views/runsTree, by command).
 */
import * as vscode from 'vscode';
import { isAbort, UserError } from '../../base/errors.ts';
import type { CommandTable } from '../../host/commandTable.ts';
import { withoutIcons } from '../../host/logText.ts';
import type { OpenTranscripts } from '../../host/openTranscripts.ts';
import type { Session } from '../../host/session.ts';
import type { RulePrecision } from '../../protocol/flags.ts';
import { patternTexts, totalText } from './patternTexts.ts';
import { redundantItem } from './redundantItems.ts';
import { redundantChildren, redundantRoots, type RedundantNode, type RedundantRoots } from './redundantTree.ts';

/** Id of the view, as the manifest has it. */
const viewId = 'rolloutLens.redundantCalls';
/** Rollouts that are being read change the view at most this often. */
const refreshMs = 1000;

/** Opens the view; it asks nothing before it is visible. */
export function activateRedundancy(
  context: vscode.ExtensionContext,
  session: Session,
  transcripts: OpenTranscripts,
): void {
  const changed = new vscode.EventEmitter<undefined>();
  let roots: RedundantRoots = { nodes: [], welcome: 'noRuns', overviews: new Map(), precision: new Map() };
  let waiting: ReturnType<typeof setTimeout> | undefined;
  let stale = false;

  const provider: vscode.TreeDataProvider<RedundantNode> = {
    onDidChangeTreeData: changed.event,
    getTreeItem: (node) => redundantItem(node, session, roots.precision),
    getChildren: async (node) => {
      try {
        if (node !== undefined) return [...(await redundantChildren(session.engine, node))];
        roots = await redundantRoots(session.engine, session.runs);
        surround();
        return [...roots.nodes];
      } catch (error) {
        if (!isAbort(error)) session.log.warn(`redundant calls: ${String(error)}`);
        return [];
      }
    },
  };
  const view = vscode.window.createTreeView(viewId, { treeDataProvider: provider, showCollapseAll: true });

  const surround = () => {
    const [first, ...others] = session.runs;
    const run = session.run(session.selection?.run ?? '') ?? (others.length === 0 ? first : undefined);
    const overview = run === undefined ? undefined : roots.overviews.get(run.id);
    const total = overview === undefined ? '' : totalText(overview, vscode.l10n);
    view.description = total === '' || others.length === 0 || run === undefined ? total : `${run.name}: ${total}`;
    void vscode.commands.executeCommand('setContext', 'rolloutLens.redundancyWelcome', roots.welcome);
  };
  const refresh = () => {
    stale = !view.visible;
    if (view.visible) changed.fire(undefined);
  };
  const refreshSoon = () => {
    waiting ??= setTimeout(() => {
      waiting = undefined;
      refresh();
    }, refreshMs);
  };
  let known = '';
  const runsChanged = () => {
    // Progress of reading changes a run many times; what is listed depends on these.
    const now = JSON.stringify(session.runs.map(({ id, name, state, rollouts }) => [id, name, state, rollouts > 0]));
    if (now === known) return;
    known = now;
    refreshSoon();
  };
  surround();
  context.subscriptions.push(
    view,
    changed,
    { dispose: () => clearTimeout(waiting) },
    view.onDidChangeVisibility(() => {
      if (view.visible && stale) refresh();
    }),
    session.onDidChangeRuns(runsChanged),
    session.onDidChangeSteps(refreshSoon),
    session.onDidSelect(surround),
    // A verdict changes the precision of its rule.
    transcripts.onDidChange(refreshSoon),
  );
}

/** What the command of the view works with. */
export interface RedundancyDependencies {
  readonly session: Session;
}

/** "Show Redundant Calls…": a pattern of a run, chosen from a list; its rollouts are shown in Runs. */
export function redundancyCommands({ session }: RedundancyDependencies): CommandTable {
  return {
    'rolloutLens.showRedundantCalls': async () => {
      const { l10n } = vscode;
      if (session.runs.length === 0)
        throw new UserError(l10n.t('No run is open.'), l10n.t('Open one with "Rollout Lens: Open Run…".'));
      const title = l10n.t('Show Redundant Calls');
      const placeHolder = l10n.t('A tool and a rule; its rollouts are listed in Runs, the most wasted time first');
      const picked = await vscode.window.showQuickPick(patternItems(session), {
        title,
        placeHolder,
        matchOnDetail: true,
      });
      if (picked?.pattern) await vscode.commands.executeCommand('rolloutLens.showPattern', picked.pattern);
    },
  };
}

interface PatternItem extends vscode.QuickPickItem {
  readonly pattern?: { readonly run: string; readonly tool: string | null; readonly rule: string };
}

/** The patterns of every run, each run under a separator with its total. */
async function patternItems(session: Session): Promise<PatternItem[]> {
  const { l10n } = vscode;
  const { overviews, precision } = await redundantRoots(session.engine, session.runs);
  const agreed = (rule: string): RulePrecision | null => precision.get(rule) ?? null;
  return session.runs.flatMap((run) => {
    const overview = overviews.get(run.id);
    if (overview === undefined || overview.patterns.length === 0) return [];
    const heading = {
      label: withoutIcons(`${run.name}: ${totalText(overview, l10n)}`),
      kind: vscode.QuickPickItemKind.Separator,
    };
    return [
      heading,
      ...overview.patterns.map((pattern): PatternItem => {
        const { tool, rule } = pattern;
        const texts = patternTexts(pattern, { hasSteps: run.hasSteps, precision: agreed(rule), l10n });
        return {
          label: withoutIcons(texts.label),
          description: texts.description,
          pattern: { run: run.id, tool, rule },
        };
      }),
    ];
  });
}
