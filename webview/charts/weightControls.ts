/**
 * The controls that all charts of single rollouts share: w_acc, w_tool, how a contribution is measured, and of which run.
 * Leaves out redrawing (main.ts does it once a frame).
 */
import type { ContributionMode } from '../../src/analysis/contributions.ts';
import type { RunId } from '../../src/protocol/engine.ts';
import { button } from '../ui/controls.ts';
import { element } from '../ui/dom.ts';
import { slider } from '../ui/slider.ts';
import type { Weights } from './panelChart.ts';
import { modeNames, publishedWeights } from './weights.ts';

/** What the controls tell. */
export interface WeightEvents {
  readonly onWeights: (weights: Weights) => void;
  readonly onMode: (mode: ContributionMode) => void;
  readonly onFocus: (run: RunId) => void;
}

/** The controls on the page. */
export interface WeightControls {
  readonly node: HTMLElement;
  /** The runs whose rollouts can be shown, and the one that is. */
  setRuns(runs: readonly { readonly id: RunId; readonly name: string }[], focus: RunId | null): void;
  /** Shows other weights or another mode without telling. */
  set(weights: Weights, mode: ContributionMode): void;
}

/** Makes the controls as they were left. */
export function makeWeightControls(begin: Weights, mode: ContributionMode, events: WeightEvents): WeightControls {
  let weights = begin;
  const change = (part: Partial<Weights>): void => {
    weights = { ...weights, ...part };
    events.onWeights(weights);
  };
  const acc = slider({
    label: 'w_acc',
    min: 0,
    max: 2,
    step: 0.05,
    value: begin.acc,
    onInput: (value) => {
      change({ acc: value });
    },
  });
  const tool = slider({
    label: 'w_tool',
    min: 0,
    max: 1,
    step: 0.01,
    value: begin.tool,
    onInput: (value) => {
      change({ tool: value });
    },
  });
  const radios = new Map<ContributionMode, HTMLInputElement>();
  const order: readonly ContributionMode[] = ['loss-weighted', 'plain', 'by-sequence'];
  const modes = order.map((value) => {
    const input = element('input', { type: 'radio', name: 'mode', value, checked: value === mode });
    radios.set(value, input);
    input.addEventListener('change', () => {
      if (input.checked) events.onMode(value);
    });
    return element('label', { class: 'mode' }, [input, modeNames[value]]);
  });
  const reset = button({
    label: 'Reset',
    title: `Reset the weights to those of the published script, ${publishedWeights.acc} and ${publishedWeights.tool}`,
    onClick: () => {
      acc.set(publishedWeights.acc);
      tool.set(publishedWeights.tool);
      change(publishedWeights);
    },
  });
  const select = element('select', { 'aria-label': 'Run whose rollouts are shown' });
  select.addEventListener('change', () => {
    events.onFocus(select.value);
  });
  const focus = element('label', { class: 'focus', hidden: true }, ['rollouts of ', select]);
  let listed = '';
  return {
    node: element('div', { class: 'weights', role: 'group', 'aria-label': 'Contributions' }, [
      focus,
      acc.node,
      tool.node,
      reset,
      element('span', { class: 'modes', role: 'radiogroup', 'aria-label': 'How a contribution is measured' }, modes),
    ]),
    setRuns: (runs, focused) => {
      const look = JSON.stringify(runs.map(({ id, name }) => [id, name]));
      if (look !== listed) {
        listed = look;
        select.replaceChildren(...runs.map(({ id, name }) => element('option', { value: id }, [name])));
      }
      focus.hidden = runs.length < 2;
      if (focused !== null) select.value = focused;
    },
    set: (next, nextMode) => {
      weights = next;
      acc.set(next.acc);
      tool.set(next.tool);
      const radio = radios.get(nextMode);
      if (radio) radio.checked = true;
    },
  };
}
