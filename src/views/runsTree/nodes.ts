/**
 * The nodes of the tree: what each stands for, and an id that stays the same over refreshes, so that expansion and
 * selection survive. A node object lives as long as it is shown; its content is replaced when it changes.
 * Leaves out where children come from (treeModel.ts).
 */
import type { StepRow } from '../../model/stepRow.ts';
import type { GroupRow, RolloutRow, RunId, RunSummary } from '../../protocol/engine.ts';
import { mostChildren, type Range } from './ranges.ts';

/** What a node stands for. */
export type NodeContent =
  | { readonly kind: 'run'; readonly run: RunSummary }
  | { readonly kind: 'steps'; readonly range: Range; readonly firstRow: StepRow; readonly lastRow: StepRow }
  | { readonly kind: 'step'; readonly row: StepRow }
  | { readonly kind: 'groups'; readonly step: number; readonly range: Range }
  | { readonly kind: 'group'; readonly row: GroupRow }
  | { readonly kind: 'rollouts'; readonly list: RolloutList; readonly range: Range }
  | { readonly kind: 'rollout'; readonly row: RolloutRow; readonly place: 'in group' | 'flat' };

/** Which rollouts a list is of: a group of a step, or everything that passes the filter. */
export interface RolloutList {
  readonly step: number | null;
  readonly group: string | null;
}

/**
 * A node of the tree; the same object for the same id as long as it is shown. It is also the name of what it stands
 * for (a rollout's node is a RolloutRef), since the commands of context menus get the node itself.
 */
export interface TreeNode {
  readonly id: string;
  readonly parent: TreeNode | null;
  content: NodeContent;
  readonly run: RunId;
  readonly step: number | null;
  readonly group: string | null;
  readonly file: string | null;
  readonly row: number | null;
}

/** A new node. */
export function makeNode(run: RunId, parent: TreeNode | null, content: NodeContent): TreeNode {
  return { id: nodeId(run, content), parent, content, run, ...nameOf(content) };
}

function nameOf(content: NodeContent): Pick<TreeNode, 'step' | 'group' | 'file' | 'row'> {
  const none = { step: null, group: null, file: null, row: null };
  switch (content.kind) {
    case 'run':
    case 'steps':
      return none;
    case 'step':
      return { ...none, step: content.row.step };
    case 'groups':
      return { ...none, step: content.step };
    case 'group':
      return { ...none, step: content.row.step, group: content.row.key };
    case 'rollouts':
      return { ...none, ...content.list };
    case 'rollout': {
      const { step, group, ref } = content.row;
      return { step, group, file: ref.file, row: ref.row };
    }
  }
}

/** The id of a node below its run: unique in the whole tree, and the same after a refresh. */
export function nodeId(run: RunId, content: NodeContent): string {
  return JSON.stringify([run, ...partsOf(content)]);
}

function partsOf(content: NodeContent): readonly (string | number | null)[] {
  switch (content.kind) {
    case 'run':
      return [];
    case 'steps':
      // Without the count: the last range keeps its id while a training appends steps.
      return ['steps', content.range.first];
    case 'step':
      return ['step', content.row.step];
    case 'groups':
      return [pageKind('groups', content.range), content.step, content.range.first];
    case 'group':
      return ['group', content.row.step, content.row.key];
    case 'rollouts':
      return [pageKind('rollouts', content.range), content.list.step, content.list.group, content.range.first];
    case 'rollout':
      return ['rollout', content.place, content.row.ref.file, content.row.ref.row];
  }
}

/** A page that is cut again starts at the same item as its first child. */
function pageKind(what: string, { count }: Range): string {
  return count > mostChildren ? `${what}, cut again` : what;
}
