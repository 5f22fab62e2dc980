/**
 * What a chart is that is more than one measure over training steps: it gets everything the page knows and answers with
 * a drawing (data, not DOM), its sentence, its table and the spots that pointer and keyboard reach. A new one is one file
 * with a `PanelChart` and one line in all.ts. Title, buttons, keyboard, brush, export: panelFigure.ts.
 */
import type { ContributionMode } from '../../src/analysis/contributions.ts';
import type { ChartsHostApi } from '../../src/protocol/charts.ts';
import type { Explanation, RunCurves, RunId } from '../../src/protocol/engine.ts';
import type { Client } from '../../src/protocol/rpc.ts';
import type { SampleColumn } from '../../src/protocol/samples.ts';
import type { Cursor } from './cursor.ts';
import type { SelectedGroup } from './groupLoader.ts';
import type { Raster } from './raster.ts';
import type { RunSamples } from './samples.ts';
import type { StepValue } from './stepValues.ts';
import type { SvgNode } from '../ui/svgNode.ts';

/** w_acc and w_tool as the page's controls are set, unitless. */
export interface Weights {
  readonly acc: number;
  readonly tool: number;
}

/** Part of one channel's contributions: from `low` to `high`, both inclusive, in units of a push as `mode` measures it. */
export interface Region {
  readonly channel: 'acc' | 'tool';
  /** The mode in which it was chosen: another mode has other units, and the region stays what it was. */
  readonly mode: ContributionMode;
  readonly low: number;
  readonly high: number;
}

/** Part of the plane A_acc × A_tool, or of the strip of the wrong ones below it; all limits inclusive. */
export interface PlanePart {
  readonly of: 'right' | 'wrong';
  /** A_acc */
  readonly x: readonly [low: number, high: number];
  /** A_tool of the right ones; T − mean T of the group of the wrong ones. */
  readonly y: readonly [low: number, high: number];
}

/** Which rollouts of the focused run are looked at: all parts that are not null must hold. */
export interface Selection {
  /** First and last step, inclusive. */
  readonly steps: readonly [first: number, last: number] | null;
  readonly region: Region | null;
  readonly part: PlanePart | null;
  /** Dense ordinal of a group in the samples. */
  readonly group: number | null;
  /** Which rollout of that group is looked at: its 1-based place in the order of the log. It narrows nothing. */
  readonly rollout: number | null;
}

/** One of the rollouts that a number comes from. */
export interface WhyMember {
  /** Default: the run of the value. */
  readonly run?: RunId;
  /** As in SampleColumns. */
  readonly key: number;
  /** "✓ T 2, A_acc +0.86, A_tool −0.70, push +0.75" */
  readonly text: string;
}

/** Where a number comes from: the sums of one rollout and its group, or the rollouts that a value is made of. */
export type Why =
  | {
      readonly kind: 'rollout';
      readonly run: RunId;
      readonly key: number;
      /** How the page weighs its advantages. */
      readonly sums: readonly string[];
    }
  | {
      readonly kind: 'members';
      readonly run: RunId;
      readonly sums: readonly string[];
      /** The first of them, largest push first unless `order` says otherwise. */
      readonly members: readonly WhyMember[];
      /** What they are and in which order: "Prompts, the largest change first". */
      readonly order?: string;
      /** All of them. */
      readonly count: number;
      /** What `select` selects, where that is not the members: "256 rollouts". */
      readonly selects?: string;
      /** Selects them; null where they cannot be. */
      readonly select: (() => void) | null;
    };

/** A run as the charts draw it. */
export interface PanelRun {
  readonly id: RunId;
  readonly name: string;
  /** CSS colour, a theme variable. */
  readonly colour: string;
  /** Index of the run's dash pattern and mark shape (lineChart.ts), so that runs never differ by colour alone. */
  readonly style: number;
  readonly curves: RunCurves;
  /** Null before the first columns are loaded; which columns are in it: `hasColumns` of samples.ts. */
  readonly samples: RunSamples | null;
}

/** Everything a drawing may depend on besides the chart's own state. */
export interface PanelInput {
  /** Runs that are shown and have curves, in the order of the legend. */
  readonly runs: readonly PanelRun[];
  /** The one whose single rollouts are shown where there is room for one run; null without runs. */
  readonly focus: PanelRun | null;
  /** First and last step of all shown runs: the shared x-axis. */
  readonly steps: readonly [first: number, last: number];
  readonly selection: Selection;
  /** The group that is selected in the focused run; null for none, or while its rollouts are read. */
  readonly group: SelectedGroup | null;
  readonly weights: Weights;
  readonly mode: ContributionMode;
}

/** Something a pointer or the keyboard can stand on. */
export interface Spot {
  /** Centre in px of the drawing; `width` and `height` where it is an area and not a point. */
  readonly x: number;
  readonly y: number;
  readonly width?: number;
  readonly height?: number;
  /** What is said: "step 120, A_acc +0.41, 8 rollouts". Also the tooltip. */
  readonly spoken: string;
  /** Where it stands for a step: the cursor that all charts share goes there. */
  readonly cursor?: Cursor;
  /** On click and Enter. */
  readonly pick?: () => void;
  /** On Shift and click, and on the key g: selects the group it belongs to. */
  readonly pickGroup?: () => void;
  /** The sums behind it, shown when the pointer or the keyboard rests on it, and on the key w; made when asked for. */
  readonly why?: () => Why | null;
}

/** The spots of a drawing; made lazily, since there can be many. */
export interface Spots {
  readonly count: number;
  at(index: number): Spot;
  /** Where an arrow key, Home, End, PageUp or PageDown leads; null for a key that is not used. */
  next(from: number, key: string): number | null;
  /** The spot a pointer at x, y means; −1 for none. */
  nearest(x: number, y: number): number;
}

/** A rectangle in px. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A part of the drawing in which a drag (or Shift and arrows) selects. */
export interface BrushArea extends Box {
  /** `both`: a rectangle; `x`: the whole height. */
  readonly axis: 'both' | 'x';
  /** Called once, when the drag ends. */
  select(box: Box): void;
}

/** One column of a chart's table and CSV. */
export interface TableColumn {
  /** With its unit, as the head shows it. */
  readonly title: string;
  /** Full precision for the CSV; null where not known. */
  value(row: number): number | string | null;
  /** As people read it. */
  text(row: number): string;
}

/** The rows behind a drawing. */
export interface TableData {
  readonly caption: string;
  readonly rows: number;
  /** The first column names the row. */
  readonly columns: readonly TableColumn[];
}

/** What a chart draws now. */
export interface Drawing {
  readonly height: number;
  /** Densities, painted below the nodes: on a canvas in the page, as paths in a file. */
  readonly rasters: readonly Raster[];
  readonly nodes: readonly SvgNode[];
  readonly spots: Spots;
  readonly brushes: readonly BrushArea[];
  /** One computed sentence; also what a screen reader hears of the plot. */
  readonly summary: string;
  /** Where a step is in px, for charts over training steps: they show the shared crosshair. */
  readonly crosshair?: (step: number) => number;
  /** Called only when the table is open or exported. */
  table(): TableData;
}

/** Nothing can be drawn, and why: one sentence (what the logs lack, or what is still being loaded). */
export interface NothingDrawn {
  readonly missing: string;
}

/** A question for the sum behind a number. */
export interface WhyRequest {
  /** `pin`: until it is closed; `rest`: while the pointer or the keyboard rests. */
  readonly how: 'rest' | 'pin';
  readonly from: HTMLElement;
  /** The number in words. */
  readonly title: string;
  readonly make: () => Why | null;
}

/** A value over steps at one of them. */
export interface DrawnStep {
  readonly step: number;
  /** How it is made of rollouts. */
  readonly value: StepValue;
  readonly drawn: number;
}

/** What the page does for a chart. */
export interface PanelContext {
  readonly api: Client<ChartsHostApi>;
  /** The chart's own state as an earlier life of the page saved it; foreign data: check it. */
  readonly saved: unknown;
  /** Keeps the chart's own state (JSON) and draws it on the next frame. */
  save(own: unknown): void;
  /** Draws this chart on the next frame. */
  redraw(): void;
  /** Narrows or widens what is looked at; Back undoes it. Parts not named stay. */
  select(change: Partial<Selection>): void;
  /** Opens the transcript of a rollout of the focused run, by its index in the samples. */
  open(index: number): void;
  /** Opens the transcript of a rollout by its key. */
  openKey(run: RunId, key: number): void;
  /** Shows the rollouts of a step in the sidebar's tree. */
  revealStep(run: RunId, step: number): void;
  /** Why a value of a run at a step is what it is: its sum, and the rollouts of that step. */
  whyStep(run: RunId, at: DrawnStep): Why | null;
  /** Shows where a number comes from, beside the element that shows the number. */
  showWhy(asked: WhyRequest): void;
  /** The number is left: what was shown because it was rested on goes. */
  leaveWhy(): void;
  /** The sums behind a rollout's advantages. Rejects where it is no longer in the log. */
  explain(run: RunId, key: number): Promise<Explanation>;
  showError(error: unknown): void;
}

/** A chart in the page. */
export interface PanelView {
  /** Controls between title and plot; made once, in the page only. */
  controls?(): readonly HTMLElement[];
  /** What belongs below the plot (lists, links); made once, in the page only. */
  details?(): HTMLElement;
  /** Pure but for caches: no DOM. `width` in px. At most once a frame, and only while in view. */
  draw(input: PanelInput, width: number): Drawing | NothingDrawn;
}

/** A chart of the page. */
export interface PanelChart {
  /** Stable: kept in the page's state and used as the element's id (`chart-<id>`). */
  readonly id: string;
  readonly title: string;
  /** Beside the title: unit or axis; '' for none. A function where it depends on what is chosen. */
  readonly unit: string | ((input: PanelInput) => string);
  /** Formula and source: the text behind "About". */
  readonly about: string;
  /** Columns of single rollouts it draws; loaded once it has been in view. Empty: curves are enough. */
  readonly columns: readonly SampleColumn[];
  /** Of which runs the columns are loaded: the focused one (default), or all that are shown. */
  readonly columnsOf?: 'focus' | 'shown';
  /** True where it takes the whole width of the page. */
  readonly wide: boolean;
  /** True where it does not depend on the weights: their sliders leave it as it is. Default false. */
  readonly weightless?: boolean;
  make(context: PanelContext): PanelView;
}

/** No spots: nothing to stand on. */
export const noSpots: Spots = {
  count: 0,
  at: () => ({ x: 0, y: 0, spoken: '' }),
  next: () => null,
  nearest: () => -1,
};
