/**
 * The prompts that changed most as a list: question, both values, the change. A row opens a rollout of either run side by
 * side: of the last step in which the prompt was sampled, and such that it shows the change where there is one.
 * Leaves out which prompts they are (changedPromptsChart.ts).
 */
import type { PromptChange } from '../../src/analysis/compareRuns.ts';
import { countText } from '../../src/base/numberText.ts';
import type { RolloutRow } from '../../src/protocol/engine.ts';
import { element } from '../ui/dom.ts';
import { changeOfMeasureText, measureText, rangeText } from './changedTexts.ts';
import { isCompared, type ComparedWhere } from './changedWhy.ts';
import type { PanelContext } from './panelChart.ts';
import { makePickList } from './pickList.ts';
import { rowsByKey } from './rowsByKey.ts';

/** What is listed. */
export interface ChangedInput extends ComparedWhere {
  readonly changes: readonly PromptChange[];
}

/** The list on the page. */
export interface ChangedList {
  readonly node: HTMLElement;
  /** Null: nothing is known. */
  update(input: ChangedInput | null): void;
  /** Opens what a row would. */
  pick(index: number): void;
}

/** A row with the two rollouts it opens; null where the log no longer has one. */
interface Opened {
  readonly left: RolloutRow;
  readonly right: RolloutRow;
}

/** Makes an empty list. */
export function makeChangedList({ api, showError }: Pick<PanelContext, 'api' | 'showError'>): ChangedList {
  let shown: readonly unknown[] = [];
  let opened: readonly (Opened | null)[] = [];
  const list = makePickList({
    label: 'Prompts that changed most; Enter opens a rollout of either run side by side',
    id: 'changed',
    onPick: (key) => {
      pick(Number(key));
    },
  });
  const pick = (index: number): void => {
    const row = opened[index];
    if (!row) return;
    const { left, right } = row;
    api.compareRollouts({ left: left.ref, right: right.ref }).catch(showError);
  };
  const find = async (input: ChangedInput, asked: readonly unknown[]): Promise<void> => {
    const { sides, changes } = input;
    const examples = changes.map((change) => [0, 1].map((side) => exampleOf(input, change, side === 0 ? 0 : 1)));
    const [left, right] = await Promise.all(
      sides.map(({ run }, side) =>
        rowsByKey(
          api,
          run.id,
          examples.map((of) => of[side] ?? NaN),
        ),
      ),
    );
    if (shown !== asked) return;
    opened = examples.map(([one = NaN, other = NaN]) => {
      const [first, second] = [left?.get(one), right?.get(other)];
      return first && second ? { left: first, right: second } : null;
    });
    list.update(
      changes.map((change, index) => ({
        key: String(index),
        cells: cellsOf(input, change, { rank: index + 1, opened: opened[index] }),
      })),
    );
  };
  return {
    node: element('div', { class: 'details' }, [list.node]),
    pick,
    update: (input) => {
      const next = input
        ? [input.sides[0].columns, input.sides[1].columns, input.measure, JSON.stringify(input.changes)]
        : [];
      if (next.length === shown.length && next.every((part, index) => part === shown[index])) return;
      shown = next;
      opened = [];
      list.update([]);
      if (input) find(input, next).catch(showError);
    },
  };
}

/** Key of the rollout that stands for a prompt in one run. */
function exampleOf(input: ChangedInput, change: PromptChange, side: 0 | 1): number {
  const { sides, measure } = input;
  const { key, step, prompt, correct, calls } = sides[side].columns;
  const wanted = change.prompts[side];
  // The run with the higher value shows a right one (or one with calls), the other a wrong one (or one without).
  const high = change.change > 0 === (side === 1);
  let best = -1;
  let bestFits = false;
  let bestStep = -Infinity;
  for (let row = 0; row < prompt.length; row += 1) {
    const at = step[row] ?? NaN;
    if (prompt[row] !== wanted || !isCompared(input, { key: change.key, step: at })) continue;
    const fits = (measure === 'accuracy' ? correct[row] === 1 : (calls[row] ?? 0) > 0) === high;
    if (best >= 0 && ((bestFits && !fits) || (bestFits === fits && at <= bestStep))) continue;
    [best, bestFits, bestStep] = [row, fits, at];
  }
  return key[best] ?? NaN;
}

function cellsOf(
  { sides, measure }: ChangedInput,
  change: PromptChange,
  { rank, opened }: { readonly rank: number; readonly opened: Opened | null | undefined },
): readonly string[] {
  const value = (side: 0 | 1): string => `${sides[side].run.name} ${measureText(measure, change.values[side])}`;
  return [
    `${countText(rank)}. ${opened?.left.question ?? '(no longer in the log)'}`,
    value(0),
    value(1),
    `${change.change < 0 ? '▼' : '▲'} ${changeOfMeasureText(measure, change.change)} (${rangeText(measure, change)})`,
  ];
}
