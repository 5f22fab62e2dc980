/**
 * What crosses between the host and the charts webview. The webview boundary is JSON plus typed arrays (no NaN outside
 * typed arrays, no Map, Set or bigint): numbers that may be missing travel in Float64Array as NaN.
 */
import type { RunCurves, RunId } from './engine.ts';

/** A run as the charts show it. */
export interface ChartRun {
  readonly id: RunId;
  readonly name: string;
  readonly producer: string;
  /** Index into the chart colours, the same as the dot in the sidebar. */
  readonly colour: number;
  readonly rollouts: number;
  readonly hasSteps: boolean;
  readonly hasRewards: boolean;
  readonly indexing: boolean;
}

/** The runs there are. */
export interface ChartRuns {
  readonly runs: readonly ChartRun[];
  /** True while the workspace is being searched, so that more may come. */
  readonly searching: boolean;
}

/** Requests of the webview to the host. */
export interface ChartsHostApi {
  /** Runs that can be shown, and those that a command asked for since the page last asked. */
  runs(params: Record<string, never>): ChartRuns & { readonly asked: readonly RunId[] };
  curves(params: { readonly run: RunId }): RunCurves;
  /** Reveals a step's rollouts in the tree. */
  revealStep(params: { readonly run: RunId; readonly step: number }): null;
  /** Saves text the user exported, through a save dialog. */
  save(params: { readonly name: string; readonly text: string }): null;
}

/** What the host tells the webview. */
export interface ChartsEvents {
  runsChanged(params: ChartRuns): void;
  curvesChanged(params: { readonly run: RunId }): void;
  /** A command asks to show this run too. */
  runAsked(params: { readonly run: RunId }): void;
}
