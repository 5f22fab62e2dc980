/**
 * When the tree is drawn again: changes are collected, and at most two a second are drawn, each only where something
 * changed. Pure but for its timer, which a test drives with a short interval.
 * Leaves out which nodes a change touches (changes.ts) and the events of VS Code (activateRunsTree.ts).
 */
import type { RunId, RunSummary } from '../../protocol/engine.ts';
import type { StepsChange } from '../../host/session.ts';
import { changedRuns, changedSteps } from './changes.ts';
import type { TreeNode } from './nodes.ts';
import type { TreeModel, TreeSource } from './treeModel.ts';

/** Takes changes in; any number of them is drawn at once. */
export interface Refresher {
  all(): void;
  runs(): void;
  steps(change: StepsChange): void;
  /** Draws what is collected now; settles when it is fired. */
  flush(): Promise<void>;
  dispose(): void;
}

/** What a refresher works with. */
export interface RefresherOptions {
  readonly model: TreeModel;
  readonly source: TreeSource;
  /** True while the tree shows flat lists, where any step may change any page. */
  readonly flat: () => boolean;
  /** Gets the nodes to draw again, null for the whole tree. */
  readonly fire: (nodes: readonly TreeNode[] | null) => void;
  readonly failed: (error: unknown) => void;
  /** At least this long between two refreshes (500: two a second). */
  readonly intervalMs: number;
}

interface Pending {
  everything: boolean;
  runs: boolean;
  readonly steps: Map<RunId, Set<number> | 'all'>;
}

const nothing = (): Pending => ({ everything: false, runs: false, steps: new Map() });

/** Opens a refresher; it fires nothing before the first change. */
export function openRefresher(options: RefresherOptions): Refresher {
  let pending = nothing();
  let timer: NodeJS.Timeout | undefined;
  let busy = Promise.resolve();
  let lastMs = 0;
  let disposed = false;

  const flush = async () => {
    const now = pending;
    pending = nothing();
    lastMs = Date.now();
    const dirty = now.everything ? null : await dirtyNodes(now, options.source.runs(), options);
    if (!disposed && (dirty === null || dirty.length > 0)) options.fire(dirty);
  };

  const schedule = () => {
    if (timer !== undefined || disposed) return;
    timer = setTimeout(
      () => {
        timer = undefined;
        busy = busy.then(flush).catch(options.failed);
      },
      Math.max(0, lastMs + options.intervalMs - Date.now()),
    );
  };

  return {
    flush: () => {
      if (timer === undefined) return busy;
      clearTimeout(timer);
      timer = undefined;
      busy = busy.then(flush).catch(options.failed);
      return busy;
    },
    all: () => {
      pending.everything = true;
      schedule();
    },
    runs: () => {
      pending.runs = true;
      schedule();
    },
    steps: ({ run, steps }) => {
      const before = pending.steps.get(run);
      if (steps === null || before === 'all') pending.steps.set(run, 'all');
      else pending.steps.set(run, new Set([...(before ?? []), ...steps]));
      schedule();
    },
    dispose: () => {
      disposed = true;
      clearTimeout(timer);
    },
  };
}

/** Null for the whole tree. */
async function dirtyNodes(
  { runs: look, steps }: Pending,
  runs: readonly RunSummary[],
  { model, source, flat }: RefresherOptions,
): Promise<readonly TreeNode[] | null> {
  const changed = look ? changedRuns(model, runs) : [];
  if (changed === null) return null;
  const dirty = new Set(changed);
  for (const node of model.shown(null) ?? []) {
    const inside = steps.get(node.run);
    if (inside === undefined || dirty.has(node)) continue;
    if (inside === 'all' || flat()) dirty.add(node);
    else for (const child of await changedSteps(node, inside, { model, source })) dirty.add(child);
  }
  return [...dirty];
}
