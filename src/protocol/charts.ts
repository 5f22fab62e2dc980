/**
 * What crosses between the host and the charts webview. The webview boundary is JSON plus typed arrays (no NaN outside
 * Float32Array, no Map, Set or bigint): numbers that may be missing travel in Float32Array as NaN.
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
  readonly indexing: boolean;
}

/** Requests of the webview to the host. */
export interface ChartsHostApi {
  /** Runs that can be shown, and which were chosen when the panel opened. */
  runs(params: Record<string, never>): { readonly runs: readonly ChartRun[]; readonly chosen: readonly RunId[] };
  curves(params: { readonly run: RunId }): RunCurves;
  /** Reveals a step's rollouts in the tree. */
  revealStep(params: { readonly run: RunId; readonly step: number }): null;
  /** Saves text the user exported, through a save dialog. */
  save(params: { readonly name: string; readonly text: string }): null;
}

/** What the host tells the webview. */
export interface ChartsEvents {
  runsChanged(params: { readonly runs: readonly ChartRun[] }): void;
  curvesChanged(params: { readonly run: RunId }): void;
}
