/**
 * Quick picks over runs and rollouts. Lists are filtered by the engine as one types (at most 200 items, debounced,
 * the previous question is cancelled), so that a run of any size answers at once.
 * Leaves out the texts of items (rolloutLabels.ts) and what happens with the choice.
 */
import * as vscode from 'vscode';
import { isAbort, messageOf } from '../../base/errors.ts';
import type { Session } from '../../host/session.ts';
import type { RolloutRow, RunSummary } from '../../protocol/engine.ts';
import { rolloutLabel, runLabel, sameRollout } from './rolloutLabels.ts';

/** A quick pick shows at most this many items. */
export const mostItems = 200;

const debounceMs = 100;

/** Gives the rollouts for what was typed; rejects when the signal aborts. */
export type RolloutQuery = (text: string, signal: AbortSignal) => Promise<readonly RolloutRow[]>;

interface RunItem extends vscode.QuickPickItem {
  readonly run: RunSummary;
}

interface RolloutItem extends vscode.QuickPickItem {
  readonly row: RolloutRow;
}

/**
 * Asks for one of the runs; the only one is not asked for. Counts follow while runs are being read, and `runs` is asked
 * again whenever one changes, so that runs which are found meanwhile appear.
 */
export async function pickRun(
  session: Session,
  title: string,
  runs: () => readonly RunSummary[] = () => session.runs,
): Promise<RunSummary | undefined> {
  const [first, ...others] = runs();
  if (others.length === 0) return first;
  const pick = vscode.window.createQuickPick<RunItem>();
  pick.title = title;
  const show = () => {
    const active = pick.activeItems[0]?.run.id;
    pick.items = runs()
      .slice(0, mostItems)
      .map((run) => ({ ...runLabel(run, vscode.l10n), run }));
    const again = pick.items.filter(({ run }) => run.id === active);
    if (again.length > 0) pick.activeItems = again;
  };
  const changed = session.onDidChangeRuns(show);
  show();
  return new Promise((resolve) => {
    pick.onDidAccept(() => {
      resolve(pick.activeItems[0]?.run);
      pick.hide();
    });
    pick.onDidHide(() => {
      changed.dispose();
      resolve(undefined);
      pick.dispose();
    });
    pick.show();
  });
}

/** Asks for a rollout; `query` is asked once at the start and then as one types. */
export function pickRollout(session: Session, title: string, query: RolloutQuery): Promise<RolloutRow | undefined> {
  const { l10n } = vscode;
  const pick = vscode.window.createQuickPick<RolloutItem>();
  pick.title = title;
  pick.placeholder = l10n.t('Words of the question, a step, an id');
  let asking = new AbortController();
  let asked = '';
  let timer: ReturnType<typeof setTimeout> | undefined;
  const ask = async () => {
    asking.abort();
    asking = new AbortController();
    const { signal } = asking;
    pick.busy = true;
    try {
      const rows = await query(pick.value, signal);
      if (signal.aborted) return;
      const active = pick.activeItems[0]?.row.ref;
      pick.items = rows.slice(0, mostItems).map((row) => {
        const hasSteps = session.run(row.ref.run)?.hasSteps ?? true;
        return { ...rolloutLabel(row, { l10n, hasSteps }), alwaysShow: true, row };
      });
      const again = pick.items.find(({ row }) => active !== undefined && sameRollout(row.ref, active));
      if (again && asked === pick.value) pick.activeItems = [again];
      asked = pick.value;
      pick.title =
        rows.length < mostItems ? title : l10n.t('{0}: the first {1}, more words narrow them', title, mostItems);
      pick.placeholder =
        rows.length === 0 ? l10n.t('No rollout holds all these words') : l10n.t('Words of the question, a step, an id');
      pick.busy = false;
    } catch (error) {
      if (isAbort(error) || signal.aborted) return;
      pick.busy = false;
      pick.items = [];
      pick.placeholder = messageOf(error);
      session.log.warn(messageOf(error));
    }
  };
  const askSoon = () => {
    clearTimeout(timer);
    timer = setTimeout(() => void ask(), debounceMs);
  };
  // While a run is being read, its rollouts appear by themselves; a full list stays as it is.
  const reading = session.onDidChangeSteps(() => {
    if (pick.items.length < mostItems) askSoon();
  });
  return new Promise((resolve) => {
    pick.onDidChangeValue(askSoon);
    pick.onDidAccept(() => {
      resolve(pick.activeItems[0]?.row);
      pick.hide();
    });
    pick.onDidHide(() => {
      clearTimeout(timer);
      asking.abort();
      reading.dispose();
      resolve(undefined);
      pick.dispose();
    });
    pick.show();
    void ask();
  });
}
