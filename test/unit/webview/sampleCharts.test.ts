/** Contributions and plane: what is drawn is what the arithmetic says, and every spot and brush selects what it shows. */
import { describe, expect, it } from 'vitest';
import { contributionsOf, type ContributionMode } from '../../../src/analysis/contributions.ts';
import { contributionsChart } from '../../../webview/charts/contributionsChart.ts';
import { contributionsOfSamples, countRows, pushOf } from '../../../webview/charts/contributionColumns.ts';
import { standaloneSvg } from '../../../webview/charts/exportChart.ts';
import type { Drawing, PanelChart, PanelInput, Selection } from '../../../webview/charts/panelChart.ts';
import { planeChart } from '../../../webview/charts/planeChart.ts';
import { placesOfSamples } from '../../../webview/charts/planeColumns.ts';
import { csvOfRows } from '../../../webview/charts/csv.ts';
import { selectedRows, wholeRun } from '../../../webview/charts/selection.ts';
import type { SvgNode } from '../../../webview/ui/svgNode.ts';
import { notingContext, panelInput, sampleColumns } from './sampleRun.ts';

const few = { steps: 6, groups: 3, members: 8 };
const many = { steps: 12, groups: 24, members: 8 };
const charts: readonly (readonly [string, PanelChart])[] = [
  ['contributions', contributionsChart],
  ['plane', planeChart],
];

function drawn(chart: PanelChart, input: PanelInput, width = 480): Drawing {
  const drawing = chart.make(notingContext().context).draw(input, width);
  if ('missing' in drawing) throw new Error(drawing.missing);
  return drawing;
}

function all(nodes: readonly SvgNode[]): SvgNode[] {
  return nodes.flatMap((node) => [
    node,
    ...all(node.children.filter((child): child is SvgNode => typeof child !== 'string')),
  ]);
}

const withClass = (drawing: Drawing, name: string): SvgNode[] =>
  all(drawing.nodes).filter(({ attributes }) => String(attributes['class'] ?? '').startsWith(name));

describe.each(charts)('%s', (id, chart) => {
  it.each([
    ['few', few],
    ['many', many],
  ] as const)('draws %s rollouts as its picture', async (name, size) => {
    const drawing = drawn(chart, panelInput(size, { steps: [2, 4] }));
    const svg = standaloneSvg({ ...drawing, title: chart.title, width: 480 });
    await expect(svg).toMatchFileSnapshot(`snapshots/${id}-${name}.svg`);
  });

  it('has a row a step in its table', () => {
    const table = drawn(chart, panelInput(few)).table();
    expect(table.rows).toBe(few.steps);
    const csv = csvOfRows(table).trimEnd().split('\n');
    expect(csv).toHaveLength(few.steps + 1);
    expect(csv.slice(1).map((line) => line.split(',')[0])).toEqual(['1', '2', '3', '4', '5', '6']);
  });

  it('says that rollouts are still being read', () => {
    const input = panelInput(few);
    const focus = input.focus && { ...input.focus, samples: null };
    const drawing = chart.make(notingContext().context).draw({ ...input, focus, runs: [] }, 480);
    expect(drawing).toEqual({ missing: 'Reading the rollouts…' });
  });

  it('reaches every spot by keys, and each says something', () => {
    const { spots } = drawn(chart, panelInput(few));
    expect(spots.count).toBeGreaterThan(20);
    const seen = new Set<number>();
    const queue = [0];
    for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
      if (seen.has(at)) continue;
      seen.add(at);
      expect(spots.at(at).spoken).toMatch(/\d/);
      for (const key of ['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown']) {
        const next = spots.next(at, key);
        if (next !== null) queue.push(next);
      }
    }
    expect(seen.size).toBe(spots.count);
    expect(spots.next(0, 'x')).toBeNull();
  });

  it('draws no more marks than pixels', () => {
    const drawing = drawn(chart, panelInput(many), 300);
    for (const { columns, rows, width, height } of drawing.rasters) {
      expect(columns).toBeLessThanOrEqual(width);
      expect(rows).toBeLessThanOrEqual(height);
    }
    expect(withClass(drawing, 'marks')).toEqual([]);
  });
});

describe('contributions', () => {
  const input = panelInput(few);
  const columns = sampleColumns(few);

  it.each(['plain', 'by-sequence', 'loss-weighted'] satisfies ContributionMode[])('%s is the arithmetic', (mode) => {
    const found = contributionsOfSamples(input.focus?.samples ?? null, mode);
    for (let step = 0; step < few.steps; step += 1) {
      const [from, to] = [step * 24, (step + 1) * 24];
      const wanted = contributionsOf(
        {
          accAdvantage: columns.accAdvantage.subarray(from, to),
          toolAdvantage: columns.toolAdvantage.subarray(from, to),
          length: columns.length.subarray(from, to),
          masked: columns.masked.subarray(from, to),
        },
        { mode, accWeight: 0.7, toolWeight: 0.3 },
      );
      for (let row = from; row < to; row += 1) {
        const push = (wanted.acc[row - from] ?? NaN) + (wanted.tool[row - from] ?? NaN);
        expect(found && pushOf(found, { acc: 0.7, tool: 0.3 }, row)).toBeCloseTo(push, 4);
      }
    }
  });

  it('marks each rollout that pushes, in either strip', () => {
    const found = contributionsOfSamples(input.focus?.samples ?? null, 'loss-weighted');
    const pushing = (values: Float32Array | undefined): number => (values ?? []).filter((value) => value !== 0).length;
    const marks = withClass(drawn(contributionsChart, input), 'marks').map(
      ({ attributes }) => attributes['data-count'],
    );
    expect(marks).toEqual([pushing(found?.acc), pushing(found?.tool)]);
  });

  it('has every rollout in a mark of the plane, larger where several stand at one place', () => {
    const marks = withClass(drawn(planeChart, input), 'marks').map(({ attributes }) => attributes);
    const counted = marks.reduce((sum, attributes) => sum + Number(attributes['data-count']), 0);
    expect(counted).toBe(input.focus?.samples?.count);
    const right = marks.filter((attributes) => attributes['class'] === 'marks right');
    expect(new Set(right.map((attributes) => attributes['stroke-width'])).size).toBe(right.length);
  });

  it('counts every push once in the densities, at any weight', () => {
    const large = panelInput(many);
    const found = contributionsOfSamples(large.focus?.samples ?? null, 'loss-weighted');
    for (const tool of [0.01, 0.15, 1]) {
      const { rasters } = drawn(contributionsChart, { ...large, weights: { acc: 1, tool } });
      const sums = rasters.map(({ counts }) => counts.reduce((sum, count) => sum + count, 0));
      expect(sums).toEqual([found?.accSorted.values.length, found?.toolSorted.values.length]);
    }
    const silent = drawn(contributionsChart, { ...large, weights: { acc: 1, tool: 0 } });
    expect(silent.rasters[1]?.counts.some((count) => count > 0)).toBe(false);
  });

  it('counts rows as a look at every value does', () => {
    const values = Float32Array.from([-5, -1, -0.5, -0.1, 0.1, 0.4, 0.9, 3]);
    const counts = new Uint32Array(4);
    countRows({ values, first: Uint32Array.of(0, 8) }, 0, { counts, offset: 0, rows: 4, scale: 1 });
    expect([...counts]).toEqual([2, 2, 2, 2]);
  });

  it('lists for a band what it says of it', () => {
    const { context, asked } = notingContext();
    const drawing = contributionsChart.make(context).draw(input, 480);
    if ('missing' in drawing) throw new Error(drawing.missing);
    const contributions = contributionsOfSamples(input.focus?.samples ?? null, input.mode);
    if (!contributions) throw new Error('no contributions');
    let checked = 0;
    for (let at = 0; at < drawing.spots.count; at += 1) {
      const spot = drawing.spots.at(at);
      const said = Number(/: ([\d,]+) of/.exec(spot.spoken)?.[1] ?? NaN);
      spot.pick?.();
      const [, change] = asked.pop() as readonly [string, Partial<Selection>];
      const from = { contributions, weights: input.weights, group: null, plane: null };
      // Where nothing is, the step is selected and not a region that holds nothing.
      if (said === 0) expect(change.region).toBeNull();
      else expect(selectedRows({ ...wholeRun, ...change }, from).length).toBe(said);
      checked += said;
    }
    // Bands share their edges, so a value on one may be in two.
    const pushes = contributions.accSorted.values.length + contributions.toolSorted.values.length;
    expect(checked).toBeGreaterThanOrEqual(pushes);
  });

  it('takes a drag over a strip for steps and values, over the axis for steps', () => {
    const { context, asked } = notingContext();
    const drawing = contributionsChart.make(context).draw(input, 480);
    if ('missing' in drawing) throw new Error(drawing.missing);
    const [acc, , below] = drawing.brushes;
    const third = { x: 48 + 420 / 3, width: 420 / 3 };
    acc?.select({ ...third, y: acc.y, height: 30 });
    below?.select({ ...third, y: below.y, height: below.height });
    expect(asked).toEqual([
      [
        'select',
        {
          steps: [3, 4],
          region: { channel: 'acc', mode: 'loss-weighted', low: expect.any(Number) as number, high: Number.MAX_VALUE },
          group: null,
        },
      ],
      ['select', { steps: [3, 4], region: null, group: null }],
    ]);
  });
});

describe('plane', () => {
  it('puts wrong ones by T − mean T, right ones by A_tool', () => {
    const columns = {
      step: Int32Array.of(1, 1, 1, 1, 1),
      group: Uint32Array.of(0, 0, 0, 0, 1),
      correct: Uint8Array.of(1, 1, 0, 0, 2),
      calls: Uint16Array.of(0, 2, 4, 2, 1),
      accAdvantage: Float32Array.of(0.5, 0.5, -0.5, NaN, 0),
      toolAdvantage: Float32Array.of(0.7, -0.7, 0, 0, NaN),
    };
    const places = placesOfSamples({ run: 'p', version: 1, count: 5, lengthIsEstimate: false, columns });
    expect(places && [...places.region]).toEqual([0, 2, 3, 255, 255]);
    expect(places?.y[2]).toBe(2);
    expect(places?.y[1]).toBeCloseTo(-0.7);
  });

  it('opens a rollout, and selects its group', () => {
    const { context, asked } = notingContext();
    const drawing = planeChart.make(context).draw(panelInput(few, { steps: [2, 2] }), 480);
    if ('missing' in drawing) throw new Error(drawing.missing);
    drawing.spots.at(0).pick?.();
    drawing.spots.at(0).pickGroup?.();
    const [[, row] = [], [, change] = []] = asked as readonly (readonly [string, unknown])[];
    expect(row).toBeGreaterThanOrEqual(24);
    expect(row).toBeLessThan(48);
    expect(change).toEqual({ group: Math.floor(Number(row) / 8) });
  });

  it('links the members of a selected group', () => {
    const drawing = drawn(planeChart, panelInput(few, { steps: [2, 2], group: 4 }));
    expect(withClass(drawing, 'group').map(({ attributes }) => attributes['data-members'])).toEqual([8]);
  });

  it('is drawn once for any weights', () => {
    const view = planeChart.make(notingContext().context);
    const input = panelInput(few);
    expect(view.draw({ ...input, weights: { acc: 1, tool: 0.9 } }, 480)).toBe(view.draw(input, 480));
  });
});
