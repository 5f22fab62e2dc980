/**
 * Which two of the shown runs are compared: the first two, unless someone chose others; two lists of choices, shown when
 * there is anything to choose. Leaves out comparing (changedPromptsChart.ts).
 */
import type { RunId } from '../../src/protocol/engine.ts';
import { element } from '../ui/dom.ts';
import type { PanelRun } from './panelChart.ts';

/** The choice on the page. */
export interface RunPair {
  readonly node: HTMLElement;
  update(runs: readonly PanelRun[], chosen: readonly PanelRun[]): void;
}

/** The two runs to compare; fewer where fewer are shown. A chosen run that is not shown gives way to one that is. */
export function chosenRuns(runs: readonly PanelRun[], wanted: readonly RunId[]): readonly PanelRun[] {
  const [one, other] = wanted.map((id) => runs.find((run) => run.id === id));
  const first = one ?? runs.find((run) => run !== other);
  const second = other && other !== first ? other : runs.find((run) => run !== first);
  return [first, second].flatMap((run) => run ?? []);
}

/** Makes the choice; hidden until two runs are shown. */
export function makeRunPair(onChange: (runs: readonly RunId[]) => void): RunPair {
  let listed = '';
  let chosen: readonly RunId[] = [];
  const lists = (['First run', 'Second run'] as const).map((label, place) => {
    const made = element('select', { 'aria-label': label });
    made.addEventListener('change', () => {
      const next = [...chosen];
      const before = next[place];
      // Choosing the other one swaps them: a run is not compared with itself.
      if (next[1 - place] === made.value && before !== undefined) next[1 - place] = before;
      next[place] = made.value;
      onChange(next);
    });
    return made;
  });
  const [first, second] = lists;
  const node = element('label', { class: 'labelled', hidden: true }, [
    ...(first && second ? [first, 'against', second] : []),
  ]);
  return {
    node,
    update: (runs, now) => {
      node.hidden = runs.length < 2;
      const look = JSON.stringify(runs.map(({ id, name }) => [id, name]));
      if (look !== listed) {
        listed = look;
        for (const list of lists) {
          list.replaceChildren(...runs.map(({ id, name }) => element('option', { value: id }, [name])));
        }
      }
      chosen = now.map(({ id }) => id);
      lists.forEach((list, place) => {
        const id = chosen[place];
        if (id !== undefined && list.value !== id) list.value = id;
      });
    },
  };
}
