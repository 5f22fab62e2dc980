/** The charts beside contributions and plane: their pictures, sentences, tables and what a spot opens, for two runs. */
import { describe, expect, it } from 'vitest';
import { prepareCoupled } from '../../../src/analysis/coupled.ts';
import { changedPrompts } from '../../../src/analysis/compareRuns.ts';
import { callsAccuracyChart } from '../../../webview/charts/callsAccuracyChart.ts';
import { changeScene } from '../../../webview/charts/changedScene.ts';
import { changedPromptsChart } from '../../../webview/charts/changedPromptsChart.ts';
import { changeOfMeasureText, measureText, rangeText } from '../../../webview/charts/changedTexts.ts';
import { coupledChart } from '../../../webview/charts/coupledChart.ts';
import { csvOfRows } from '../../../webview/charts/csv.ts';
import { curriculumChart } from '../../../webview/charts/curriculumChart.ts';
import { standaloneSvg } from '../../../webview/charts/exportChart.ts';
import { negativePushChart } from '../../../webview/charts/negativePushChart.ts';
import { pairedEpochsChart } from '../../../webview/charts/pairedEpochsChart.ts';
import type { Drawing, PanelChart, PanelContext, PanelInput } from '../../../webview/charts/panelChart.ts';
import { passRateChart } from '../../../webview/charts/passRateChart.ts';
import { makePromptKeys } from '../../../webview/charts/promptKeys.ts';
import { selectivityChart } from '../../../webview/charts/selectivityChart.ts';
import { curvesOf, notingContext, panelInput, sampleColumns } from './sampleRun.ts';

const size = { steps: 14, groups: 6, members: 8 };
const ofSamples: readonly PanelChart[] = [
  coupledChart,
  passRateChart,
  negativePushChart,
  callsAccuracyChart,
  selectivityChart,
  pairedEpochsChart,
];
const charts: readonly PanelChart[] = [curriculumChart, ...ofSamples];

/** Open from step 5, awake from 5 to 10, then asleep. */
const shares = {
  qualifyingShare: [0.6, 0.7, 0.7, 0.8, 0.8, 0.8, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9],
  signalShare: [0.4, 0.4, 0.4, 0.5, 0.5, 0.4, 0.3, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1],
  accuracy: Array.from({ length: 14 }, (_, step) => 0.4 + step / 30),
  toolRate: Array.from({ length: 14 }, (_, step) => 0.9 - step / 20),
  calls: Array.from({ length: 14 }, (_, step) => 1.5 - step / 10),
  deadRightShare: Array.from({ length: 14 }, (_, step) => step / 40),
  deadWrongShare: Array.from({ length: 14 }, (_, step) => 0.3 - step / 50),
  effectiveToolWeight: [NaN, ...Array.from({ length: 13 }, (_, step) => 0.4 + step / 10)],
};

/** One run, or the same beside a second one that is leaner from the start. */
function inputOf(runs: 1 | 2, change: Partial<PanelInput> = {}): PanelInput {
  const input = panelInput(size);
  const [first] = input.runs;
  if (!first?.samples) throw new Error('a run has samples');
  const one = { ...first, curves: curvesOf(size.steps, shares) };
  const leaner = sampleColumns(size);
  const calls = leaner.calls.map((count) => Math.floor(count / 2));
  const columns = { ...leaner, calls, accAdvantage: leaner.accAdvantage.slice(), group: leaner.group.slice() };
  const other = {
    ...one,
    id: 's',
    name: 'coupled',
    colour: 'var(--vscode-charts-purple)',
    style: 1,
    samples: { ...first.samples, run: 's', columns },
  };
  return { ...input, runs: runs === 1 ? [one] : [one, other], focus: one, ...change };
}

function drawn(chart: PanelChart, input: PanelInput, given: Partial<PanelContext> = {}): Drawing {
  const drawing = chart.make({ ...notingContext().context, ...given }).draw(input, 720);
  if ('missing' in drawing) throw new Error(drawing.missing);
  return drawing;
}

describe.each(charts.map((chart) => [chart.id, chart] as const))('%s', (id, chart) => {
  it.each([1, 2] as const)('draws %i runs as their picture, with a sentence of each', async (runs) => {
    const drawing = drawn(chart, inputOf(runs));
    expect(drawing.summary).toMatch(/hdpo/);
    expect(drawing.summary.includes('coupled:') || /coupled[, ]/.test(drawing.summary)).toBe(runs === 2);
    await expect(standaloneSvg({ ...drawing, title: chart.title, width: 720 })).toMatchFileSnapshot(
      `snapshots/${id}-${runs === 1 ? 'one' : 'two'}.svg`,
    );
  });

  it('has in its table what its spots say', () => {
    const drawing = drawn(chart, inputOf(1));
    const table = drawing.table();
    const csv = csvOfRows(table).trimEnd().split('\n');
    expect(csv).toHaveLength(table.rows + 1);
    expect(new Set(table.columns.map(({ title }) => title)).size).toBe(table.columns.length);
    expect(drawing.spots.count).toBeGreaterThan(5);
    for (let at = 0; at < drawing.spots.count; at += 1) expect(drawing.spots.at(at).spoken).toMatch(/\d/);
  });

  it('stays in its width, from a narrow panel on', () => {
    for (const width of [160, 300, 1200]) {
      const drawing = chart.make(notingContext().context).draw(inputOf(2), width);
      if ('missing' in drawing) throw new Error(drawing.missing);
      for (let at = 0; at < drawing.spots.count; at += 1) {
        const { x, y } = drawing.spots.at(at);
        expect(x).toBeGreaterThanOrEqual(0);
        expect(x).toBeLessThanOrEqual(width);
        expect(y).toBeLessThanOrEqual(drawing.height);
      }
    }
  });
});

describe.each(ofSamples.map((chart) => [chart.id, chart] as const))('%s without samples', (_id, chart) => {
  it('says that the rollouts are being read', () => {
    const input = inputOf(1);
    const runs = input.runs.map((run) => ({ ...run, samples: null }));
    const drawing = chart.make(notingContext().context).draw({ ...input, runs, focus: runs[0] ?? null }, 480);
    expect(drawing).toEqual({ missing: 'Reading the rollouts…' });
  });
});

describe('curriculum', () => {
  it('says when the channel was open, awake and asleep again', () => {
    expect(drawn(curriculumChart, inputOf(1)).summary).toBe(
      'hdpo: the efficiency channel was open from step 1, awake from step 1 to 10, then asleep again (no exploration); at most 50 % of groups carried a signal, at step 4. In the last step 33 % of groups were all right and 4 % all wrong: no accuracy signal in them.',
    );
  });

  it('takes the threshold that was saved, and no other', () => {
    const at = (saved: unknown): string => drawn(curriculumChart, inputOf(1), { saved }).summary;
    expect(at({ threshold: 0.6 })).toContain('never awake');
    for (const saved of [null, 3, { threshold: '0.6' }, { threshold: 7 }])
      expect(at(saved)).toContain('awake from step 1');
  });

  it('scales effective w_tool with the weight of the page', () => {
    const cell = (tool: number): unknown => {
      const table = drawn(curriculumChart, inputOf(1, { weights: { acc: 1, tool } })).table();
      return table.columns.find(({ title }) => title.endsWith('effective w_tool'))?.value(1);
    };
    expect(cell(0.15)).toBeCloseTo(0.4);
    expect(cell(0.3)).toBeCloseTo(0.8);
  });
});

describe('coupled', () => {
  const columns = sampleColumns(size);
  it.each(['unconditional', 'linear', 'gated'] as const)('%s draws the arithmetic', (form) => {
    const found = prepareCoupled(columns).evaluate({ form, alpha: 0.5, accWeight: 1, toolWeight: 0.15 });
    const table = drawn(coupledChart, inputOf(1), { saved: { form, alpha: 0.5 } }).table();
    const way = table.columns.find(({ title }) => title === 'pushed the other way');
    for (let s = 0; s < size.steps; s += 1) {
      expect(way?.value(s)).toBeCloseTo((found.steps.opposite[s] ?? NaN) / (found.steps.samples[s] ?? NaN), 12);
    }
    expect(table.caption).toContain(form);
  });

  it('says where α makes no difference', () => {
    const right = {
      ...columns,
      correct: columns.correct.slice().fill(1),
      accReward: columns.accReward.slice().fill(1),
    };
    const input = inputOf(1);
    const runs = input.runs.map((run) => ({ ...run, samples: run.samples && { ...run.samples, columns: right } }));
    expect(drawn(coupledChart, { ...input, runs, focus: runs[0] ?? null }).summary).toContain(
      'In 84 groups all are right: there any α gives the same advantages.',
    );
  });

  it('starts as it was left, whatever was saved', () => {
    const captionOf = (saved: unknown): string => drawn(coupledChart, inputOf(1), { saved }).table().caption;
    expect(captionOf({ form: 'gated', alpha: 0.7 })).toMatch(/gated.*α 0\.7/);
    for (const saved of [null, 'gated', { form: 'x', alpha: -1 }])
      expect(captionOf(saved)).toMatch(/unconditional.*α 0\.3/);
  });
});

describe('a weight that moves', () => {
  it('moves the shares at once and their bands when it rests', () => {
    const { context } = notingContext();
    const view = negativePushChart.make(context);
    const lows = (tool: number): number => {
      const drawing = view.draw(inputOf(1, { weights: { acc: 1, tool } }), 480);
      if ('missing' in drawing) throw new Error(drawing.missing);
      return drawing.table().columns.filter(({ title }) => title.endsWith('low')).length;
    };
    expect([lows(0.15), lows(0.3), lows(0.15)]).toEqual([1, 0, 1]);
  });
});

describe('prompts that changed most', () => {
  it('needs two runs', () => {
    const drawing = changedPromptsChart.make(notingContext().context).draw(inputOf(1), 480);
    expect(drawing).toEqual({ missing: 'Show two runs above to compare their prompts.' });
  });

  it('asks for the keys of the prompts page by page, and not for those of another version', async () => {
    const asked: unknown[] = [];
    const pages = [Float64Array.of(7, 8), Float64Array.of(9)];
    const keys = await new Promise<Float64Array | null>((resolve, reject) => {
      const api = {
        promptKeys: ({ run, first }: { readonly run: string; readonly first: number }) => {
          asked.push([run, first]);
          return Promise.resolve({ run, first, total: 3, version: 4, keys: pages[first / 2] ?? new Float64Array() });
        },
      };
      const known = makePromptKeys(api, {
        onKeys: () => {
          resolve(known.of('r', 4));
        },
        onError: reject,
      });
      expect(known.of('r', 4)).toBeNull();
      expect(known.of('r', 4)).toBeNull();
    });
    expect(keys && [...keys]).toEqual([7, 8, 9]);
    expect(asked).toEqual([
      ['r', 0],
      ['r', 2],
    ]);
  });

  it('draws the surest first, each with its interval', async () => {
    const [one, other] = [sampleColumns(size), sampleColumns(size)];
    const promptKey = Float64Array.from({ length: size.groups }, (_, prompt) => prompt);
    const better = other.correct.map((code, row) => ((other.prompt[row] ?? 0) < 2 ? 1 : code));
    const changes = changedPrompts(
      { ...one, promptKey },
      { ...other, promptKey, correct: better },
      { measure: 'accuracy' },
    );
    expect(
      changes
        .slice(0, 2)
        .map(({ key }) => key)
        .sort(),
    ).toEqual([0, 1]);
    const picked: number[] = [];
    const scene = changeScene(changes, {
      width: 480,
      names: ['grpo', 'hdpo'],
      text: (change) => changeOfMeasureText('accuracy', change),
      value: (value) => measureText('accuracy', value),
      range: (change) => rangeText('accuracy', change),
      pick: (index) => picked.push(index),
      why: () => null,
    });
    scene.spots.at(1).pick?.();
    expect(picked).toEqual([1]);
    expect(scene.spots.at(0).spoken).toMatch(/^rank 1: grpo \d+ % of 112, hdpo 100 % of 112, change \+\d+ points \(\+/);
    await expect(
      standaloneSvg({ ...scene, rasters: [], summary: '', title: changedPromptsChart.title, width: 480 }),
    ).toMatchFileSnapshot('snapshots/changedPrompts.svg');
  });
});
