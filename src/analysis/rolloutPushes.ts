// What the charts say of single rollouts, as columns: the pushes of both channels, the coupled advantage and what it would
// change, the region of the plane A_acc × A_tool. What the command line's `table` prints, and `steps` sums up.
// Formulas: contributions.ts, coupled.ts, regions.ts (docs: hdpo.md section 2). Left out: reading the columns, printing.
import { contributionsOf, type ContributionMode } from './contributions.ts';
import { prepareCoupled, type CoupledOptions, type CoupledResult, type PreparedCoupled } from './coupled.ts';
import { at } from './groups.ts';
import { regionsOf, type Regions } from './regions.ts';

/** All rollouts of a run in the order of their steps, one entry a rollout. */
export interface PushInput {
  readonly step: Int32Array;
  /** dense ordinal of the group; a group never spans two steps */
  readonly group: Uint32Array;
  /** r_acc; NaN = none */
  readonly accReward: Float32Array;
  /** 1 right, 0 wrong, 2 unknown */
  readonly correct: Uint8Array;
  /** T */
  readonly calls: Uint16Array;
  /** A_acc and A_tool; NaN = none */
  readonly accAdvantage: Float32Array;
  readonly toolAdvantage: Float32Array;
  /** L */
  readonly length: Float32Array;
  /** 1 = contributes 0 */
  readonly masked: Uint8Array;
}

/** How pushes are measured, and the coupled reward they are compared with. */
export interface PushOptions extends Required<CoupledOptions> {
  readonly mode: ContributionMode;
}

/** The published weights, loss-weighted, beside the unconditional coupled reward with α = 0.3. */
export const usualPushes: PushOptions = {
  mode: 'loss-weighted',
  accWeight: 1,
  toolWeight: 0.15,
  form: 'unconditional',
  alpha: 0.3,
};

/** One entry a rollout; NaN where not known. */
export interface RolloutPushes {
  readonly acc: Float64Array;
  readonly tool: Float64Array;
  /** Rows of step `step[k]`: from `first[k]` to `first[k + 1]`, end exclusive. */
  readonly step: readonly number[];
  readonly first: readonly number[];
  readonly prepared: PreparedCoupled;
  readonly coupled: CoupledResult;
  readonly regions: Regions;
}

/** Computes all of it, O(n). Throws RangeError where steps do not ascend. */
export function rolloutPushes(input: PushInput, options: PushOptions = usualPushes): RolloutPushes {
  const { step } = input;
  const { mode, ...coupling } = options;
  const { accWeight, toolWeight } = coupling;
  const steps: number[] = [];
  const first: number[] = [];
  for (let i = 0; i < step.length; i += 1) {
    const last = steps.at(-1);
    const own = at(step, i);
    if (own === last) continue;
    if (last !== undefined && own < last) throw new RangeError('rollouts are not in the order of their steps');
    steps.push(own);
    first.push(i);
  }
  first.push(step.length);
  const acc = new Float64Array(step.length);
  const tool = new Float64Array(step.length);
  for (let k = 0; k < steps.length; k += 1) {
    const [from, end] = [at(first, k), at(first, k + 1)];
    const part = {
      accAdvantage: input.accAdvantage.subarray(from, end),
      toolAdvantage: input.toolAdvantage.subarray(from, end),
      length: input.length.subarray(from, end),
      masked: input.masked.subarray(from, end),
    };
    const found = contributionsOf(part, { mode, accWeight, toolWeight });
    acc.set(found.acc, from);
    tool.set(found.tool, from);
  }
  const prepared = prepareCoupled(input);
  return { acc, tool, step: steps, first, prepared, coupled: prepared.evaluate(coupling), regions: regionsOf(input) };
}
