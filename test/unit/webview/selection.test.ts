/** Which rollouts are listed, in which order, the way there and back. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crumbsOf, drillBack, drillStart, drillTo, selectionIn } from '../../../webview/charts/drill.ts';
import { resolveVariables, wrapped } from '../../../webview/charts/exportChart.ts';
import { levelOf, opacityOf } from '../../../webview/charts/raster.ts';
import { sortedRows, wholeRun } from '../../../webview/charts/selection.ts';
import { svg, toSource } from '../../../webview/ui/svgNode.ts';

describe('sortedRows', () => {
  const numbers = fc.array(fc.oneof(fc.float(), fc.constant(NaN), fc.constant(-0), fc.constant(0)), { maxLength: 200 });
  it.each(['up', 'down'] as const)('%s is what a stable sort by number gives, unknown ones last', (order) => {
    fc.assert(
      fc.property(numbers, (values) => {
        const rows = Uint32Array.from(values, (_, index) => index);
        const sign = order === 'up' ? 1 : -1;
        const wanted = [...rows].sort((a, b) => {
          const [x, y] = [values[a] ?? NaN, values[b] ?? NaN];
          if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y)) || a - b;
          return (x === y ? 0 : x < y ? -1 : 1) * sign || a - b;
        });
        expect([...sortedRows(rows, (row) => values[row] ?? NaN, order)]).toEqual(wanted);
      }),
    );
  });
});

describe('the drill path', () => {
  const steps = { ...wholeRun, steps: [3, 5] as const };
  const group = { ...steps, group: 7 };
  it('goes down and comes back the same way', () => {
    const down = drillTo(drillTo(drillStart, { selection: steps }), { selection: group });
    expect(crumbsOf('hdpo', down.selection).map(({ text }) => text)).toEqual(['hdpo', 'steps 3 to 5', 'group']);
    expect(drillBack(down).selection).toEqual(steps);
    expect(drillBack(drillBack(down))).toEqual(drillStart);
    expect(drillBack(drillStart)).toBe(drillStart);
  });
  it('does not count a place twice', () => {
    const once = drillTo(drillStart, { selection: steps });
    expect(drillTo(once, { selection: { ...steps } })).toBe(once);
  });
  it('keeps a group to the run in which it was chosen, and steps for all', () => {
    const down = drillTo(drillStart, { focus: 'a', selection: group });
    expect(selectionIn(down, 'a')).toEqual(group);
    // Another run has other groups by the same numbers.
    expect(selectionIn(down, 'b')).toEqual(steps);
    expect(selectionIn({ focus: null, selection: group }, 'b')).toEqual(group);
  });
  it('keeps each word’s own selection', () => {
    expect(crumbsOf('hdpo', group).map(({ selection }) => selection)).toEqual([wholeRun, steps, group]);
  });
});

describe('what a file holds', () => {
  it('text is escaped', () => {
    expect(toSource(svg('text', { x: 1.239, y: -0.001 }, ['</svg><script>"&']))).toBe(
      '<text x="1.24" y="0">&lt;/svg&gt;&lt;script&gt;&quot;&amp;</text>',
    );
  });
  it('no theme variable is left', () => {
    const lookup = (name: string): string => (name === '--vscode-charts-blue' ? ' #00f ' : '');
    const source =
      'a="var(--vscode-charts-blue)" b="var(--x, var(--vscode-charts-blue))" c="var(--y)" d="var(--z, red)"';
    expect(resolveVariables(source, lookup)).toBe('a="#00f" b="#00f" c="currentColor" d="red"');
  });
  it('a sentence is broken between words', () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[a-z]{1,9}$/), { maxLength: 30 }), (words) => {
        const lines = wrapped(words.join(' '), 20);
        expect(lines.join(' ')).toBe(words.join(' '));
        for (const line of lines) expect(line.length).toBeLessThanOrEqual(20);
      }),
    );
  });
});

describe('densities', () => {
  it('a single rollout is seen beside a million, and more is never fainter', () => {
    const levels = [0, 1, 2, 10, 1_000, 1_000_000].map((count) => levelOf(count, 1_000_000));
    expect(levels).toEqual([...levels].sort((a, b) => a - b));
    expect(levels[0]).toBe(0);
    expect(opacityOf(levels[1] ?? 0)).toBeGreaterThanOrEqual(0.4);
    expect(opacityOf(levels.at(-1) ?? 0)).toBe(1);
  });
});
