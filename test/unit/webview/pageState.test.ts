/** What the charts page saves comes back; anything else that is saved counts as nothing. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { savedState, toSave } from '../../../webview/charts/pageState.ts';

it('comes back as it was left, through JSON', () => {
  const state = {
    choice: new Set(['a', 'b']),
    cursor: { run: 'a', step: 7 },
    views: { accuracy: { table: true, about: false } },
  };
  expect(savedState(JSON.parse(JSON.stringify(toSave(state))))).toEqual(state);
  const fresh = { choice: null, cursor: null, views: {} };
  expect(savedState(JSON.parse(JSON.stringify(toSave(fresh))))).toEqual(fresh);
  expect(savedState(undefined)).toEqual(fresh);
});

it('takes any foreign data', () => {
  fc.assert(
    fc.property(fc.anything(), fc.anything(), (cursor, views) => {
      const state = savedState({ chosen: views, cursor, views });
      if (state.cursor !== null) expect(typeof state.cursor.step).toBe('number');
      for (const view of Object.values(state.views)) expect(Object.keys(view)).toEqual(['table', 'about']);
    }),
  );
});
