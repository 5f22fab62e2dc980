/**
 * What crosses between the host and the charts webview. The webview boundary is JSON plus typed arrays (no NaN outside
 * typed arrays, no Map, Set or bigint): numbers that may be missing travel in Float64Array as NaN.
 */
import type { DoctorApi } from './doctor.ts';
import type { EngineApi, RolloutRef, RunCurves, RunId } from './engine.ts';
import type { FlagsApi } from './flags.ts';
import type { GroupViewApi } from './groupView.ts';
import type { SamplesApi } from './samples.ts';

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

/** A view of the page that a link asks for: its runs, and the rest as the page wrote it. */
export interface AskedView {
  readonly runs: readonly RunId[];
  /** JSON as text; foreign data: the page checks it. */
  readonly view: string;
}

/** Lines of a rollout's text, end exclusive, that are one turn. */
export interface TextTurn {
  readonly line: number;
  readonly count: number;
  /** "policy 2", "user": what the heading says. */
  readonly label: string;
}

/** A call in a rollout's text. */
export interface TextCall {
  /** 0-based index of the call in its rollout. */
  readonly call: number;
  /** Line of its heading. */
  readonly line: number;
  readonly tool: string | null;
  readonly latencyMs: number | null;
  /** Ids of the redundancy rules that flag it as certain or likely. */
  readonly redundant: readonly string[];
}

/** A rollout's transcript as text, at most 200,000 characters. Log text: never page source. */
export interface RolloutText {
  readonly text: string;
  /** True where the transcript has more. */
  readonly cut: boolean;
  /** In the order of the text; those that are cut away are left out. */
  readonly turns: readonly TextTurn[];
  readonly calls: readonly TextCall[];
}

/** Requests of the webview to the host; those about samples, groups, flags, sums and the doctor are the engine's answers. */
export interface ChartsHostApi
  extends SamplesApi, GroupViewApi, DoctorApi, Pick<FlagsApi, 'redundancyCurves'>, Pick<EngineApi, 'explain'> {
  /** Runs that can be shown, and those that a command, or the view that a link, asked for since the page last asked. */
  runs(params: Record<string, never>): ChartRuns & {
    readonly asked: readonly RunId[];
    readonly view: AskedView | null;
  };
  /** Puts a link to this view on the clipboard. UserError where its runs are not open any more. */
  copyLink(params: AskedView): null;
  curves(params: { readonly run: RunId }): RunCurves;
  /** Reveals a step's rollouts in the tree. */
  revealStep(params: { readonly run: RunId; readonly step: number }): null;
  /** Opens the transcript of a rollout. */
  openRollout(params: { readonly ref: RolloutRef }): null;
  /** Opens the transcript at one of its calls (0-based). */
  openCall(params: { readonly ref: RolloutRef; readonly call: number }): null;
  /** Opens the transcripts of two rollouts, of one run or of two, in the editor's diff. */
  compareRollouts(params: { readonly left: RolloutRef; readonly right: RolloutRef }): null;
  rolloutText(params: { readonly ref: RolloutRef }): RolloutText;
  /** Saves what the user exported, through a save dialog: text, or the bytes of a picture. */
  save(params: {
    readonly name: string;
    readonly kind: 'csv' | 'png' | 'svg';
    readonly content: string | Uint8Array;
  }): null;
}

/** What the host tells the webview. */
export interface ChartsEvents {
  runsChanged(params: ChartRuns): void;
  curvesChanged(params: { readonly run: RunId }): void;
  /** A command asks to show this run too. */
  runAsked(params: { readonly run: RunId }): void;
  /** A link asks for this view. */
  viewAsked(params: AskedView): void;
  /** A command wants a link to what is shown: the page answers with `copyLink`. */
  linkAsked(params: Record<string, never>): void;
}
