/**
 * The tree without VS Code: the children of each node, asked from the engine a level at a time, and the nodes that are
 * shown, so that a refresh hands out the same objects. Owned by the runs tree; tests drive it with an engine of theirs.
 * Leaves out when to refresh (refresher.ts) and how a node looks (treeItems.ts).
 */
import { noFilter, type EngineApi, type RolloutFilter, type RunId, type RunSummary } from '../../protocol/engine.ts';
import type { Client } from '../../protocol/rpc.ts';
import { isFlat } from './filterText.ts';
import { makeNode, nodeId, type NodeContent, type RolloutList, type TreeNode } from './nodes.ts';
import { mostChildren, pages, stepRanges, type Range } from './ranges.ts';

/** The questions the tree asks. */
export type TreeEngine = Pick<Client<EngineApi>, 'steps' | 'groups' | 'rollouts'>;

/** What the model reads each time it is asked, never keeps. */
export interface TreeSource {
  readonly engine: TreeEngine;
  readonly runs: () => readonly RunSummary[];
  readonly filter: () => RolloutFilter;
}

/** The tree's nodes. */
export interface TreeModel {
  roots(): readonly TreeNode[];
  /** Rejects where the engine does. */
  children(node: TreeNode): Promise<readonly TreeNode[]>;
  /** The same without handing them out: for finding a way, while VS Code shows what it shows. */
  look(node: TreeNode | null): Promise<readonly TreeNode[]>;
  /** The children as they were last handed out (of the root for null); null if never. */
  shown(node: TreeNode | null): readonly TreeNode[] | null;
}

/** Opens a model without nodes. */
export function openTreeModel(source: TreeSource): TreeModel {
  const nodes = new Map<string, TreeNode>();
  const shown = new Map<string, readonly TreeNode[]>();

  const forget = (node: TreeNode) => {
    nodes.delete(node.id);
    const below = shown.get(node.id) ?? [];
    shown.delete(node.id);
    below.forEach(forget);
  };

  const intern = (run: RunId, parent: TreeNode | null, content: NodeContent): TreeNode => {
    const id = nodeId(run, content);
    const known = nodes.get(id);
    if (known !== undefined && known.parent === parent) {
      known.content = content;
      return known;
    }
    const made = makeNode(run, parent, content);
    nodes.set(id, made);
    return made;
  };

  const replace = (key: string, next: readonly TreeNode[]) => {
    const kept = new Set(next);
    for (const old of shown.get(key) ?? []) if (!kept.has(old) && nodes.get(old.id) === old) forget(old);
    shown.set(key, next);
    return next;
  };

  const roots = () => source.runs().map((run) => intern(run.id, null, { kind: 'run', run }));
  const look = async (node: TreeNode | null) => {
    if (node === null) return roots();
    const contents = await childrenOf(node, source);
    return contents.map((content) => intern(node.run, node, content));
  };

  return {
    roots: () => replace(rootKey, roots()),
    children: async (node) => replace(node.id, await look(node)),
    look,
    shown: (node) => shown.get(node?.id ?? rootKey) ?? null,
  };
}

/** No node has this id: ids are JSON arrays. */
const rootKey = '';

/** What stands below a node now. */
export async function childrenOf(node: TreeNode, source: TreeSource): Promise<readonly NodeContent[]> {
  const { run, content } = node;
  switch (content.kind) {
    case 'run':
      return isFlat(source.filter())
        ? rolloutContents(run, { step: null, group: null }, source)
        : stepContents(content.run, source);
    case 'steps': {
      const { rows } = await source.engine.steps({ run, ...content.range });
      return rows.map((row) => ({ kind: 'step', row }));
    }
    case 'step':
      return groupContents(run, content.row.step, source);
    case 'groups':
      return groupPage(run, content.step, content.range, source);
    case 'group':
      return rolloutContents(run, { step: content.row.step, group: content.row.key }, source);
    case 'rollouts':
      return rolloutPage(run, content.list, content.range, source);
    case 'rollout':
      return [];
  }
}

async function stepContents(run: RunSummary, source: TreeSource): Promise<readonly NodeContent[]> {
  const first = await source.engine.steps({ run: run.id, first: 0, count: mostChildren });
  const only = first.rows[0];
  if (!run.hasSteps && only !== undefined && first.total === 1) return groupContents(run.id, only.step, source);
  const ranges = stepRanges(first.total);
  if (ranges.length === 0) return first.rows.map((row) => ({ kind: 'step', row }));
  const rest = pages({ first: 0, count: first.total }).slice(1);
  const others = await Promise.all(rest.map((range) => source.engine.steps({ run: run.id, ...range })));
  const rows = [first, ...others].flatMap((page) => page.rows);
  return ranges.flatMap((range) => {
    const firstRow = rows[range.first];
    const lastRow = rows[Math.min(range.first + range.count, rows.length) - 1];
    return firstRow && lastRow ? [{ kind: 'steps', range, firstRow, lastRow } as const] : [];
  });
}

async function groupContents(run: RunId, step: number, source: TreeSource): Promise<readonly NodeContent[]> {
  const { rows, total } = await source.engine.groups({ run, step, first: 0, count: mostChildren });
  const ranges = pages({ first: 0, count: total });
  if (ranges.length > 0) return ranges.map((range) => ({ kind: 'groups', step, range }));
  return rows.map((row) => ({ kind: 'group', row }));
}

async function groupPage(run: RunId, step: number, range: Range, source: TreeSource): Promise<readonly NodeContent[]> {
  const inner = pages(range);
  if (inner.length > 0) return inner.map((part) => ({ kind: 'groups', step, range: part }));
  const { rows } = await source.engine.groups({ run, step, ...range });
  return rows.map((row) => ({ kind: 'group', row }));
}

async function rolloutContents(run: RunId, list: RolloutList, source: TreeSource): Promise<readonly NodeContent[]> {
  const filter = filterOf(list, source);
  const { rows, total } = await source.engine.rollouts({ run, ...list, filter, first: 0, count: mostChildren });
  const ranges = pages({ first: 0, count: total });
  if (ranges.length > 0) return ranges.map((range) => ({ kind: 'rollouts', list, range }));
  return rows.map((row) => ({ kind: 'rollout', row, place: placeOf(list) }));
}

async function rolloutPage(
  run: RunId,
  list: RolloutList,
  range: Range,
  source: TreeSource,
): Promise<readonly NodeContent[]> {
  const inner = pages(range);
  if (inner.length > 0) return inner.map((part) => ({ kind: 'rollouts', list, range: part }));
  const { rows } = await source.engine.rollouts({ run, ...list, filter: filterOf(list, source), ...range });
  return rows.map((row) => ({ kind: 'rollout', row, place: placeOf(list) }));
}

function placeOf(list: RolloutList): 'in group' | 'flat' {
  return list.group === null ? 'flat' : 'in group';
}

/** Within a group the log's order is shown: sorting 16 siblings answers nothing, and filters show flat lists. */
function filterOf(list: RolloutList, source: TreeSource): RolloutFilter {
  return list.group === null ? source.filter() : noFilter;
}
