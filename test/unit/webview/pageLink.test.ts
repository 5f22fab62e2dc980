/** The view of a link is the view it was made of, on a machine where runs have other ids; foreign text is harmless. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { viewOf, withView } from '../../../webview/charts/pageLink.ts';
import { savedState } from '../../../webview/charts/pageState.ts';
import { wholeRun } from '../../../webview/charts/selection.ts';

const fresh = savedState(undefined);

it('is the same view of other ids', () => {
  const selection = { ...wholeRun, steps: [3, 5] as const };
  const here = {
    ...fresh,
    weights: { acc: 1, tool: 0.4 },
    mode: 'plain' as const,
    own: { coupled: { alpha: 0.3 } },
    drill: { focus: 'b', selection, before: [] },
  };
  const there = withView(fresh, ['x', 'y'], viewOf(here, ['a', 'b']));
  expect(there).toMatchObject({ weights: here.weights, mode: 'plain', own: here.own });
  expect(there.choice).toEqual(new Set(['x', 'y']));
  expect(there.drill).toMatchObject({ focus: 'y', selection });
  // Back leads to what was shown before.
  expect(there.drill.before).toEqual([{ focus: null, selection: wholeRun }]);
});

it('is never more than a view', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      const { choice, drill, weights } = withView(fresh, ['x'], text);
      expect(choice).toEqual(new Set(['x']));
      expect([null, 'x']).toContain(drill.focus);
      expect(Number.isFinite(weights.tool)).toBe(true);
    }),
  );
});
