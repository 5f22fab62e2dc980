/** The tree without VS Code: levels of at most 500, stable nodes, the smallest refresh, ways to a node. */
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { noFilter, type RolloutFilter, type RunSummary } from '../../../../src/protocol/engine.ts';
import { changedRuns, changedSteps } from '../../../../src/views/runsTree/changes.ts';
import type { TreeNode } from '../../../../src/views/runsTree/nodes.ts';
import { findRollout, findStep } from '../../../../src/views/runsTree/paths.ts';
import { mostChildren, pages, stepRanges, type Range } from '../../../../src/views/runsTree/ranges.ts';
import { openRefresher } from '../../../../src/views/runsTree/refresher.ts';
import { openTreeModel, type TreeModel, type TreeSource } from '../../../../src/views/runsTree/treeModel.ts';
import { rolloutRow, run, shapedEngine, type Shape } from './fixtures.ts';

function open(shape: Shape, change: { filter?: RolloutFilter; runs?: RunSummary[] } = {}) {
  const { engine, asked } = shapedEngine(shape);
  const state = { filter: change.filter ?? noFilter, runs: change.runs ?? [run({ steps: shape.steps })] };
  const source: TreeSource = { engine, runs: () => state.runs, filter: () => state.filter };
  const model = openTreeModel(source);
  return { model, source, asked, state };
}

function first(nodes: readonly TreeNode[], index = 0): TreeNode {
  const node = nodes[index];
  if (node === undefined) throw new Error(`no node ${index} of ${nodes.length}`);
  return node;
}

const root = (model: TreeModel) => first(model.roots());

describe('ranges', () => {
  const covers = (ranges: readonly Range[], whole: Range) => {
    let next = whole.first;
    for (const range of ranges) {
      expect(range.first).toBe(next);
      expect(range.count).toBeGreaterThan(0);
      next += range.count;
    }
    expect(next).toBe(whole.first + whole.count);
    expect(ranges.length).toBeLessThanOrEqual(mostChildren);
  };
  it('cut every list into ranges that cover it once, at most 500 a level', () => {
    fc.assert(
      fc.property(fc.nat(1_000), fc.integer({ min: 501, max: 200_000_000 }), (start, count) => {
        const whole = { first: start, count };
        covers(pages(whole), whole);
      }),
    );
    fc.assert(
      fc.property(fc.integer({ min: 41, max: 10_000_000 }), (count) => covers(stepRanges(count), { first: 0, count })),
    );
  });
  it('leave short lists alone', () => {
    expect([pages({ first: 0, count: 500 }), stepRanges(40), pages({ first: 0, count: 0 })]).toEqual([[], [], []]);
  });
  it('cut until a page can be asked for', () => {
    const depth = (range: Range): number => {
      const inner = pages(range);
      return inner.length === 0 ? 0 : 1 + depth(inner[0] ?? range);
    };
    expect([500, 501, 250_000, 250_001, 125_000_001].map((count) => depth({ first: 0, count }))).toEqual([
      0, 1, 1, 2, 3,
    ]);
  });
});

describe('tree model', () => {
  it('goes run → range → step → group → rollout', async () => {
    const { model } = open({ steps: 60, groups: 16, rollouts: 16 });
    const kinds: string[] = [];
    const sizes: number[] = [];
    let node: TreeNode | undefined = root(model);
    while (node !== undefined) {
      kinds.push(node.content.kind);
      const children: readonly TreeNode[] = await model.children(node);
      sizes.push(children.length);
      node = children.at(-1);
    }
    expect(kinds).toEqual(['run', 'steps', 'step', 'group', 'rollout']);
    expect(sizes).toEqual([3, 20, 16, 16, 0]);
  });
  it('shows few steps without ranges, and no step where a log has none', async () => {
    const few = open({ steps: 40, groups: 1, rollouts: 1 });
    expect((await few.model.children(root(few.model))).map((node) => node.content.kind)).toEqual(
      Array(40).fill('step'),
    );
    const none = open({ steps: 1, groups: 3, rollouts: 4 }, { runs: [run({ hasSteps: false, steps: 1 })] });
    expect((await none.model.children(root(none.model))).map((node) => node.content.kind)).toEqual(
      Array(3).fill('group'),
    );
  });
  it('shows one flat, paged list for a run while a filter is set', async () => {
    const { model, asked } = open(
      { steps: 60, groups: 1, rollouts: 1, flat: 1200 },
      { filter: { ...noFilter, wrong: true } },
    );
    const shown = await model.children(root(model));
    expect(shown.map((node) => node.content.kind)).toEqual(['rollouts', 'rollouts', 'rollouts']);
    const last = await model.children(first(shown, 2));
    expect(last).toHaveLength(200);
    expect(last.every((node) => node.content.kind === 'rollout')).toBe(true);
    expect(asked).toEqual(['rollouts of all  0+500', 'rollouts of all  1000+200']);
  });
  it('has at most 500 children a level and a unique id for each node, however large the run', async () => {
    const { model } = open({ steps: 12_000, groups: 600, rollouts: 501 });
    const ids = new Set<string>();
    let node: TreeNode | undefined = root(model);
    while (node !== undefined) {
      const children: readonly TreeNode[] = await model.children(node);
      expect(children.length).toBeLessThanOrEqual(500);
      for (const child of children) {
        expect(ids.has(child.id)).toBe(false);
        ids.add(child.id);
      }
      node = children[0];
    }
  });
  it('lists the buckets of 100,000 rollouts within 50 ms', async () => {
    const { model } = open({ steps: 400, groups: 16, rollouts: 16 });
    const started = performance.now();
    const children = await model.children(root(model));
    expect(performance.now() - started).toBeLessThan(50);
    expect(children).toHaveLength(20);
  });
  it('hands out the same nodes again, with new content', async () => {
    const { model, state } = open({ steps: 3, groups: 2, rollouts: 2 });
    const before = await model.children(root(model));
    state.runs = [run({ rollouts: 7 })];
    expect(root(model)).toBe(model.shown(null)?.[0]);
    expect(root(model).content).toMatchObject({ run: { rollouts: 7 } });
    const after = await model.children(root(model));
    expect(after).toEqual(before);
    after.forEach((node, index) => expect(node).toBe(before[index]));
  });
  it('names what a node stands for', async () => {
    const { model } = open({ steps: 3, groups: 2, rollouts: 2 });
    const step = first(await model.children(root(model)), 1);
    const group = first(await model.children(step), 1);
    const rollout = first(await model.children(group), 1);
    const name = ({ run: id, step: number, group: key, file, row }: TreeNode) => ({ id, number, key, file, row });
    expect([root(model), step, group, rollout].map(name)).toEqual([
      { id: 'r', number: null, key: null, file: null, row: null },
      { id: 'r', number: 2, key: null, file: null, row: null },
      { id: 'r', number: 2, key: 'g1', file: null, row: null },
      { id: 'r', number: 2, key: 'g1', file: '2.jsonl', row: 3 },
    ]);
  });
});

describe('changes', () => {
  it('names the runs whose summary shows a change, and none for progress alone', () => {
    const { model, state } = open({ steps: 3, groups: 1, rollouts: 1 }, { runs: [run(), run({ id: 's' })] });
    const [, second] = model.roots();
    expect(changedRuns(model, [run({ bytesRead: 5, filesRead: 3 }), run({ id: 's', rollouts: 9 })])).toEqual([second]);
    expect(changedRuns(model, [run()])).toBeNull();
    expect(changedRuns(model, [run({ id: 's' }), run()])).toBeNull();
    expect(state.runs).toHaveLength(2);
  });
  it('names a changed step alone', async () => {
    const { model, source } = open({ steps: 60, groups: 1, rollouts: 1 });
    const ranges = await model.children(root(model));
    const steps = await model.children(first(ranges, 2));
    expect(await changedSteps(root(model), new Set([55]), { model, source })).toEqual([steps[14]]);
  });
  it('names the range when a step is new in it, and the run when a range is', async () => {
    const shape = { steps: 50, groups: 1, rollouts: 1 };
    const { model, source } = open(shape);
    const ranges = await model.children(root(model));
    await model.children(first(ranges, 2));
    shape.steps = 51;
    expect(await changedSteps(root(model), new Set([51]), { model, source })).toEqual([ranges[2]]);
    shape.steps = 61;
    expect(await changedSteps(root(model), new Set([61]), { model, source })).toEqual([root(model)]);
  });
  it('names nothing below what was never expanded', async () => {
    const { model, source, asked } = open({ steps: 60, groups: 1, rollouts: 1 });
    expect(await changedSteps(root(model), new Set([55]), { model, source })).toEqual([]);
    expect(asked).toEqual([]);
    await model.children(root(model));
    expect(await changedSteps(root(model), new Set([55]), { model, source })).toEqual([]);
  });
});

describe('refresher', () => {
  it('draws any number of changes at most once an interval, and only the changed node', async () => {
    vi.useFakeTimers();
    try {
      const { model, source } = open({ steps: 3, groups: 1, rollouts: 1 });
      const steps = await model.children(root(model));
      const fired: (readonly TreeNode[] | null)[] = [];
      const refresher = openRefresher({
        model,
        source,
        flat: () => false,
        fire: (nodes) => fired.push(nodes),
        failed: (error) => {
          throw error;
        },
        intervalMs: 500,
      });
      for (let change = 0; change < 100; change += 1) {
        refresher.steps({ run: 'r', steps: [2] });
        await vi.advanceTimersByTimeAsync(20);
      }
      expect(fired.length).toBeGreaterThanOrEqual(4);
      expect(fired.length).toBeLessThanOrEqual(5);
      for (const nodes of fired) expect(nodes).toEqual([steps[1]]);
      fired.length = 0;
      refresher.steps({ run: 'r', steps: null });
      await vi.advanceTimersByTimeAsync(500);
      refresher.all();
      refresher.steps({ run: 'r', steps: [1] });
      await vi.advanceTimersByTimeAsync(500);
      expect(fired).toEqual([[root(model)], null]);
      fired.length = 0;
      refresher.all();
      await refresher.flush();
      await refresher.flush();
      expect(fired).toEqual([null]);
      fired.length = 0;
      refresher.all();
      refresher.dispose();
      await vi.advanceTimersByTimeAsync(1000);
      expect(fired).toEqual([]);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('ways', () => {
  it('leave what VS Code was handed as it is, so that later changes are still seen', async () => {
    const shape = { steps: 3, groups: 1, rollouts: 1 };
    const { model, source, state } = open(shape);
    const steps = await model.children(root(model));
    shape.steps = 4;
    state.runs = [run({ steps: 4 }), run({ id: 's' })];
    expect((await findStep(model, 'r', 4))?.content).toMatchObject({ kind: 'step', row: { step: 4 } });
    expect((await findStep(model, 's', null))?.run).toBe('s');
    const [shown] = model.shown(null) ?? [];
    expect(shown && model.shown(shown)).toEqual(steps);
    expect(changedRuns(model, state.runs)).toBeNull();
    expect(shown && (await changedSteps(shown, new Set([4]), { model, source }))).toEqual([shown]);
  });
  it('find a step and a rollout from anywhere', async () => {
    const { model } = open({ steps: 60, groups: 600, rollouts: 700 });
    expect((await findStep(model, 'r', 33))?.content).toMatchObject({ kind: 'step', row: { step: 33 } });
    expect(await findStep(model, 'r', null)).toBe(root(model));
    expect(await findStep(model, 'r', 99)).toBe(root(model));
    expect(await findStep(model, 'nobody', 1)).toBeNull();
    const ref = { run: 'r', file: '33.jsonl', row: 599 * 700 + 650 };
    const row = rolloutRow(0, { ref, step: 33, group: 'g599' });
    const node = await findRollout(model, row);
    expect(node?.content).toMatchObject({ kind: 'rollout', row: { ref } });
    const way: string[] = [];
    for (let at: TreeNode | null = node; at !== null; at = at.parent) way.unshift(at.content.kind);
    expect(way).toEqual(['run', 'steps', 'step', 'groups', 'group', 'rollouts', 'rollout']);
    expect(await findRollout(model, { ...row, group: 'nothing' })).toBeNull();
  });
});
