/**
 * Which nodes have to be drawn again when runs or steps changed: the smallest ones, none below another, and nothing
 * below a node that was never expanded. Puts the new content into the nodes it names.
 * Leaves out when this is asked (refresher.ts).
 */
import type { RunSummary } from '../../protocol/engine.ts';
import { nodeId, type NodeContent, type TreeNode } from './nodes.ts';
import { childrenOf, type TreeModel, type TreeSource } from './treeModel.ts';

/** The run nodes whose summary changed in a way that shows; null if a run came or went, so that the root changed. */
export function changedRuns(model: TreeModel, runs: readonly RunSummary[]): readonly TreeNode[] | null {
  const shown = model.shown(null) ?? [];
  if (shown.map((node) => node.run).join('\n') !== runs.map((run) => run.id).join('\n')) return null;
  return shown.filter((node, index) => {
    const run = runs[index];
    if (run === undefined || node.content.kind !== 'run') return false;
    const visible = visibleFacts(node.content.run) !== visibleFacts(run);
    node.content = { kind: 'run', run };
    return visible;
  });
}

/** Everything but the progress of reading, which the view's message shows. */
function visibleFacts(run: RunSummary): string {
  return JSON.stringify({ ...run, files: 0, filesRead: 0, bytes: 0, bytesRead: 0 });
}

/** The nodes below a run's node that changed with these steps; the node itself if its list of children did. */
export async function changedSteps(
  node: TreeNode,
  steps: ReadonlySet<number>,
  { model, source }: { readonly model: TreeModel; readonly source: TreeSource },
): Promise<readonly TreeNode[]> {
  const shown = model.shown(node);
  if (shown === null) return [];
  const fresh = await childrenOf(node, source);
  if (shown.map((child) => child.id).join() !== fresh.map((content) => nodeId(node.run, content)).join()) return [node];
  const changed: TreeNode[] = [];
  for (const [index, child] of shown.entries()) {
    const content = fresh[index];
    if (content === undefined) continue;
    const differs = JSON.stringify(child.content) !== JSON.stringify(content);
    child.content = content;
    if (differs || containsStep(content, steps)) {
      const inside =
        differs || content.kind !== 'steps' ? [child] : await changedSteps(child, steps, { model, source });
      changed.push(...inside);
    }
  }
  return changed;
}

function containsStep(content: NodeContent, steps: ReadonlySet<number>): boolean {
  switch (content.kind) {
    case 'steps':
      return [...steps].some((step) => step >= content.firstRow.step && step <= content.lastRow.step);
    case 'step':
    case 'group':
      return steps.has(content.row.step);
    case 'groups':
      return steps.has(content.step);
    case 'run':
    case 'rollouts':
    case 'rollout':
      return true;
  }
}
