/**
 * The part of the page's state that a link carries: runs by their place in a list (ids are those of one machine), what is
 * looked at, weights, mode, each chart's own choices. Pure. Leaves out paths and the link itself (the host's).
 */
import type { RunId } from '../../src/protocol/engine.ts';
import { drillTo } from './drill.ts';
import { savedState, type PageState } from './pageState.ts';

/** The view as text for a link; `runs` are those that the link names. */
export function viewOf(state: PageState, runs: readonly RunId[]): string {
  const { weights, mode, sort, own, drill } = state;
  const focus = drill.focus === null ? -1 : runs.indexOf(drill.focus);
  return JSON.stringify({ weights, mode, sort, own, focus, selection: drill.selection });
}

/** The state with the view of a link, whose runs are now called `runs`; text that is no view changes only the runs. */
export function withView(state: PageState, runs: readonly RunId[], view: string): PageState {
  const choice = new Set(runs);
  let parsed: unknown;
  try {
    parsed = JSON.parse(view);
  } catch {
    return { ...state, choice };
  }
  if (typeof parsed !== 'object' || parsed === null) return { ...state, choice };
  const { focus, selection } = { focus: -1, selection: null, ...parsed };
  const { weights, mode, sort, own, drill } = savedState({ ...parsed, drill: { focus: null, selection } });
  const place = { focus: runs[Number(focus)] ?? runs[0] ?? null, selection: drill.selection };
  return { ...state, choice, weights, mode, sort, own: { ...state.own, ...own }, drill: drillTo(state.drill, place) };
}
