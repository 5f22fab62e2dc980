/**
 * The ambiguity pairs of the focused run below the coupled chart: a wrong rollout without calls and a right one with
 * calls that the reward cannot tell apart. A row opens both texts side by side. Found when the slider rests.
 * Leaves out which pairs there are (src/analysis/ambiguityPairs.ts).
 */
import type { CoupledOptions, PreparedCoupled } from '../../src/analysis/coupled.ts';
import { countText, rewardText, signedText } from '../../src/base/numberText.ts';
import type { RolloutRow, RunId } from '../../src/protocol/engine.ts';
import { element } from '../ui/dom.ts';
import type { PanelContext } from './panelChart.ts';
import { makePickList } from './pickList.ts';
import { rowsByKey } from './rowsByKey.ts';

/** Pairs in the list, the nearest rewards first. */
const mostPairs = 50;

/** A list for every position of the slider would ask for texts that nobody reads. */
const restMs = 200;

/** Of what pairs are listed. */
export interface AmbiguityInput {
  readonly run: RunId;
  readonly name: string;
  /** Key of each rollout. */
  readonly keys: Float64Array;
  readonly prepared: PreparedCoupled;
  readonly options: CoupledOptions;
}

/** The list on the page. */
export interface AmbiguityList {
  readonly node: HTMLElement;
  /** Null: nothing is known. */
  update(input: AmbiguityInput | null): void;
}

/** A pair with its two rollouts. */
interface Pair {
  readonly wrong: RolloutRow;
  readonly right: RolloutRow;
  readonly difference: number;
}

/** Makes an empty list. */
export function makeAmbiguityList({ api, showError }: Pick<PanelContext, 'api' | 'showError'>): AmbiguityList {
  let pairs: ReadonlyMap<string, Pair> = new Map();
  let shown: readonly unknown[] = [];
  let timer: ReturnType<typeof setTimeout> | null = null;
  const head = element('p', { class: 'sentence', 'aria-live': 'polite' });
  const list = makePickList({
    label: 'Ambiguity pairs; Enter opens both texts side by side',
    id: 'ambiguity',
    onPick: (key) => {
      const pair = pairs.get(key);
      if (!pair) return;
      const { wrong, right } = pair;
      api.compareRollouts({ left: wrong.ref, right: right.ref }).catch(showError);
    },
  });
  const node = element('div', { class: 'details' }, [head, list.node]);
  const show = (sentence: string, next: ReadonlyMap<string, Pair>): void => {
    pairs = next;
    head.textContent = sentence;
    list.update([...next].map(([key, pair]) => ({ key, cells: cellsOf(pair) })));
  };

  const find = async (
    { run, name, keys, prepared, options }: AmbiguityInput,
    asked: readonly unknown[],
  ): Promise<void> => {
    const { wrong, right, difference } = prepared.pairs(options, mostPairs);
    const keyOf = (row: number | undefined): number => keys[row ?? -1] ?? NaN;
    const rows = await rowsByKey(api, run, [...wrong, ...right].map(keyOf));
    if (shown !== asked) return;
    const found = Array.from(difference, (value, index): readonly (readonly [string, Pair])[] => {
      const [left, other] = [rows.get(keyOf(wrong[index])), rows.get(keyOf(right[index]))];
      return left && other
        ? [[`${keyOf(wrong[index])} ${keyOf(right[index])}`, { wrong: left, right: other, difference: value }]]
        : [];
    }).flat();
    show(headOf(name, found.length), new Map(found));
  };

  return {
    node,
    update: (input) => {
      const next = input ? [input.prepared, input.options.form, input.options.alpha] : [];
      if (next.length === shown.length && next.every((part, index) => part === shown[index])) return;
      shown = next;
      if (timer !== null) clearTimeout(timer);
      if (!input) {
        show('', new Map());
        return;
      }
      timer = setTimeout(() => {
        timer = null;
        find(input, next).catch(showError);
      }, restMs);
    },
  };
}

function headOf(name: string, count: number): string {
  if (count === 0)
    return `${name} has no ambiguity pair: no wrong rollout without calls gets about the reward of a right one with calls.`;
  const first =
    count === mostPairs ? `the ${countText(count)} ambiguity pairs with the nearest rewards` : 'ambiguity pairs';
  return `${name}, ${first}: a wrong rollout without calls and a right one with calls. Enter or a click opens both side by side.`;
}

function cellsOf({ wrong, right, difference }: Pair): readonly string[] {
  return [
    wrong.question,
    `step ${countText(wrong.step)}`,
    `✗ ${wrong.member}: T ${countText(wrong.calls)}, r_acc ${rewardText(wrong.accReward)}`,
    `✓ ${right.member}: T ${countText(right.calls)}, r_acc ${rewardText(right.accReward)}`,
    // What float32 leaves of an equal reward is no difference.
    `Δr ${signedText(Math.round(difference * 1_000) / 1_000)}`,
  ];
}
