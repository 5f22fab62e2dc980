/**
 * The rows of "Redundant Calls": runs (where several are open), their patterns by tool and rule, and the worst
 * offenders. Asks the engine a level at a time. Pure of VS Code, so that tests drive it.
 * Leaves out how a row looks (redundantItems.ts) and when it is asked again (activateRedundancy.ts).
 */
import { noFilter, type EngineApi, type RolloutRow, type RunSummary } from '../../protocol/engine.ts';
import type { FlagPattern, RedundancyOverview, RulePrecision } from '../../protocol/flags.ts';
import type { Client } from '../../protocol/rpc.ts';

/** Rollouts with the most wasted time that are listed. */
const mostOffenders = 50;

/** One row. */
export type RedundantNode =
  | {
      readonly kind: 'run';
      readonly id: string;
      readonly run: RunSummary;
      readonly overview: RedundancyOverview;
      readonly first: boolean;
    }
  | { readonly kind: 'pattern'; readonly id: string; readonly run: RunSummary; readonly pattern: FlagPattern }
  | { readonly kind: 'offenders'; readonly id: string; readonly run: RunSummary }
  | { readonly kind: 'rollout'; readonly id: string; readonly run: RunSummary; readonly row: RolloutRow };

/** What an empty view says: nothing to look at, not yet known, or nothing flagged. */
export type RedundancyWelcome = 'noRuns' | 'reading' | 'nothing' | 'rows';

/** The first level, and what was learnt with it. */
export interface RedundantRoots {
  readonly nodes: readonly RedundantNode[];
  readonly welcome: RedundancyWelcome;
  readonly overviews: ReadonlyMap<string, RedundancyOverview>;
  readonly precision: ReadonlyMap<string, RulePrecision>;
}

/** The questions the view asks. */
export type RedundancyEngine = Pick<Client<EngineApi>, 'redundancy' | 'precision' | 'rollouts'>;

/** Asks for the first level: rows of the only run, or the runs that have something redundant. */
export async function redundantRoots(engine: RedundancyEngine, runs: readonly RunSummary[]): Promise<RedundantRoots> {
  if (runs.length === 0) return { nodes: [], welcome: 'noRuns', overviews: new Map(), precision: new Map() };
  const read = runs.filter(({ rollouts }) => rollouts > 0);
  const [rules, ...answers] = await Promise.all([
    engine.precision({}),
    ...read.map(async (run) => ({ run, overview: await engine.redundancy({ run: run.id }) })),
  ]);
  const flagged = answers.filter(({ overview }) => overview.patterns.length > 0);
  const [only] = flagged;
  const reading = runs.some(({ state }) => state === 'found' || state === 'indexing');
  return {
    nodes:
      runs.length === 1 && only !== undefined
        ? patternNodes(only.run, only.overview)
        : flagged.map(({ run, overview }, index) => ({
            kind: 'run',
            id: nodeId(run),
            run,
            overview,
            first: index === 0,
          })),
    welcome: flagged.length > 0 ? 'rows' : reading ? 'reading' : 'nothing',
    overviews: new Map(answers.map(({ run, overview }) => [run.id, overview])),
    precision: new Map(rules.map((rule) => [rule.rule, rule])),
  };
}

/** The rows below a row. */
export async function redundantChildren(
  engine: RedundancyEngine,
  node: RedundantNode,
): Promise<readonly RedundantNode[]> {
  switch (node.kind) {
    case 'run':
      return patternNodes(node.run, node.overview);
    case 'offenders': {
      const filter = { ...noFilter, redundant: true, sort: 'wasted', descending: true } as const;
      const list = { run: node.run.id, step: null, group: null, filter, first: 0, count: mostOffenders };
      const { rows } = await engine.rollouts(list);
      return rows.map((row) => ({
        kind: 'rollout',
        id: nodeId(node.run, row.ref.file, row.ref.row),
        run: node.run,
        row,
      }));
    }
    case 'pattern':
    case 'rollout':
      return [];
  }
}

function patternNodes(run: RunSummary, { patterns }: RedundancyOverview): readonly RedundantNode[] {
  return [
    { kind: 'offenders', id: nodeId(run, 'offenders'), run },
    ...patterns.map((pattern): RedundantNode => ({
      kind: 'pattern',
      id: nodeId(run, 'pattern', pattern.tool, pattern.rule),
      run,
      pattern,
    })),
  ];
}

function nodeId(run: RunSummary, ...parts: readonly (string | number | null)[]): string {
  return JSON.stringify([run.id, ...parts]);
}
