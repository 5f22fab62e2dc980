// Contributions of all steps at once with live weights and mode: what does not depend on a weight is computed once, so
// that a slider multiplies (docs: hdpo.md section 2, "Contribution of one sample"). Each step is one batch, as in
// contributions.ts, whose numbers these are; this file only leaves its result ready to be scaled.
// Left out: drawing, clipping.
import { contributionsOf, DEFAULT_ACC_WEIGHT, DEFAULT_TOOL_WEIGHT, type ContributionMode } from './contributions.ts';
import { at, type NumberColumn } from './groups.ts';
import { stepPlaces } from './stepPlaces.ts';

/** All rollouts of a run, one entry a rollout. */
export interface RunContributionInput {
  readonly step: NumberColumn;
  /** A_acc and A_tool; NaN = none */
  readonly accAdvantage: NumberColumn;
  readonly toolAdvantage: NumberColumn;
  /** L: tokens, or characters as an estimate */
  readonly length: NumberColumn;
  /** 1 = contributes 0 */
  readonly masked?: NumberColumn;
}

/** What the controls set. */
export interface RunContributionOptions {
  readonly mode: ContributionMode;
  /** default 1 */
  readonly accWeight?: number;
  /** default 0.15 */
  readonly toolWeight?: number;
}

/** Mean absolute contributions by step: parallel arrays, ascending by step, NaN where no rollout has one. */
export interface ContributionSteps {
  readonly step: Float64Array;
  readonly rollouts: Uint32Array;
  /** mean of |contribution| of the accuracy and of the efficiency channel */
  readonly acc: Float64Array;
  readonly tool: Float64Array;
  /** tool / acc; NaN where the accuracy channel is silent */
  readonly ratio: Float64Array;
  /** tool / (acc + tool): the efficiency channel's share of the push; NaN where both are silent */
  readonly toolShare: Float64Array;
  /** w_tool·N/N_sig; NaN where nothing has a signal */
  readonly effectiveToolWeight: Float64Array;
}

/** One evaluation; its arrays are reused by the next one. */
export interface RunContributions {
  /** w_acc·A_acc and w_tool·A_tool of every rollout in the mode; NaN where there is no advantage */
  readonly acc: Float32Array;
  readonly tool: Float32Array;
  /** largest |contribution| of either channel, for axes that stay put; 0 without any */
  readonly largestAcc: number;
  readonly largestTool: number;
  readonly steps: ContributionSteps;
}

/** Columns made ready for any weights. */
export interface PreparedContributions {
  evaluate(options: RunContributionOptions): RunContributions;
}

/** Contributions with both weights 1 in one mode. */
interface Base {
  readonly acc: Float32Array;
  readonly tool: Float32Array;
  readonly largestAcc: number;
  readonly largestTool: number;
  readonly meanAcc: Float64Array;
  readonly meanTool: Float64Array;
  readonly effective: Float64Array;
}

/** Prepares columns, O(n) a mode. Throws RangeError for columns of different lengths. */
export function prepareContributions(input: RunContributionInput): PreparedContributions {
  const { step, accAdvantage, toolAdvantage, length, masked } = input;
  const count = step.length;
  for (const column of [accAdvantage, toolAdvantage, length, masked]) {
    if (column !== undefined && column.length !== count) throw new RangeError('columns differ in length');
  }
  const { steps, place } = stepPlaces(step);
  const bases = new Map<ContributionMode, Base>();
  const numbers = (): Float64Array => new Float64Array(steps.length);
  const result = {
    acc: new Float32Array(count),
    tool: new Float32Array(count),
    largestAcc: 0,
    largestTool: 0,
    steps: {
      step: steps,
      rollouts: new Uint32Array(steps.length),
      acc: numbers(),
      tool: numbers(),
      ratio: numbers(),
      toolShare: numbers(),
      effectiveToolWeight: numbers(),
    },
  };
  for (const s of place) result.steps.rollouts[s] = at(result.steps.rollouts, s) + 1;
  const baseOf = (mode: ContributionMode): Base => {
    const known = bases.get(mode);
    if (known) return known;
    const made = prepareMode(input, { mode, place, rollouts: result.steps.rollouts });
    bases.set(mode, made);
    return made;
  };
  return {
    evaluate: ({ mode, accWeight = DEFAULT_ACC_WEIGHT, toolWeight = DEFAULT_TOOL_WEIGHT }) => {
      const base = baseOf(mode);
      scale(base.acc, accWeight, result.acc);
      scale(base.tool, toolWeight, result.tool);
      result.largestAcc = Math.abs(accWeight) * base.largestAcc;
      result.largestTool = Math.abs(toolWeight) * base.largestTool;
      for (let s = 0; s < steps.length; s += 1) {
        const acc = Math.abs(accWeight) * at(base.meanAcc, s);
        const tool = Math.abs(toolWeight) * at(base.meanTool, s);
        result.steps.acc[s] = acc;
        result.steps.tool[s] = tool;
        result.steps.ratio[s] = acc > 0 ? tool / acc : Number.NaN;
        result.steps.toolShare[s] = acc + tool > 0 ? tool / (acc + tool) : Number.NaN;
        result.steps.effectiveToolWeight[s] = toolWeight * at(base.effective, s);
      }
      return result;
    },
  };
}

function scale(from: Float32Array, weight: number, to: Float32Array): void {
  for (let i = 0; i < from.length; i += 1) to[i] = weight * (from[i] ?? 0);
}

interface ModeOptions {
  readonly mode: ContributionMode;
  readonly place: Uint32Array;
  /** by step */
  readonly rollouts: Uint32Array;
}

function prepareMode(input: RunContributionInput, { mode, place, rollouts }: ModeOptions): Base {
  const base = {
    acc: new Float32Array(place.length),
    tool: new Float32Array(place.length),
    largestAcc: 0,
    largestTool: 0,
    meanAcc: new Float64Array(rollouts.length),
    meanTool: new Float64Array(rollouts.length),
    effective: new Float64Array(rollouts.length),
  };
  for (const [s, members] of membersOfSteps(place, rollouts).entries()) {
    const pick = (column: NumberColumn): Float64Array => gathered(column, members);
    const of = contributionsOf(
      {
        accAdvantage: pick(input.accAdvantage),
        toolAdvantage: pick(input.toolAdvantage),
        length: pick(input.length),
        ...(input.masked === undefined ? {} : { masked: pick(input.masked) }),
      },
      { mode, accWeight: 1, toolWeight: 1 },
    );
    members.forEach((i, slot) => {
      base.acc[i] = at(of.acc, slot);
      base.tool[i] = at(of.tool, slot);
    });
    const acc = absolute(of.acc);
    const tool = absolute(of.tool);
    base.largestAcc = Math.max(base.largestAcc, acc.largest);
    base.largestTool = Math.max(base.largestTool, tool.largest);
    base.meanAcc[s] = acc.mean;
    base.meanTool[s] = tool.mean;
    base.effective[s] = of.effectiveToolWeight ?? Number.NaN;
  }
  return base;
}

function gathered(column: NumberColumn, members: Uint32Array): Float64Array {
  const values = new Float64Array(members.length);
  for (let slot = 0; slot < members.length; slot += 1) values[slot] = at(column, at(members, slot));
  return values;
}

/** Positions of the rollouts of each step, in the order of the batch. */
function membersOfSteps(place: Uint32Array, rollouts: Uint32Array): readonly Uint32Array[] {
  const members = Array.from(rollouts, (count) => new Uint32Array(count));
  const next = new Uint32Array(rollouts.length);
  place.forEach((s, i) => {
    const of = members[s];
    const slot = at(next, s);
    if (of !== undefined) of[slot] = i;
    next[s] = slot + 1;
  });
  return members;
}

function absolute(values: Float64Array): { readonly mean: number; readonly largest: number } {
  let sum = 0;
  let count = 0;
  let largest = 0;
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    count += 1;
    sum += Math.abs(value);
    if (Math.abs(value) > largest) largest = Math.abs(value);
  }
  return { mean: count === 0 ? Number.NaN : sum / count, largest };
}
