/**
 * What the engine answers about redundant calls: the patterns and curves of a run, the user's verdicts, the rules' settings.
 * Leaves out the flags of one rollout, which come with its transcript (flagReport.ts), and the queries (flagQuestions.ts).
 */
import { UserError } from '../base/errors.ts';
import { lowestThreshold } from '../model/ruleThresholds.ts';
import type { RolloutRef, RunId } from '../protocol/engine.ts';
import type { FlagsApi, RedundancyCurves, RuleSettings, ShownFlag } from '../protocol/flags.ts';
import type { Handlers } from '../protocol/rpc.ts';
import { flagPatterns, flagsBySteps, flagTotals, type FlagsOfStep } from '../store/flagQuestions.ts';
import type { Library } from './library.ts';
import type { AskRun } from './questionHandlers.ts';
import type { Verdicts } from './verdicts.ts';

/** Patterns in one answer. */
const mostPatterns = 500;
/** Tools with a curve of their own: those with most flagged calls. */
const mostTools = 16;
/** Numbers of 8 bytes in one answer, so that it stays below 1 MB. */
const mostNumbers = 110_000;

/** What the handlers stand on. */
export interface FlagHandlerOptions {
  readonly library: Library;
  readonly verdicts: Verdicts;
  readonly ask: AskRun;
  /** A flag of a rollout by its id, null where it has none such. */
  readonly flagOf: (
    wanted: { readonly ref: RolloutRef; readonly path: string; readonly flag: string },
    signal: AbortSignal,
  ) => Promise<ShownFlag | null>;
}

/** The handlers over open runs. */
export function flagHandlers({ library, verdicts, ask, flagOf }: FlagHandlerOptions): Handlers<FlagsApi> {
  return {
    redundancy: ({ run }, signal) =>
      ask(run, async ({ table }) => ({
        ...(await flagTotals(table, signal)),
        patterns: await flagPatterns(table, mostPatterns, signal),
      })),
    redundancyCurves: ({ run }, signal) =>
      ask(run, async ({ table }) => curvesOfFlags(run, await flagsBySteps(table, signal))),
    setVerdict: async ({ ref, path, flag, verdict }, signal) => {
      const found = await flagOf({ ref, path, flag }, signal);
      if (found === null) {
        throw new UserError('This flag is gone: the log or the rules have changed.', 'Open the rollout again.');
      }
      await verdicts.set(found, verdict);
      return null;
    },
    precision: () => verdicts.precision(),
    exportVerdicts: ({ path }) => verdicts.exportTo(path),
    importVerdicts: ({ path }) => verdicts.importFrom(path),
    setRules: async ({ rules }) => {
      await library.setRules(checkedRules(rules));
      return null;
    },
  };
}

/** Settings inside their limits: numbers from 0 (or the lowest threshold) to 1. UserError for what is no number. */
export function checkedRules(given: RuleSettings): RuleSettings {
  const share = (value: number, name: string, lowest: number): number => {
    if (!Number.isFinite(value)) throw new UserError(`The redundancy setting ${name} must be a number from 0 to 1.`);
    return Math.min(1, Math.max(lowest, value));
  };
  return {
    off: [...new Set(given.off.filter((rule) => typeof rule === 'string'))].sort(),
    cropOverlap: share(given.cropOverlap, 'cropOverlap', lowestThreshold),
    sharedLinks: share(given.sharedLinks, 'sharedLinks', lowestThreshold),
    coveredShare: share(given.coveredShare, 'coveredShare', lowestThreshold),
    knownShare: share(given.knownShare, 'knownShare', lowestThreshold),
    siblingLikelyFrom: share(given.siblingLikelyFrom, 'siblingLikelyFrom', 0),
  };
}

/** Shares by step as parallel arrays; steps that do not fit into a message are joined with their neighbours. */
export function curvesOfFlags(run: RunId, steps: readonly FlagsOfStep[]): RedundancyCurves {
  const rules = [...new Set(steps.flatMap(({ byRule }) => [...byRule.keys()]))].sort();
  const tools = mostFlagged(steps);
  const joined = Math.max(1, Math.ceil((steps.length * (rules.length + tools.length + 1)) / mostNumbers));
  const bins: (readonly FlagsOfStep[])[] = [];
  for (let first = 0; first < steps.length; first += joined) bins.push(steps.slice(first, first + joined));
  const shares = (flagged: (step: FlagsOfStep) => number, calls: (step: FlagsOfStep) => number): Float64Array =>
    Float64Array.from(bins, (bin) => {
      const all = sum(bin, calls);
      return all === 0 ? Number.NaN : sum(bin, flagged) / all;
    });
  return {
    run,
    step: Int32Array.from(bins, ([first]) => first?.step ?? 0),
    byRule: rules.map((rule) => ({
      rule,
      share: shares(
        ({ byRule }) => byRule.get(rule) ?? 0,
        ({ calls }) => calls,
      ),
    })),
    byTool: tools.map((tool) => ({
      tool,
      share: shares(
        ({ byTool }) => byTool.get(tool)?.flagged ?? 0,
        ({ byTool }) => byTool.get(tool)?.calls ?? 0,
      ),
    })),
  };
}

function sum(steps: readonly FlagsOfStep[], value: (step: FlagsOfStep) => number): number {
  return steps.reduce((total, step) => total + value(step), 0);
}

/** Tools with flagged calls, most first. */
function mostFlagged(steps: readonly FlagsOfStep[]): readonly (string | null)[] {
  const flagged = new Map<string | null, number>();
  for (const { byTool } of steps) {
    for (const [tool, counts] of byTool) flagged.set(tool, (flagged.get(tool) ?? 0) + counts.flagged);
  }
  return [...flagged]
    .filter(([, count]) => count > 0)
    .sort(([a, some], [b, others]) => others - some || ((a ?? '') < (b ?? '') ? -1 : 1))
    .slice(0, mostTools)
    .map(([tool]) => tool);
}
