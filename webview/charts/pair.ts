/**
 * Two rollouts for the editor's diff, marked one after the other: the second opens both side by side. A sentence says what
 * is marked. Leaves out where they are marked.
 */
import type { RolloutRef } from '../../src/protocol/engine.ts';
import { element } from '../ui/dom.ts';
import type { PanelContext } from './panelChart.ts';

/** A pair in the making. */
export interface Pair {
  readonly node: HTMLElement;
  has(key: number): boolean;
  /** Marks one, takes the mark off the marked one, or opens the diff with it. */
  mark(key: number, ref: RolloutRef): void;
  clear(): void;
}

/** Makes one with nothing marked. */
export function makePair(
  { api, showError }: Pick<PanelContext, 'api' | 'showError'>,
  { onMarked }: { readonly onMarked: () => void },
): Pair {
  let marked: { readonly key: number; readonly ref: RolloutRef } | null = null;
  const node = element('p', { class: 'sentence', role: 'status' });
  const set = (next: typeof marked): void => {
    marked = next;
    node.textContent = next ? 'One is marked: mark another to open both side by side.' : '';
    onMarked();
  };
  return {
    node,
    has: (key) => marked?.key === key,
    mark: (key, ref) => {
      const first = marked;
      if (first === null) set({ key, ref });
      else {
        set(null);
        if (first.key !== key) api.compareRollouts({ left: first.ref, right: ref }).catch(showError);
      }
    },
    clear: () => {
      if (marked) set(null);
    },
  };
}
