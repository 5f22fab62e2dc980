/**
 * Where each rollout stands in the plane A_acc × A_tool, and in which of its regions. Pure; kept as long as the samples
 * are the same. A wrong rollout has A_tool = 0 by design, so it stands in a strip of its own, spread by T − mean T of its
 * group. Leaves out the sorting into regions (src/analysis/regions.ts) and drawing.
 */
import { REGION, regionsOf } from '../../src/analysis/regions.ts';
import type { SampleColumns } from '../../src/protocol/samples.ts';
import type { PlanePart } from './panelChart.ts';
import { hasColumns, type RunSamples } from './samples.ts';

/** Columns that places are computed of. */
export const planeColumnNames = ['step', 'group', 'correct', 'calls', 'accAdvantage', 'toolAdvantage'] as const;

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
  const { accAdvantage, toolAdvantage } = columns;
  const { region: code, spread } = regionsOf(columns);
  const region = new Uint8Array(code.length).fill(noRegion);
  const y = new Float32Array(code.length).fill(NaN);
  code.forEach((of, row) => {
    const wrong = of === REGION.wrong;
    const up = (wrong ? spread : toolAdvantage)[row] ?? NaN;
    if (of === REGION.unknown || Number.isNaN(accAdvantage[row] ?? NaN) || Number.isNaN(up)) return;
    region[row] = placeOf[of] ?? noRegion;
    y[row] = up;
  });
  return { region, x: accAdvantage, y };
}

/** Index into `planeRegions` by code of regionsOf. */
const placeOf: Readonly<Record<number, number>> = {
  [REGION.rightLean]: 0,
  [REGION.rightNoSignal]: 1,
  [REGION.rightWasteful]: 2,
  [REGION.wrong]: 3,
};

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
