/** What the charts page saves comes back; anything else that is saved counts as nothing. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { drillStart } from '../../../webview/charts/drill.ts';
import { savedState, selectionOf, toSave, type PageState } from '../../../webview/charts/pageState.ts';
import { wholeRun } from '../../../webview/charts/selection.ts';

const fresh: PageState = {
  choice: null,
  cursor: null,
  views: {},
  weights: { acc: 1, tool: 0.15 },
  mode: 'loss-weighted',
  drill: drillStart,
  sort: { by: 'push', order: 'down' },
  place: null,
  own: {},
};

it('comes back as it was left, through JSON', () => {
  const steps = { ...wholeRun, steps: [3, 5] as const };
  const state: PageState = {
    choice: new Set(['a', 'b']),
    cursor: { run: 'a', step: 7 },
    views: { accuracy: { table: true, about: false } },
    weights: { acc: 0.5, tool: 0 },
    mode: 'plain',
    drill: {
      focus: 'b',
      selection: {
        steps: [3, 5],
        region: { channel: 'tool', mode: 'plain', low: -Number.MAX_VALUE, high: -0.5 },
        part: { of: 'wrong', x: [-1, 0], y: [0, Number.MAX_VALUE] },
        group: 12,
        rollout: 401,
      },
      before: [
        { focus: null, selection: wholeRun },
        { focus: 'b', selection: steps },
      ],
    },
    sort: { by: 'calls', order: 'up' },
    place: { section: 'chart-group', top: 120, keyboard: '.listGrid' },
    own: { coupled: { alpha: 0.3 } },
  };
  expect(savedState(JSON.parse(JSON.stringify(toSave(state))))).toEqual(state);
  expect(savedState(JSON.parse(JSON.stringify(toSave(fresh))))).toEqual(fresh);
  expect(savedState(undefined)).toEqual(fresh);
});

it('takes any foreign data', () => {
  fc.assert(
    fc.property(fc.anything(), fc.anything(), (one, other) => {
      const saved = {
        chosen: other,
        cursor: one,
        views: other,
        weights: one,
        mode: other,
        drill: one,
        sort: other,
        place: one,
      };
      const state = savedState(saved);
      if (state.cursor !== null) expect(typeof state.cursor.step).toBe('number');
      for (const view of Object.values(state.views)) expect(Object.keys(view)).toEqual(['table', 'about']);
      expect(state.weights.tool).toBeGreaterThanOrEqual(0);
      expect(Object.keys(selectionOf(one))).toEqual(['steps', 'region', 'part', 'group', 'rollout']);
      expect(savedState(JSON.parse(JSON.stringify(toSave(state))))).toEqual(state);
    }),
  );
});

it.each([
  [{ steps: [5, 3] }, wholeRun],
  [{ steps: [1, null] }, wholeRun],
  [{ steps: [1, 2, 3], group: -1, region: { channel: 'x', low: 0, high: 1 } }, wholeRun],
  [{ region: { channel: 'acc', low: 0, high: 1 } }, wholeRun],
  [{ rollout: 5 }, wholeRun],
  [
    { region: { channel: 'acc', mode: 'plain', low: 0, high: 1 } },
    { ...wholeRun, region: { channel: 'acc', mode: 'plain', low: 0, high: 1 } },
  ],
])('%j is the selection it can be', (saved, wanted) => {
  expect(selectionOf(saved)).toEqual(wanted);
});
