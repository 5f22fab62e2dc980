/**
 * Asks for the order and the filter of the tree. Returns undefined where the user turned away.
 * Leaves out the pure texts (filterText.ts) and keeping the answer (activateRunsTree.ts).
 */
import * as vscode from 'vscode';
import { withoutIcons } from '../../host/logText.ts';
import type { RolloutFilter, SortKey } from '../../protocol/engine.ts';
import { patternText, sortKeys, sortKeyText } from './filterText.ts';

type Order = Pick<RolloutFilter, 'sort' | 'descending'>;
type Conditions = Pick<RolloutFilter, 'wrong' | 'withCalls' | 'redundant' | 'pattern' | 'text'>;

/** Asks for an order: log order, or each key in both directions. */
export async function pickOrder(current: RolloutFilter): Promise<Order | undefined> {
  const { l10n } = vscode;
  const directions: readonly [boolean, string][] = [
    [true, l10n.t('highest first')],
    [false, l10n.t('lowest first')],
  ];
  const orders = sortKeys.flatMap((key: SortKey) =>
    directions.map(([descending, text]) => ({
      label: `${descending ? '$(arrow-down)' : '$(arrow-up)'} ${sortKeyText(key, l10n)}`,
      description: text,
      picked: key === current.sort && descending === current.descending,
      order: { sort: key, descending },
    })),
  );
  const logOrder = {
    label: `$(list-tree) ${l10n.t('Log order')}`,
    description: l10n.t('steps, groups and rollouts as a tree'),
    picked: current.sort === null,
    order: { sort: null, descending: false },
  };
  // The order in force stands first, so that it has the focus.
  const items = [logOrder, ...orders].sort((a, b) => Number(b.picked) - Number(a.picked));
  const picked = await vscode.window.showQuickPick(items, {
    title: l10n.t('Sort Rollouts'),
    placeHolder: l10n.t('Each run becomes one list in this order'),
  });
  return picked?.order;
}

/** Asks for conditions, then for a text if that was chosen. */
export async function pickConditions(current: RolloutFilter): Promise<Conditions | undefined> {
  const { l10n } = vscode;
  const items = [
    { name: 'wrong', label: l10n.t('Wrong'), picked: current.wrong },
    { name: 'withCalls', label: l10n.t('With calls'), picked: current.withCalls },
    { name: 'redundant', label: l10n.t('With redundant calls'), picked: current.redundant },
    // Chosen in the view of redundant calls; here it can only be given up.
    ...(current.pattern === null
      ? []
      : [{ name: 'pattern', label: withoutIcons(patternText(current.pattern, l10n)), picked: true }]),
    {
      name: 'text',
      label: l10n.t('Text…'),
      description: l10n.t('words in step, id or question'),
      picked: current.text !== '',
    },
  ];
  const picked = await vscode.window.showQuickPick(items, {
    title: l10n.t('Filter Rollouts'),
    placeHolder: l10n.t('Show only rollouts for which all of these hold'),
    canPickMany: true,
  });
  if (picked === undefined) return undefined;
  const names = new Set(picked.map((item) => item.name));
  const text = names.has('text') ? await askText(current.text) : '';
  if (text === undefined) return undefined;
  return {
    wrong: names.has('wrong'),
    withCalls: names.has('withCalls'),
    redundant: names.has('redundant'),
    pattern: names.has('pattern') ? current.pattern : null,
    text,
  };
}

async function askText(current: string): Promise<string | undefined> {
  const text = await vscode.window.showInputBox({
    title: vscode.l10n.t('Filter Rollouts'),
    prompt: vscode.l10n.t('Words that must all occur in step, id or question'),
    value: current,
  });
  return text?.trim();
}
