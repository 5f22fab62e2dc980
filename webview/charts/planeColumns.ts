/**
 * Where each rollout stands in the plane A_acc × A_tool, and in which of its regions. Pure; kept as long as the samples
 * are the same. A wrong rollout has A_tool = 0 by design, so it stands in a strip of its own, spread by T − mean T of its
 * group. Leaves out drawing.
 */
import type { SampleColumns } from '../../src/protocol/samples.ts';
import type { PlanePart } from './panelChart.ts';
import { hasColumns, type RunSamples } from './samples.ts';

/** Columns that places are computed of. */
export const planeColumnNames = ['group', 'correct', 'calls', 'accAdvantage', 'toolAdvantage'] as const;

/** The regions, by correctness and sign of A_tool. */
export const planeRegions = ['lean', 'idle', 'wasteful', 'wrong'] as const;

/** One of them; `idle`: right without an efficiency signal. */
export type PlaneRegion = (typeof planeRegions)[number];

/** An entry a rollout. */
export interface PlanePlaces {
  /** Index into `planeRegions`; 255 where right or wrong, or an advantage, is not known. */
  readonly region: Uint8Array;
  /** A_acc */
  readonly x: Float32Array;
  /** A_tool of right rollouts, T − mean T of the group of wrong ones. */
  readonly y: Float32Array;
}

/** Region of a rollout that has no place in the plane. */
export const noRegion = 255;

/** The places of all rollouts. */
export function planePlaces(columns: Pick<SampleColumns, (typeof planeColumnNames)[number]>): PlanePlaces {
  const { group, correct, calls, accAdvantage, toolAdvantage } = columns;
  const count = group.length;
  const groups = group.reduce((most, ordinal) => Math.max(most, ordinal), 0) + 1;
  const [sum, size] = [new Float64Array(groups), new Uint32Array(groups)];
  for (let row = 0; row < count; row += 1) {
    const ordinal = group[row] ?? 0;
    sum[ordinal] = (sum[ordinal] ?? 0) + (calls[row] ?? 0);
    size[ordinal] = (size[ordinal] ?? 0) + 1;
  }
  const region = new Uint8Array(count).fill(noRegion);
  const y = new Float32Array(count).fill(NaN);
  for (let row = 0; row < count; row += 1) {
    const tool = toolAdvantage[row] ?? NaN;
    const right = correct[row];
    if (Number.isNaN(accAdvantage[row] ?? NaN)) continue;
    if (right === 0) {
      const ordinal = group[row] ?? 0;
      region[row] = 3;
      y[row] = (calls[row] ?? 0) - (sum[ordinal] ?? 0) / (size[ordinal] ?? 1);
    } else if (right === 1 && !Number.isNaN(tool)) {
      region[row] = tool > 0 ? 0 : tool < 0 ? 2 : 1;
      y[row] = tool;
    }
  }
  return { region, x: accAdvantage, y };
}

const known = new WeakMap<object, PlanePlaces>();

/** The same, computed once for loaded samples; null until their columns are there. */
export function placesOfSamples(samples: RunSamples | null): PlanePlaces | null {
  if (!samples || !hasColumns(samples.columns, planeColumnNames)) return null;
  const { accAdvantage } = samples.columns;
  const made = known.get(accAdvantage) ?? planePlaces(samples.columns);
  known.set(accAdvantage, made);
  return made;
}

/** Whether a rollout is in a part of the plane. */
export function inPart(part: PlanePart, { region, x, y }: PlanePlaces, row: number): boolean {
  const place = region[row] ?? noRegion;
  if (place === noRegion || (place === 3) !== (part.of === 'wrong')) return false;
  const [acc, other] = [x[row] ?? NaN, y[row] ?? NaN];
  return acc >= part.x[0] && acc <= part.x[1] && other >= part.y[0] && other <= part.y[1];
}
