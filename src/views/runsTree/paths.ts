/**
 * Finds the node of a step or of a rollout by walking down, so that the view can reveal it. Asks a level at a time and
 * looks into the one branch that can hold it (ranges and pages in order, since the engine names no page).
 * Leaves out clearing the filter first: flat lists have no steps (runsTreeCommands.ts does).
 */
import type { RolloutRow, RunId } from '../../protocol/engine.ts';
import type { NodeContent, TreeNode } from './nodes.ts';
import type { TreeModel } from './treeModel.ts';

/** The node of a step, the run's own node for a run without steps, or null if the run is not shown. */
export async function findStep(model: TreeModel, run: RunId, step: number | null): Promise<TreeNode | null> {
  const root = (await model.look(null)).find((node) => node.run === run);
  if (root === undefined || step === null) return root ?? null;
  return (await find(model, root, (content) => stepMatch(content, step))) ?? root;
}

/** The node of a rollout in its group, or null where the tree does not hold it (any more). */
export async function findRollout(model: TreeModel, row: RolloutRow): Promise<TreeNode | null> {
  const root = (await model.look(null)).find((node) => node.run === row.ref.run);
  return root === undefined ? null : find(model, root, (content) => rolloutMatch(content, row));
}

/** `here`: this is the node; `inside`: it can only be below; `no`: neither. */
type Match = 'here' | 'inside' | 'no';

async function find(
  model: TreeModel,
  from: TreeNode,
  match: (content: NodeContent) => Match,
): Promise<TreeNode | null> {
  const children = await model.look(from);
  const here = children.find((child) => match(child.content) === 'here');
  if (here !== undefined) return here;
  for (const child of children) {
    if (match(child.content) !== 'inside') continue;
    const found = await find(model, child, match);
    if (found !== null) return found;
  }
  return null;
}

function stepMatch(content: NodeContent, step: number): Match {
  if (content.kind === 'step') return content.row.step === step ? 'here' : 'no';
  if (content.kind !== 'steps') return 'no';
  return step >= content.firstRow.step && step <= content.lastRow.step ? 'inside' : 'no';
}

function rolloutMatch(content: NodeContent, row: RolloutRow): Match {
  switch (content.kind) {
    case 'rollout':
      return content.row.ref.file === row.ref.file && content.row.ref.row === row.ref.row ? 'here' : 'no';
    case 'step':
      return content.row.step === row.step ? 'inside' : 'no';
    case 'steps':
      return stepMatch(content, row.step);
    case 'groups':
      return content.step === row.step ? 'inside' : 'no';
    case 'group':
      return content.row.step === row.step && content.row.key === row.group ? 'inside' : 'no';
    case 'rollouts':
      return 'inside';
    case 'run':
      return 'no';
  }
}
