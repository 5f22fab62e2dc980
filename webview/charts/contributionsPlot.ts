/**
 * Where things are in the chart "Contributions": two strips of the same scale, the means, the effective weight, one axis
 * of steps. Pure; shared by what is drawn (contributionsChart.ts) and what is selected (contributionsSpots.ts).
 */
import { scaleLinear } from 'd3';
import type { UnitContributions } from './contributionColumns.ts';
import type { PanelInput, Weights } from './panelChart.ts';

/** Space beside the plot in px. */
export const margin = { left: 48, right: 12 };
/** Top of either strip. */
export const stripTop = { acc: 18, tool: 136 } as const;
/** Height of a strip. */
export const stripHeight = 96;
/** The lines of the means. */
export const lines = { top: 256, height: 56 };
/** The line of the effective w_tool. */
export const effective = { top: 332, height: 36 };
/** The axis of steps. */
export const axisTop = 372;
/** The whole drawing. */
export const height = 396;
/** The channels, from the top. */
export const channels = ['acc', 'tool'] as const;
/** One of them. */
export type Channel = (typeof channels)[number];

/** What places depend on. */
export interface ContributionsPlot {
  readonly input: PanelInput;
  readonly weights: Weights;
  readonly contributions: UnitContributions;
  readonly x: ((step: number) => number) & { ticks(count: number): number[]; invert(x: number): number };
  readonly right: number;
  readonly firstStep: number;
  readonly stepCount: number;
  /** Columns of the densities: a step each, or a pixel each where there are more steps than pixels. */
  readonly columns: number;
  /** Largest size on the scale that both strips share. */
  readonly most: number;
}

/** The places for an input. */
export function plotOf(input: PanelInput, width: number, contributions: UnitContributions): ContributionsPlot {
  const { steps, weights } = input;
  const right = Math.max(margin.left + 1, width - margin.right);
  const stepCount = steps[1] - steps[0] + 1;
  // From the published weights on, the scale only grows: else moving a weight would change nothing but the numbers.
  const sizes = [
    contributions.accExtent * Math.max(1, weights.acc),
    contributions.toolExtent * Math.max(0.15, weights.tool),
  ];
  const most = scaleLinear()
    .domain([0, Math.max(...sizes, 1e-9)])
    .nice(4)
    .domain()[1];
  return {
    input,
    weights,
    contributions,
    x: scaleLinear()
      .domain([steps[0] - 0.5, steps[1] + 0.5])
      .range([margin.left, right]),
    right,
    firstStep: steps[0],
    stepCount,
    columns: Math.max(1, Math.min(stepCount, Math.floor(right - margin.left))),
    most: most ?? 1,
  };
}

/** Height in px of a value in a strip; beyond the scale at its edge. */
export function stripY({ most }: ContributionsPlot, channel: Channel, value: number): number {
  const middle = stripTop[channel] + stripHeight / 2;
  return middle - (Math.max(-most, Math.min(most, value)) / most) * (stripHeight / 2);
}
