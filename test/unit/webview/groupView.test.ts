/** The group view and the biography: order, pictures, sums, what is folded, what is asked of the host and when. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { prepareCoupled } from '../../../src/analysis/coupled.ts';
import type { ChartsHostApi, RolloutText } from '../../../src/protocol/charts.ts';
import type { RolloutRow } from '../../../src/protocol/engine.ts';
import type { BiographyMoment, GroupView, GroupViewMember } from '../../../src/protocol/groupView.ts';
import type { Client } from '../../../src/protocol/rpc.ts';
import { biographyChart } from '../../../webview/charts/biographyChart.ts';
import { contributionsChart } from '../../../webview/charts/contributionsChart.ts';
import { makeRestedBands } from '../../../webview/charts/coupledBands.ts';
import { csvOfRows } from '../../../webview/charts/csv.ts';
import { crumbsOf, narrowed } from '../../../webview/charts/drill.ts';
import { makeExplanations } from '../../../webview/charts/explanations.ts';
import { standaloneSvg } from '../../../webview/charts/exportChart.ts';
import { groupChart } from '../../../webview/charts/groupChart.ts';
import { makeGroupLoader } from '../../../webview/charts/groupLoader.ts';
import { memberText, orderedMembers, shortQuestion, spokenMember } from '../../../webview/charts/groupOrder.ts';
import { selectMoment, typicalRollout } from '../../../webview/charts/moments.ts';
import type { Drawing, PanelChart, PanelInput } from '../../../webview/charts/panelChart.ts';
import { planeChart } from '../../../webview/charts/planeChart.ts';
import { commonTurns, linesOfTurns } from '../../../webview/charts/rolloutTexts.ts';
import { chosenRuns } from '../../../webview/charts/runPair.ts';
import { wholeRun } from '../../../webview/charts/selection.ts';
import { stepValues } from '../../../webview/charts/stepValues.ts';
import { membersWhy, pushSums, rolloutWhy, stepWhy } from '../../../webview/charts/whySums.ts';
import { notingContext, panelInput } from './sampleRun.ts';

const size = { steps: 6, groups: 3, members: 8 };
const base = panelInput(size);
const columns = base.focus?.samples?.columns;
if (!columns?.key || !columns.group || !columns.calls || !columns.correct) throw new Error('the run has columns');
const { key: keys, group: groups, calls, correct } = columns;

/** Row `row` of the run as the engine answers it. */
function rowOf(row: number): RolloutRow {
  const right = correct[row] === 1;
  return {
    ref: { run: 'r', file: 'f.jsonl', row },
    step: Math.floor(row / 24) + 1,
    group: `g${groups[row] ?? 0}`,
    member: (row % 8) + 1,
    groupSize: 8,
    id: null,
    line: row,
    question: '48 × 7\n = ?',
    reward: columns?.accReward?.[row] ?? null,
    correct: right,
    calls: calls[row] ?? 0,
    redundantCalls: columns?.redundantCalls?.[row] ?? 0,
    wastedMs: null,
    accReward: columns?.accReward?.[row] ?? null,
    toolReward: right ? 1 / ((calls[row] ?? 0) + 1) : 0,
    accAdvantage: columns?.accAdvantage?.[row] ?? null,
    toolAdvantage: columns?.toolAdvantage?.[row] ?? null,
    loggedAdvantage: null,
    qualifies: right,
    stopReason: null,
  };
}

function viewOf(ordinal: number): GroupView {
  const rows = [...groups.keys()].filter((row) => groups[row] === ordinal);
  const members = rows.map((row): GroupViewMember => ({
    key: keys[row] ?? NaN,
    row: rowOf(row),
    answerReward: null,
    formatReward: null,
    masked: columns?.masked?.[row] === 1,
    push: null,
  }));
  const qualifying = members.filter(({ row }) => row.qualifies).length;
  return {
    run: 'r',
    step: rowOf(rows[0] ?? 0).step,
    group: `g${ordinal}`,
    question: '48 × 7\n = ?',
    size: rows.length,
    qualifying,
    accMean: 0.6,
    accStd: 0.4,
    toolMean: 0.5,
    toolStd: 0.2,
    accEqual: false,
    toolEqual: false,
    members,
  };
}

function momentOf(ordinal: number): BiographyMoment {
  const { step, group, members, qualifying } = viewOf(ordinal);
  return {
    step,
    group,
    size: members.length,
    correct: qualifying,
    qualifying,
    callsMean: members.reduce((sum, { row }) => sum + row.calls, 0) / members.length,
    rollouts: members.map(({ key, row }) => ({ ...row, key })),
  };
}

/** Group 4 (step 2) is selected; its prompt has an ordinal in every step. */
const moments = [1, 4, 7, 10, 13, 16].map(momentOf);
const input: PanelInput = {
  ...base,
  selection: { ...wholeRun, group: 4 },
  group: { run: 'r', ordinal: 4, question: '48 × 7\n = ?', view: viewOf(4), moments, total: moments.length },
};

function drawn(chart: PanelChart, given: PanelInput): Drawing {
  const drawing = chart.make(notingContext().context).draw(given, 720);
  if ('missing' in drawing) throw new Error(drawing.missing);
  return drawing;
}

describe.each([
  ['group', groupChart, 8],
  ['biography', biographyChart, 6],
] as const)('%s', (id, chart, rows) => {
  it('is its picture, with a sentence and a table', async () => {
    const drawing = drawn(chart, input);
    expect(drawing.summary).toContain('“48 × 7 = ?”');
    const table = drawing.table();
    expect(table.rows).toBe(rows);
    expect(csvOfRows(table).trimEnd().split('\n')).toHaveLength(rows + 1);
    const svg = standaloneSvg({ ...drawing, title: chart.title, width: 720 });
    await expect(svg).toMatchFileSnapshot(`snapshots/${id}.svg`);
    for (let at = 0; at < drawing.spots.count; at += 1) expect(drawing.spots.at(at).spoken).toMatch(/\d/);
  });
  it('says what is missing', () => {
    const draw = (given: PanelInput): unknown => chart.make(notingContext().context).draw(given, 480);
    expect(draw({ ...input, focus: null })).toEqual({ missing: 'Choose a run above.' });
    expect(draw(base)).toMatchObject({ missing: expect.stringContaining('No group is selected') as string });
    const reading = { ...input, group: null };
    expect(draw(reading)).toMatchObject({ missing: expect.stringMatching(/^Reading/) as string });
  });
  it('stays in its width', () => {
    for (const width of [160, 300, 1200]) {
      const drawing = chart.make(notingContext().context).draw(input, width);
      if ('missing' in drawing) throw new Error(drawing.missing);
      for (let at = 0; at < drawing.spots.count; at += 1) {
        expect(drawing.spots.at(at).x).toBeLessThanOrEqual(width);
        expect(drawing.spots.at(at).y).toBeLessThanOrEqual(drawing.height);
      }
    }
  });
});

describe('the members', () => {
  it('stand in the order of their push, which follows mode and weights', () => {
    for (const mode of ['plain', 'loss-weighted', 'by-sequence'] as const) {
      for (const tool of [0, 0.15, 1]) {
        const pushes = orderedMembers({ ...input, mode, weights: { acc: 1, tool } }).map(({ push }) => push);
        expect(pushes).toHaveLength(8);
        expect(pushes).toEqual(pushes.toSorted((a, b) => b - a));
      }
    }
    const accOnly = orderedMembers({ ...input, mode: 'plain', weights: { acc: 1, tool: 0 } });
    for (const { member, push } of accOnly) {
      expect(push).toBeCloseTo(member.masked ? 0 : (member.row.accAdvantage ?? NaN), 6);
    }
  });
  it('say all their numbers', () => {
    const [first] = orderedMembers(input);
    if (!first) throw new Error('no member');
    expect(memberText(first, 8)).toMatch(/^rollout \d of 8$/);
    expect(spokenMember(first, 8)).toMatch(
      /^rollout \d of 8, right, T \d,.* r_acc .*, r_tool .*, A_acc .*, A_tool .*, push \+/,
    );
  });
  it('a member is looked at by Enter, and explained by w', () => {
    const { context, asked } = notingContext();
    const drawing = groupChart.make(context).draw(input, 720);
    if ('missing' in drawing) throw new Error(drawing.missing);
    const spot = drawing.spots.at(0);
    spot.pick?.();
    const [first] = orderedMembers(input);
    expect(asked).toContainEqual(['select', { rollout: first?.member.row.member }]);
    expect(spot.why?.()).toMatchObject({ kind: 'rollout', run: 'r', key: first?.member.key });
  });
});

describe('the sums', () => {
  it('give the push that is drawn, in every mode', () => {
    for (const mode of ['plain', 'loss-weighted', 'by-sequence'] as const) {
      for (const { row, push } of orderedMembers({ ...input, mode })) {
        const lines = base.focus ? pushSums({ ...input, mode }, base.focus, row) : [];
        if (lines.length === 1) {
          expect(push).toBe(0);
          continue;
        }
        expect(lines).toHaveLength(3);
        const factors = (text: string): number =>
          text
            .split(' = ')[2]
            ?.split(' × ')
            .map((part) => part.replaceAll('−', '-').replaceAll(',', ''))
            .map((part) => part.split('/').map(Number))
            .reduce((product, [one = 1, other = 1]) => product * (one / other), 1) ?? NaN;
        const numbers = lines.slice(0, 2).map((text) => (text.includes('since') ? 0 : factors(text)));
        // The factors are rounded to three digits.
        expect((numbers[0] ?? 0) + (numbers[1] ?? 0)).toBeCloseTo(push, 1);
      }
    }
  });
  it('name the rollouts a value is made of, the largest first, and select them', () => {
    const select = vi.fn();
    const focus = base.focus;
    if (!focus) throw new Error('no run');
    const why = membersWhy({
      input,
      run: focus,
      rows: Uint32Array.from({ length: 24 }, (_, row) => row),
      sums: [],
      select,
    });
    if (why?.kind !== 'members') throw new Error('members');
    expect(why.count).toBe(24);
    expect(why.members).toHaveLength(8);
    expect(why.members[0]?.text).toMatch(/^[✓✗] {2}step 1 {2}T \d {2}A_acc .* {2}A_tool .* {2}push /);
    expect(membersWhy({ input, run: focus, rows: Uint32Array.of(3), sums: [], select })).toEqual(
      rolloutWhy(input, focus, 3),
    );
    expect(membersWhy({ input, run: focus, rows: new Uint32Array(0), sums: [], select })).toBeNull();
    const at = { step: 2, value: stepValues.toolRate, drawn: 0.5, select };
    expect(stepWhy(input, focus, at)).toMatchObject({ kind: 'members', count: 24 });
    const unread = { ...focus, samples: null };
    const sums = ['tool rate = with T ≥ 1 / rollouts = 50 %', 'Over the 8 rollouts of hdpo, step 2.'];
    expect(stepWhy(input, unread, at)).toMatchObject({ sums, members: [], count: 8 });
  });
  it('a band of contributions and a mark of the plane have them', () => {
    for (const chart of [contributionsChart, planeChart]) {
      const { spots } = drawn(chart, base);
      const whys = Array.from({ length: spots.count }, (_, at) => spots.at(at).why?.() ?? null);
      expect(whys.filter((why) => why !== null).length).toBeGreaterThan(10);
    }
  });
  it('are asked for once, and again when the run changed or asking failed', async () => {
    let fails = true;
    const asked: number[] = [];
    const explanations = makeExplanations({
      rowsOf: ({ keys: wanted }: { keys: Float64Array }) => Promise.resolve(fails ? [] : [rowOf(wanted[0] ?? 0)]),
      explain: ({ ref }: { ref: { row: number } }) => {
        asked.push(ref.row);
        return Promise.resolve({ row: rowOf(ref.row) });
      },
    } as unknown as Client<ChartsHostApi>);
    await expect(explanations.of('r', 5)).rejects.toThrow('no longer in the log');
    fails = false;
    await explanations.of('r', 5);
    await explanations.of('r', 5);
    expect(asked).toEqual([5]);
    explanations.changed('r');
    await explanations.of('r', 5);
    expect(asked).toEqual([5, 5]);
  });
});

describe('what is folded', () => {
  const text = (...turns: readonly (readonly [label: string, body: string])[]): RolloutText => {
    const lines = ['title', 'sums'];
    const marks = turns.map(([label, body]) => {
      const begin = lines.length;
      lines.push(`── ${label} · ${body.length} tokens`, ...body.split('\n'));
      return { line: begin, count: lines.length - begin, label };
    });
    return { text: [...lines, 'closing'].join('\n'), cut: false, turns: marks, calls: [] };
  };
  it('are the whole turns that all begin with', () => {
    const one = text(['system', 'be\nkind'], ['user', 'q'], ['policy 1', 'a'], ['policy 2', 'z']);
    const other = text(['system', 'be\nkind'], ['user', 'q'], ['policy 1', 'b'], ['policy 2', 'z']);
    expect(commonTurns([one, other])).toBe(2);
    expect(commonTurns([one, one])).toBe(4);
    expect(commonTurns([one])).toBe(0);
    expect(commonTurns([])).toBe(0);
    expect(commonTurns([one, text(['system', 'be\nkind'])])).toBe(1);
    expect(linesOfTurns(one, { first: 2, end: 4 })).toEqual({ line: 7, lines: one.text.split('\n').slice(7, 11) });
    expect(linesOfTurns(one, { first: 4, end: 4 }).lines).toEqual([]);
  });
});

describe('a moment', () => {
  it('stands for its most typical rollout', () => {
    const rollout = (of: Partial<BiographyMoment['rollouts'][number]>) => ({
      key: 0,
      ref: { run: 'r', file: 'f', row: 0 },
      correct: true,
      calls: 0,
      accReward: 1,
      accAdvantage: 0,
      toolAdvantage: 0,
      ...of,
    });
    const moment = {
      step: 1,
      group: 'g',
      size: 3,
      correct: 2,
      qualifying: 2,
      callsMean: 5 / 3,
      rollouts: [rollout({ key: 1, correct: false, calls: 2 }), rollout({ key: 2 }), rollout({ key: 3, calls: 3 })],
    };
    expect(typicalRollout(moment)?.key).toBe(3);
    expect(typicalRollout({ ...moment, correct: 0, rollouts: [] })).toBeNull();
  });
  it('leads to its group', () => {
    const { context, asked } = notingContext();
    selectMoment(input, momentOf(7), context);
    expect(asked).toEqual([['select', { steps: [3, 3], group: 7 }]]);
  });
});

describe('the path', () => {
  it('names group and rollout, and forgets the rollout with the group', () => {
    const selection = { ...wholeRun, steps: [2, 2] as const, group: 4, rollout: 35 };
    const names = { question: ` 48 × 7\n${'x'.repeat(60)}`, step: 2, rollout: 'rollout 4 of 8' };
    const texts = crumbsOf('hdpo', selection, names).map(({ text }) => text);
    expect(texts).toEqual(['hdpo', 'step 2', `“48 × 7 ${'x'.repeat(32)}…”`, 'rollout 4 of 8']);
    const group = (steps: readonly [number, number] | null): string | undefined =>
      crumbsOf('hdpo', { ...selection, steps, rollout: null }, { ...names, question: '48 × 7' }).at(-1)?.text;
    // The step of the group, where the selected ones do not say it.
    expect([group(null), group([1, 9]), group([2, 2])]).toEqual(['“48 × 7”, step 2', '“48 × 7”, step 2', '“48 × 7”']);
    expect(narrowed(selection, { group: 5 }).rollout).toBeNull();
    expect(narrowed(selection, { group: null }).rollout).toBeNull();
    expect(narrowed(selection, { steps: [1, 3] }).rollout).toBe(35);
    expect(narrowed(selection, { rollout: 36 }).rollout).toBe(36);
  });
  it('cuts a question for a sentence', () => {
    expect(shortQuestion('a\n\n b')).toBe('a b');
    expect(shortQuestion('x'.repeat(300))).toHaveLength(90);
  });
});

describe('the group that is selected', () => {
  const samples = base.focus?.samples ?? null;
  const host = (asked: unknown[]) =>
    ({
      rowsOf: ({ keys: wanted }: { keys: Float64Array }) => Promise.resolve([...wanted].map(rowOf)),
      groupOf: (params: { key: string }) => {
        asked.push(['groupOf', params]);
        return Promise.resolve(viewOf(Number(params.key.slice(1))));
      },
      biography: ({ first }: { first: number }) => {
        asked.push(['biography', first]);
        // As if two moments filled a message.
        return Promise.resolve({ rows: moments.slice(first, first + 2), total: moments.length });
      },
    }) as unknown as Client<ChartsHostApi>;
  const failed = (error: unknown): void => expect.unreachable(String(error));
  const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 10));

  it('is asked for once, its moments page by page', async () => {
    const asked: unknown[] = [];
    const loader = makeGroupLoader(host(asked), { onChange: () => undefined, onError: failed });
    expect(loader.of(null, 4)).toBeNull();
    expect(loader.of(samples, 4)).toMatchObject({ view: null, moments: null });
    loader.of(samples, 4);
    await settled();
    expect(loader.of(samples, 4)).toEqual({ ...input.group });
    expect(asked).toEqual([
      ['groupOf', { run: 'r', step: 2, key: 'g4' }],
      ['biography', 0],
      ['biography', 2],
      ['biography', 4],
    ]);
  });
  it('keeps the life of the prompt while another of its groups is read', async () => {
    const loader = makeGroupLoader(host([]), { onChange: () => undefined, onError: failed });
    loader.of(samples, 4);
    await settled();
    expect(loader.of(samples, 7)).toMatchObject({ ordinal: 7, view: null, moments });
    expect(loader.of(samples, 5)).toMatchObject({ ordinal: 5, view: null, moments: null });
  });
});

describe('two runs to compare', () => {
  const runs = ['a', 'b', 'c'].flatMap((id) => (base.focus ? [{ ...base.focus, id }] : []));
  it.each([
    [[], ['a', 'b']],
    [
      ['c', 'a'],
      ['c', 'a'],
    ],
    [['b'], ['b', 'a']],
    [
      ['gone', 'a'],
      ['b', 'a'],
    ],
    [
      ['c', 'gone'],
      ['c', 'a'],
    ],
    [
      ['b', 'b'],
      ['b', 'a'],
    ],
  ] as const)('%j of three are %j', (wanted, found) => {
    expect(chosenRuns(runs, wanted).map(({ id }) => id)).toEqual(found);
  });
  it('are fewer where fewer are shown', () => {
    expect(chosenRuns(runs.slice(0, 1), ['c', 'a']).map(({ id }) => id)).toEqual(['a']);
    expect(chosenRuns([], ['a'])).toEqual([]);
  });
});

describe('bands of the coupled chart', () => {
  afterEach(() => {
    vi.useRealTimers();
  });
  it('come when the slider rests, and hold the share', async () => {
    vi.useFakeTimers();
    const ready = vi.fn();
    const bands = makeRestedBands(ready);
    const all = base.focus?.samples?.columns;
    if (!all?.step || !all.group || !all.accReward || !all.correct || !all.calls) throw new Error('columns');
    if (!all.accAdvantage || !all.toolAdvantage || !all.masked) throw new Error('columns');
    const { step, group, accReward, accAdvantage, toolAdvantage, masked } = all;
    const of = { step, group, accReward, correct: all.correct, calls: all.calls, accAdvantage, toolAdvantage, masked };
    const run = { columns: of, prepared: prepareCoupled(of) };
    const options = (alpha: number) => ({ form: 'unconditional' as const, alpha });
    bands.want([run], options(0.2));
    bands.want([run], options(0.4));
    expect(bands.of(run, options(0.4))).toBeNull();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(ready).toHaveBeenCalledTimes(1);
    expect(bands.of(run, options(0.2))).toBeNull();
    const found = bands.of(run, options(0.4));
    const { steps } = run.prepared.evaluate(options(0.4));
    for (const name of ['opposite', 'lost', 'gained'] as const) {
      for (const s of steps.step.keys()) {
        const share = (steps[name][s] ?? 0) / (steps.samples[s] ?? 1);
        expect(found?.[name].value[s]).toBeCloseTo(share, 12);
        expect(found?.[name].low[s]).toBeLessThanOrEqual(share + 1e-12);
        expect(found?.[name].high[s]).toBeGreaterThanOrEqual(share - 1e-12);
      }
    }
  });
});
