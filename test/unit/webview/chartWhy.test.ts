/** Why a point of a chart is what it is: every chart has it at every spot, the sum gives the value, members are its own. */
import { describe, expect, it } from 'vitest';
import type { ChartsHostApi } from '../../../src/protocol/charts.ts';
import type { RedundancyCurves } from '../../../src/protocol/flags.ts';
import type { BiographyMoment } from '../../../src/protocol/groupView.ts';
import type { Client } from '../../../src/protocol/rpc.ts';
import { charts, groupCharts, panelCharts, sampleCharts } from '../../../webview/charts/all.ts';
import type { Drawing, PanelChart, PanelContext, PanelInput, Spot, Why } from '../../../webview/charts/panelChart.ts';
import { wholeRun } from '../../../webview/charts/selection.ts';
import { stepValues } from '../../../webview/charts/stepValues.ts';
import { mostNamed } from '../../../webview/charts/whyMembers.ts';
import { stepWhy } from '../../../webview/charts/whySums.ts';
import { madeCurves, notingContext, panelInput, sampleColumns } from './sampleRun.ts';

const size = { steps: 6, groups: 6, members: 8 };
const perStep = size.groups * size.members;
const columns = sampleColumns(size);
const { key, step, group, prompt, correct, calls, redundantCalls, accAdvantage, toolAdvantage } = columns;
const rowOfKey = new Map(Array.from(key, (of, row) => [of, row]));

const momentOf = (ordinal: number): BiographyMoment => {
  const rows = [...group.keys()].filter((row) => group[row] === ordinal);
  const right = rows.filter((row) => correct[row] === 1).length;
  return {
    step: step[rows[0] ?? 0] ?? 0,
    group: `g${ordinal}`,
    size: rows.length,
    correct: right,
    qualifying: right,
    callsMean: rows.reduce((sum, row) => sum + (calls[row] ?? 0), 0) / rows.length,
    rollouts: rows.map((row) => ({
      key: key[row] ?? NaN,
      ref: { run: 'r', file: 'f.jsonl', row },
      correct: correct[row] === 1,
      calls: calls[row] ?? 0,
      accReward: null,
      accAdvantage: accAdvantage[row] ?? null,
      toolAdvantage: toolAdvantage[row] ?? null,
    })),
  };
};

/** Two runs with equal prompts, the second without the calls of the first; a group of the first is selected. */
function inputOf(change: Partial<PanelInput> = {}): PanelInput {
  const input = panelInput(size);
  const [run] = input.runs;
  if (!run?.samples) throw new Error('a run has samples');
  const one = { ...run, curves: madeCurves(columns) };
  const lean = { ...sampleColumns(size), calls: calls.map((count) => Math.floor(count / 2)) };
  const samples = { ...run.samples, run: 's', columns: lean };
  const other = { ...one, id: 's', name: 'lean', style: 1, samples, curves: madeCurves(lean) };
  const moments = [1, 7, 13].map(momentOf);
  return {
    ...input,
    runs: [one, other],
    focus: one,
    selection: { ...wholeRun, group: 1 },
    group: { run: 'r', ordinal: 1, question: '?', view: null, moments, total: moments.length },
    ...change,
  };
}

const shares: RedundancyCurves = {
  run: 'r',
  step: Int32Array.from({ length: size.steps }, (_, s) => s + 1),
  byRule: [
    { rule: 'repeat', share: Float64Array.from({ length: size.steps }, (_, s) => 2 / callsOfStep(s + 1)) },
    { rule: 'sibling', share: new Float64Array(size.steps).fill(0.123) },
  ],
  byTool: [{ tool: 'python', share: new Float64Array(size.steps).fill(0.25) }],
};

function callsOfStep(of: number): number {
  return calls.reduce((sum, count, row) => sum + (step[row] === of ? count : 0), 0);
}

/** A chart as the page draws it once what it asks the engine for is there. */
async function drawn(chart: PanelChart, input: PanelInput): Promise<Drawing> {
  const { context } = notingContext();
  const page: PanelContext = {
    ...context,
    // What these charts ask for; the other questions fail, as in `notingContext`.
    api: {
      promptKeys: ({ run }: { readonly run: string }) => {
        const keys = Float64Array.from({ length: size.groups }, (_, of) => of);
        return Promise.resolve({ run, first: 0, total: keys.length, version: 1, keys });
      },
      redundancyCurves: () => Promise.resolve(shares),
    } as unknown as Client<ChartsHostApi>,
    whyStep: (run, at) => {
      const found = input.runs.find(({ id }) => id === run);
      return found ? stepWhy(input, found, { ...at, select: null }) : null;
    },
  };
  const view = chart.make(page);
  view.draw(input, 720);
  await new Promise((resolve) => setTimeout(resolve));
  const drawing = view.draw(input, 720);
  if ('missing' in drawing) throw new Error(`${chart.id}: ${drawing.missing}`);
  return drawing;
}

async function spotsOf(id: string, input: PanelInput = inputOf()): Promise<readonly Spot[]> {
  const chart = all.find((one) => one.id === id);
  if (!chart) throw new Error(`no chart ${id}`);
  const { spots } = await drawn(chart, input);
  return Array.from({ length: spots.count }, (_, index) => spots.at(index));
}

function membersOf(spot: Spot | undefined): Extract<Why, { kind: 'members' }> {
  const why = spot?.why?.() ?? null;
  if (why?.kind !== 'members') throw new Error(`no members: ${spot?.spoken ?? 'no spot'}`);
  return why;
}

const rowsOf = ({ members }: { readonly members: readonly { readonly key: number }[] }): readonly number[] =>
  members.map(({ key: of }) => rowOfKey.get(of) ?? NaN);

const all = [...sampleCharts, ...groupCharts, ...panelCharts];
/** The view of a group needs the engine's sums; groupView.test.ts has it. */
const asked = all.filter(({ id }) => id !== 'group');

describe('every spot that stands for rollouts', () => {
  it.each(asked.map((chart) => [chart.id, chart] as const))('of %s says why', async (_id, chart) => {
    const { spots } = await drawn(chart, inputOf());
    expect(spots.count).toBeGreaterThan(2);
    for (let at = 0; at < spots.count; at += 1) {
      const spot = spots.at(at);
      const why = spot.why?.() ?? null;
      expect(why, spot.spoken).not.toBeNull();
      if (why?.kind !== 'members') continue;
      // A place of the density without a rollout says so.
      if (/: 0 of \d+ rollouts/.test(spot.spoken)) {
        expect(why).toMatchObject({ sums: ['No rollout pushes so here.'], count: 0 });
        continue;
      }
      expect(why.members.length).toBe(Math.min(why.count, mostNamed));
      expect(why.members.length).toBeGreaterThan(0);
      for (const { key: of, text } of why.members) {
        expect(rowOfKey.has(of)).toBe(true);
        expect(text).not.toMatch(/NaN|undefined|\?/);
      }
    }
  });
});

describe('the sum gives the value that is drawn', () => {
  it.each([
    ['passRate', /: ([\d.,]+)(?: \(|, of)/],
    ['pairedEpochs', /(?:hdpo|lean): ([+−]?[\d.]+)[ ,]/],
    ['changedPrompts', /, change ([+−]?\d+ points) \(/],
    ['callsAccuracy', /^mean T, calls per rollout ([\d.]+), /],
    ['callsAccuracy', /(?:hdpo|lean): ([\d.]+ %)/],
    ['redundancy', /: ([\d.]+ %)$/],
    ['biography', /: ([\d.]+ %|[\d.]+)(?: \(|, |$)/],
    ['curriculum', /: ([\d.]+ %|[\d.]+)$/],
    ['coupled', /: ([+−]?[\d.]+(?: %)?)(?: \(|, |$)/],
    ['negativePush', /: ([\d.]+ %)(?: \(|, )/],
    ['selectivity', /: ([\d.]+ %)(?: \(|, )/],
  ])('of %s (%s)', async (id, value) => {
    const spots = await spotsOf(id);
    for (const spot of spots) {
      const [, shown = 'nothing'] = value.exec(spot.spoken) ?? [];
      const sums = membersOf(spot).sums.join('\n');
      expect(sums, spot.spoken).toContain(` = ${shown}`);
      expect(sums).not.toContain('NaN');
    }
  });

  it.each(charts.map((chart) => [chart.id, chart] as const))(
    'of %s, in numbers where the page has them',
    (_id, chart) => {
      const { focus } = inputOf();
      if (!focus) throw new Error('no run');
      const values = chart.values(focus.curves);
      expect(chart.made.name.toLowerCase()).not.toBe('');
      for (const [index, drawn] of values.entries()) {
        if (Number.isNaN(drawn)) continue;
        const at = focus.curves.step[index] ?? 0;
        const why = stepWhy(inputOf(), focus, { step: at, value: chart.made, drawn, select: null });
        if (why.kind !== 'members') throw new Error('members');
        expect(why.sums).toHaveLength(1);
        expect(why.sums[0]).toMatch(/\d.* \/ .*\d.* = [\d.,]+( %)?$/);
        expect(why.sums[0]?.endsWith(` = ${chart.format(drawn)}`), why.sums[0]).toBe(true);
        for (const row of rowsOf(why)) expect(step[row]).toBe(at);
      }
    },
  );

  it('is told in words where the rollouts that are read give another value', () => {
    const { focus } = inputOf();
    if (!focus) throw new Error('no run');
    const at = { step: 2, value: stepValues.accuracy, drawn: 0.987, select: null };
    const why = stepWhy(inputOf(), focus, at);
    expect(why).toMatchObject({
      sums: [
        'accuracy = right / rollouts of known correctness = 0.987',
        `Over the ${perStep} rollouts of hdpo, step 2.`,
      ],
    });
  });

  it('of groups names groups, and still selects the rollouts of the step', () => {
    const { focus } = inputOf();
    const drawn = focus?.curves.signalShare[1] ?? NaN;
    if (!focus) throw new Error('no run');
    const why = stepWhy(inputOf(), focus, { step: 2, value: stepValues.signal, drawn, select: null });
    expect(why).toMatchObject({ count: size.groups, selects: `${perStep} rollouts` });
    expect(why.kind === 'members' && why.members.map(({ text }) => text)).toEqual(
      expect.arrayContaining([expect.stringMatching(/^(counts|does not): \d of 8 right(, T \d( to \d)? in Q)?$/)]),
    );
  });

  it('follows the weights, the mode and the steps', async () => {
    const weights = { acc: 0.5, tool: 2 };
    const input = inputOf({ weights, mode: 'plain', selection: { ...wholeRun, steps: [2, 3] } });
    const spots = await spotsOf('passRate', input);
    for (const spot of spots) {
      const why = membersOf(spot);
      const [, shown = 'nothing'] = /: ([\d.,]+)(?: \(|, of)/.exec(spot.spoken) ?? [];
      expect(why.sums[0]).toContain(` = ${shown}`);
      for (const row of rowsOf(why)) expect([2, 3]).toContain(step[row]);
    }
  });
});

describe('the members', () => {
  it('of a pass rate are the rollouts of the groups with so many right ones, the largest push first', async () => {
    const right = (of: number): number =>
      group.reduce((sum, ordinal, row) => sum + (ordinal === of && correct[row] === 1 ? 1 : 0), 0);
    const spots = await spotsOf('passRate');
    for (const spot of spots.filter(({ spoken }) => spoken.includes('hdpo'))) {
      const [, k = ''] = /^right of 8 (\d)/.exec(spot.spoken) ?? [];
      const why = membersOf(spot);
      const groups = [...new Set(group)].filter((of) => right(of) === Number(k));
      expect(why.count).toBe(groups.length * size.members);
      expect(why.sums[1]).toContain(` ${groups.length} group`);
      for (const row of rowsOf(why)) expect(right(group[row] ?? NaN)).toBe(Number(k));
      const pushes = why.members.map(({ text }) => Number(/ pushes ([\d.]+)$/.exec(text)?.[1]));
      expect(pushes).toEqual(pushes.toSorted((a, b) => b - a));
    }
  });

  it('of a pair of epochs are its prompts, each opening a rollout of the later time', async () => {
    const spots = await spotsOf('pairedEpochs');
    for (const spot of spots) {
      const why = membersOf(spot);
      const [, epoch = ''] = /^epoch (\d)/.exec(spot.spoken) ?? [];
      expect(why.count).toBe(size.groups);
      expect(why.run).toBe(spot.spoken.includes('lean') ? 's' : 'r');
      for (const row of rowsOf(why)) expect(step[row]).toBe(Number(epoch));
      expect(new Set(rowsOf(why).map((row) => prompt[row])).size).toBe(size.groups);
      const changes = why.members.map(({ text }) => Math.abs(Number(text.split('  ').at(-1)?.replace('−', '-'))));
      expect(changes).toEqual(changes.toSorted((a, b) => b - a));
    }
  });

  it('of a changed prompt are rollouts of both runs, of the last steps', async () => {
    const [spot] = await spotsOf('changedPrompts');
    const why = membersOf(spot);
    expect(why.members.map(({ run }) => run)).toEqual(['r', 'r', 'r', 'r', 's', 's', 's', 's']);
    expect(why.count).toBe(2 * size.steps * size.members);
    expect(new Set(rowsOf(why).map((row) => prompt[row])).size).toBe(1);
    for (const row of rowsOf(why)) expect(step[row]).toBe(size.steps);
    expect(why.sums[0]).toMatch(/^hdpo: \d+ right \/ 48 rollouts = \d+ %$/);
    expect(why.sums[1]).toMatch(/^lean: \d+ right \/ 48 rollouts = \d+ %$/);
  });

  it('of a redundant share are the rollouts of its step with flagged calls, counted where the log has the counts', async () => {
    const spots = await spotsOf('redundancy', { ...inputOf(), runs: inputOf().runs.slice(0, 1) });
    const flaggedOf = (at: number): number[] =>
      [...step.keys()].filter((row) => step[row] === at && (redundantCalls[row] ?? 0) > 0);
    for (const spot of spots) {
      const [, at = ''] = /^step (\d)/.exec(spot.spoken) ?? [];
      const why = membersOf(spot);
      expect(why.count).toBe(flaggedOf(Number(at)).length);
      for (const row of rowsOf(why)) expect(step[row]).toBe(Number(at));
      const [sum = ''] = why.sums;
      const total = callsOfStep(Number(at));
      if (spot.spoken.includes('repeats an earlier call')) expect(sum).toContain(` = 2 / ${total} = `);
      // A share that is no whole number of these calls is told without numbers that would be guessed.
      else expect(sum).not.toContain(`/ ${total}`);
    }
  });

  it('of a moment are its rollouts, and selecting them selects its group', async () => {
    const { context, asked: told } = notingContext();
    const chart = all.find(({ id }) => id === 'biography');
    const drawing = chart?.make(context).draw(inputOf(), 720);
    if (!drawing || 'missing' in drawing) throw new Error('no drawing');
    const spot = drawing.spots.at(1);
    const why = membersOf(spot);
    expect(why.count).toBe(size.members);
    expect(why.members).toHaveLength(size.members);
    for (const row of rowsOf(why)) expect(group[row]).toBe(7);
    why.select?.();
    expect(told).toContainEqual(['select', { steps: [2, 2], group: 7 }]);
  });

  it('of a stretch of the path are the rollouts of its steps', async () => {
    const spots = await spotsOf('callsAccuracy');
    expect(spots).toHaveLength(2 * size.steps);
    for (const spot of spots) expect(membersOf(spot).count).toBe(perStep);
  });

  it('wait for their columns', async () => {
    const input = inputOf();
    const runs = input.runs.map((run) => ({ ...run, samples: run.samples && { ...run.samples, columns: {} } }));
    const spots = await spotsOf('redundancy', { ...input, runs, focus: runs[0] ?? null });
    for (const spot of spots) expect(spot.why?.()).toBeNull();
  });
});
