/**
 * What a chart over training steps is: a name, a measure and its explanation. A new chart is one file with one of
 * these and one line in all.ts; drawing, table, export and keyboard are shared (lineChart.ts, figure.ts).
 */
import type { RunCurves } from '../../src/protocol/engine.ts';
import type { StepValue } from './stepValues.ts';

/** One measure over training steps. */
export interface StepChart {
  /** Stable: kept in the page's state and used as the element's id. */
  readonly id: string;
  readonly title: string;
  /** Unit on the axis and in the table, '' for none. */
  readonly unit: string;
  /** Formula and source: the text behind "About". */
  readonly about: string;
  /** What the logs of the shown runs lack where no value is known: one sentence, instead of empty axes. */
  readonly missing: string;
  /** Values by step, parallel to `curves.step`; NaN where not known. */
  values(curves: RunCurves): Float64Array;
  /** How a value is made of the rollouts of its step. */
  readonly made: StepValue;
  /** A value as text. */
  format(value: number): string;
  /** Limits that the axis always shows; null to fit the data. */
  readonly limits: readonly [number, number] | null;
}

/** One run as a chart draws it. */
export interface Series {
  readonly run: string;
  readonly name: string;
  /** CSS colour. */
  readonly colour: string;
  /** Index of the run's dash pattern and mark shape, so that runs never differ by colour alone. */
  readonly style: number;
  readonly step: Int32Array;
  readonly value: Float64Array;
}

/** What of a chart's figure is open. */
export interface FigureView {
  readonly table: boolean;
  readonly about: boolean;
}
