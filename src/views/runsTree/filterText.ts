/**
 * The filter and order of the tree as text, and as it is remembered between windows. Pure.
 * Leaves out asking for them (filterPick.ts) and applying them (the engine).
 */
import { isObject } from '../../base/json.ts';
import type { Translator } from '../../host/translator.ts';
import { noFilter, type RolloutFilter, type SortKey } from '../../protocol/engine.ts';
import { redundancyText } from '../../protocol/texts.ts';

/** Sort keys in the order of the menu. */
export const sortKeys: readonly SortKey[] = [
  'step',
  'reward',
  'calls',
  'accAdvantage',
  'toolAdvantage',
  'redundant',
  'wasted',
];

/** True if the tree shows flat lists: a filter or an order is set. */
export function isFlat(filter: RolloutFilter): boolean {
  return filter.sort !== null || isFiltered(filter);
}

/** True if some rollouts are left out. */
export function isFiltered(filter: RolloutFilter): boolean {
  return filter.wrong || filter.withCalls || filter.redundant || filter.pattern !== null || filter.text !== '';
}

/** What a sort key is called. */
export function sortKeyText(key: SortKey, l10n: Translator): string {
  switch (key) {
    case 'step':
      return l10n.t('Step');
    case 'reward':
      return l10n.t('Reward');
    case 'calls':
      return l10n.t('Calls (T)');
    case 'accAdvantage':
      return l10n.t('Accuracy advantage (A_acc)');
    case 'toolAdvantage':
      return l10n.t('Efficiency advantage (A_tool)');
    case 'redundant':
      return l10n.t('Redundant calls');
    case 'wasted':
      return l10n.t('Wasted latency');
  }
}

/** "python: repeats an earlier call". */
export function patternText({ tool, rule }: NonNullable<RolloutFilter['pattern']>, l10n: Translator): string {
  const said = redundancyText([rule]);
  return rule === 'sibling' && tool === null ? said : `${tool ?? l10n.t('no tool named')}: ${said}`;
}

/** The active filter for the view's title: 'wrong · with calls · "7 ×" · Reward ↓'; '' where none is set. */
export function filterText(filter: RolloutFilter, l10n: Translator): string {
  return [
    filter.wrong ? l10n.t('wrong') : '',
    filter.withCalls ? l10n.t('with calls') : '',
    filter.redundant && filter.pattern === null ? l10n.t('redundant') : '',
    filter.pattern === null ? '' : patternText(filter.pattern, l10n),
    filter.text === '' ? '' : `"${filter.text}"`,
    filter.sort === null ? '' : `${sortKeyText(filter.sort, l10n)} ${filter.descending ? '↓' : '↑'}`,
  ]
    .filter((part) => part !== '')
    .join(' · ');
}

/** A remembered filter; anything that is none reads as no filter. */
export function filterFrom(value: unknown): RolloutFilter {
  if (!isObject(value)) return noFilter;
  return {
    sort: sortKeys.find((key) => key === value.sort) ?? null,
    descending: value.descending === true,
    wrong: value.wrong === true,
    withCalls: value.withCalls === true,
    redundant: value.redundant === true,
    pattern: patternFrom(value.pattern),
    text: typeof value.text === 'string' ? value.text : '',
  };
}

function patternFrom(value: unknown): RolloutFilter['pattern'] {
  if (!isObject(value)) return null;
  const { tool, rule } = value;
  if (typeof rule !== 'string' || (typeof tool !== 'string' && tool !== null)) return null;
  return { tool, rule };
}
