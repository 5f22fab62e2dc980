/** The chart of redundant calls by rule and tool: its lines and its sentence. */
import { describe, expect, it } from 'vitest';
import type { RedundancyCurves } from '../../../src/protocol/flags.ts';

import { endsOf, pointsText } from '../../../webview/charts/redundancyDrop.ts';
import { byRule, byTool, dropSentence, largest } from '../../../webview/charts/redundancyLines.ts';

const share = (...values: readonly number[]): Float64Array => Float64Array.from(values);
const curves: RedundancyCurves = {
  run: 'a',
  step: Int32Array.of(1, 2, 3),
  byRule: [
    { rule: 'twin', share: share(0, 0, 0) },
    { rule: 'near-repeat', share: share(0.1, 0.05, 0.1) },
    { rule: 'repeat', share: share(0.3, NaN, 0.02) },
  ],
  byTool: [
    { tool: 'python', share: share(0.4, 0.1, 0.03) },
    { tool: null, share: share(0, 0, 0.01) },
  ],
};

describe('the drop', () => {
  it.each([
    [[0.31, NaN, 0.04], ' (down 27 points)'],
    [[0.04, 0.05], ' (up 1 point)'],
    [[0.04, 0.041], ''],
    [[NaN, 0.5], ''],
  ])('of %j is said as "%s"', (values, text) => {
    const ends = endsOf(share(...values));
    expect(ends && pointsText(ends)).toBe(text);
  });
  it('of nothing is nothing', () => {
    expect(endsOf(share(NaN))).toBeNull();
  });
  it('is that of the most frequent rule and tool', () => {
    expect(dropSentence('hdpo', curves)).toBe(
      'hdpo, the most frequent rule and tool: repeats an earlier call 30 % → 2 % (down 28 points); python 40 % → 3 % (down 37 points).',
    );
    expect(dropSentence('hdpo', { ...curves, byRule: [], byTool: [] })).toBe('hdpo: no call is flagged.');
  });
});

describe('the lines', () => {
  it('are those that are ever above zero, the largest first, at most eight', () => {
    expect(largest(byRule(curves)).map(({ name }) => name)).toEqual([
      'repeats an earlier call',
      'nearly repeats an earlier call',
    ]);
    expect(largest(byTool(curves)).map(({ name }) => name)).toEqual(['python', '(no tool named)']);
    const many = Array.from({ length: 20 }, (_, index) => ({ name: `tool ${index}`, share: share(index) }));
    expect(largest(many).map(({ name }) => name)).toEqual(
      [19, 18, 17, 16, 15, 14, 13, 12].map((index) => `tool ${index}`),
    );
  });
});
