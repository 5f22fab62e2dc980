/** Every chart over training steps as its picture, from curves written here. */
import { describe, expect, it } from 'vitest';
import { charts } from '../../../webview/charts/all.ts';
import { standaloneSvg } from '../../../webview/charts/exportChart.ts';
import { lineChartHeight, lineNodes } from '../../../webview/charts/lineNodes.ts';
import { summariseSeries } from '../../../webview/charts/summary.ts';
import { curvesOf } from './sampleRun.ts';

const up = [0.1, 0.2, NaN, 0.4, 0.8];
const down = [2, 1.5, 1, 0.5, 0.25];
const names = [
  ...(['accuracy', 'reward', 'toolRate', 'redundant', 'qualifyingShare', 'signalShare', 'truncatedShare'] as const),
  ...(['deadRightShare', 'deadWrongShare', 'failedCalls'] as const),
];
const curves = curvesOf(5, {
  ...Object.fromEntries(names.map((name) => [name, up])),
  ...Object.fromEntries(
    (
      ['calls', 'effectiveToolWeight', 'accAdvantage', 'toolAdvantage', 'responseTokens', 'responseCharacters'] as const
    ).map((name) => [name, down]),
  ),
});

describe.each(charts.map((chart) => [chart.id, chart] as const))('%s', (id, chart) => {
  it('is drawn as its picture', async () => {
    const series = (['hdpo', 'grpo'] as const).map((name, style) => ({
      run: name,
      name,
      colour: `var(--vscode-charts-${style === 0 ? 'green' : 'purple'})`,
      style,
      step: style === 0 ? curves.step : curves.step.map((step) => step + 2),
      value: chart.values(curves),
    }));
    const nodes = lineNodes({ chart, series, width: 320, steps: [1, 7] });
    const summary = summariseSeries(chart, series);
    expect(summary).toMatch(/^hdpo .+, grpo .+\.$/);
    const svg = standaloneSvg({ title: chart.title, summary, width: 320, height: lineChartHeight, rasters: [], nodes });
    await expect(svg).toMatchFileSnapshot(`snapshots/step-${id}.svg`);
  });
});
