// One row a training step: the aggregates of the command line's `steps` contract (DESIGN.md), the data of every curve.
// Columns in, rows out; advantages are computed here by hdpo.ts over the whole batch at once.
// Formula, unit and source of each number stand in stepColumns; shares and means that do not exist are null, never NaN.
// Left out: which calls fail or are flagged by rules on one rollout (counts come in), smoothing, and marks such as "awake".
import type { StepRow } from '../model/stepRow.ts';
import { DEFAULT_TOOL_WEIGHT } from './contributions.ts';
import { at, denseGroups, denseOrdinals, mode, type NumberColumn } from './groups.ts';
import { computeAdvantages, type AdvantageInput, type Advantages, type Normalisation } from './hdpo.ts';
import { siblingCalls } from './redundancy/sibling.ts';
import { RIGHT, UNKNOWN } from './rewards.ts';

/** Rollouts of any number of steps in any order, one entry a rollout; `group` need not be unique across steps, nor dense. */
export interface StepInput {
  readonly count: number;
  /** training step; a log without steps puts one number everywhere */
  readonly step: NumberColumn;
  /** any number that is equal for the rollouts of one prompt */
  readonly group: NumberColumn;
  /** logged total reward; NaN = none. Absent: accReward */
  readonly reward?: Float64Array;
  /** r_acc; NaN = none */
  readonly accReward: Float64Array;
  /** 1 right, 0 wrong, 2 unknown */
  readonly correct: Uint8Array;
  /** T, calls sent */
  readonly calls: Uint32Array;
  /** calls that failed, were malformed, timed out or were refused; absent = not known */
  readonly failedCalls?: NumberColumn;
  /** calls flagged certain or likely; absent = not known */
  readonly redundantCalls?: NumberColumn;
  /** calls that siblings likely did without (redundancy/sibling.ts); absent: counted here with the usual threshold */
  readonly siblingCalls?: NumberColumn;
  /** 1 = no_loss_on_traj */
  readonly masked?: Uint8Array;
  /** tokens inside the response mask; NaN = not logged */
  readonly modelTokens?: NumberColumn;
  /** characters the policy wrote */
  readonly modelCharacters?: NumberColumn;
  /** 1 = ended by a length or turn limit, 0 = not, 2 = not logged */
  readonly truncated?: NumberColumn;
  /** 1 = the group key is a hash of the prompt, the log names no group; absent = all logged */
  readonly groupInferred?: NumberColumn;
}

/** Options of stepRows. */
export interface StepOptions {
  readonly normalise: Normalisation;
  /** w_tool, default 0.15 */
  readonly toolWeight?: number;
  /** 'usual-size' leaves out inferred groups that are merged or cut (another size than the step's mode); default 'all' */
  readonly groups?: 'all' | 'usual-size';
}

/** One training step with what a chart needs besides the command line's contract. */
export interface StepAggregates extends StepRow {
  /** Most frequent group size; null without groups. */
  readonly group_size: number | null;
  /** Inferred groups of another size; null where all groups are logged. */
  readonly groups_merged_or_cut: number | null;
  /** The part of redundant_call_rate that rules on one rollout give. */
  readonly redundant_intrinsic_rate: number | null;
  /** The part that depends on what siblings tried: it rises as a policy starts to answer directly. */
  readonly redundant_sibling_rate: number | null;
  /** Dead accuracy groups (equal r_acc) in which all are right, and in which all are wrong, as shares of the groups. */
  readonly dead_all_right_share: number | null;
  readonly dead_all_wrong_share: number | null;
  readonly response_tokens_mean: number | null;
  readonly response_characters_mean: number | null;
  readonly truncated_share: number | null;
}

/** '1' for counts and shares. */
type StepUnit = '1' | 'call' | 'token' | 'character';

/** What one number of a StepRow is: unit, formula and source. */
export interface StepColumn {
  readonly name: keyof StepAggregates;
  readonly unit: StepUnit;
  readonly formula: string;
  readonly source: string;
}

const stepColumn = (name: keyof StepAggregates, unit: StepUnit, formula: string, source: string): StepColumn => ({
  name,
  unit,
  formula,
  source,
});

/** The paper and its public training code; where the two differ, the code (it wrote the logs). */
const source = 'arXiv 2604.08545 and its code';

/** The columns of a StepRow in the order of the command line's contract; the last nine are extra to it. */
export const stepColumns: readonly StepColumn[] = [
  stepColumn('step', '1', 'training step', 'logged'),
  stepColumn('rollouts', '1', 'number of rollouts', 'counted'),
  stepColumn('groups', '1', 'number of distinct prompts', 'counted'),
  stepColumn('accuracy', '1', 'right / rollouts whose correctness is known', source),
  stepColumn('reward_mean', '1', 'mean of the logged total reward', 'logged'),
  stepColumn('calls_mean', 'call', 'mean of T', source),
  stepColumn('tool_rate', '1', 'rollouts with T ≥ 1 / rollouts', source),
  stepColumn(
    'redundant_call_rate',
    '1',
    'calls flagged as certain or likely / calls; a rollout counts the larger of its two parts',
    source,
  ),
  stepColumn('acc_advantage_abs', '1', 'mean of |A_acc| over rollouts, unweighted', source),
  stepColumn('tool_advantage_abs', '1', 'mean of |A_tool| over rollouts, unweighted', source),
  stepColumn('qualifying_share', '1', 'groups with |Q| ≥ 2 / groups', source),
  stepColumn('efficiency_signal_share', '1', 'groups with |Q| ≥ 2 and T differing within Q / groups', source),
  stepColumn(
    'effective_w_tool',
    '1',
    'w_tool · N / N_sig with w_tool = 0.15 as in the published script; sig = rollouts with A_tool ≠ 0',
    source,
  ),
  stepColumn('failed_call_rate', '1', 'failed, malformed, timed out or refused calls / calls', source),
  stepColumn('dead_accuracy_groups', '1', 'groups of two or more with equal r_acc', source),
  stepColumn('dead_efficiency_groups', '1', 'groups with |Q| < 2 or equal T within Q', source),
  stepColumn('group_size', '1', 'most frequent number of rollouts a group', 'counted'),
  stepColumn('groups_merged_or_cut', '1', 'inferred groups of another size than group_size', source),
  stepColumn('redundant_intrinsic_rate', '1', 'calls flagged by a rule on one rollout / calls', source),
  stepColumn('redundant_sibling_rate', '1', 'calls that right siblings did without (T − t) / calls', source),
  stepColumn('dead_all_right_share', '1', 'groups of two or more with equal r_acc, all right / groups', source),
  stepColumn('dead_all_wrong_share', '1', 'groups of two or more with equal r_acc, all wrong / groups', source),
  stepColumn('response_tokens_mean', 'token', 'mean of the tokens inside the response mask, where logged', 'logged'),
  stepColumn('response_characters_mean', 'character', 'mean of the characters the policy wrote', 'counted'),
  stepColumn('truncated_share', '1', 'ended by a length or turn limit / rollouts whose end is logged', 'logged'),
];

/** Sums over one step. `known` and `count` say over how many the sum runs. */
interface Totals {
  rollouts: number;
  right: number;
  judged: number;
  rewardSum: number;
  rewardCount: number;
  calls: number;
  withCalls: number;
  redundantCalls: number;
  intrinsicCalls: number;
  siblingCalls: number;
  failedCalls: number;
  accAdvantageSum: number;
  accAdvantageCount: number;
  toolAdvantageSum: number;
  toolAdvantageCount: number;
  toolSignals: number;
  groups: number;
  rewardedGroups: number;
  judgedGroups: number;
  qualifyingGroups: number;
  signalGroups: number;
  deadAccuracyGroups: number;
  inferredGroups: number;
  oddGroups: number;
  deadRightGroups: number;
  deadWrongGroups: number;
  tokens: number;
  tokensKnown: number;
  characters: number;
  truncated: number;
  endKnown: number;
}

const noTotals: Totals = {
  rollouts: 0,
  right: 0,
  judged: 0,
  rewardSum: 0,
  rewardCount: 0,
  calls: 0,
  withCalls: 0,
  redundantCalls: 0,
  intrinsicCalls: 0,
  siblingCalls: 0,
  failedCalls: 0,
  accAdvantageSum: 0,
  accAdvantageCount: 0,
  toolAdvantageSum: 0,
  toolAdvantageCount: 0,
  toolSignals: 0,
  groups: 0,
  rewardedGroups: 0,
  judgedGroups: 0,
  qualifyingGroups: 0,
  signalGroups: 0,
  deadAccuracyGroups: 0,
  inferredGroups: 0,
  oddGroups: 0,
  deadRightGroups: 0,
  deadWrongGroups: 0,
  tokens: 0,
  tokensKnown: 0,
  characters: 0,
  truncated: 0,
  endKnown: 0,
};

/** A step while it is summed up. */
interface StepSums {
  readonly step: number;
  readonly usualSize: number | null;
  readonly totals: Totals;
}

/**
 * Per-step aggregates, ascending by step, one row a step, O(n). Groups are taken within a step, so a prompt that comes
 * back later is another group. Throws RangeError for columns of another length than `count`.
 * Source: DESIGN.md "The command line", hdpo.md sections 2 and 3.
 */
export function stepRows(input: StepInput, options: StepOptions): readonly StepAggregates[] {
  checkLengths(input);
  const { ordinal: group } = denseGroups(input.step, input.group);
  const batch: AdvantageInput = { ...input, group };
  const advantages = computeAdvantages(batch, { normalise: options.normalise });
  const bySiblings = input.siblingCalls ?? siblingCalls(advantages.groups.members, input);
  const { ordinal: stepOf, count: stepCount } = denseOrdinals(input.step);
  const sums = startSums(input, advantages, stepOf, stepCount);
  const leaveOut = options.groups === 'usual-size';
  for (let g = 0; g < advantages.groups.count; g += 1) {
    const one = at(advantages.groups.members.rollouts, at(advantages.groups.members.first, g));
    const stepSums = sums[at(stepOf, one)];
    if (stepSums === undefined) continue;
    const inferred = input.groupInferred !== undefined && at(input.groupInferred, one) === 1;
    const odd = inferred && at(advantages.groups.size, g) !== stepSums.usualSize;
    if (inferred) stepSums.totals.inferredGroups += 1;
    if (odd) stepSums.totals.oddGroups += 1;
    if (odd && leaveOut) continue;
    addGroup(stepSums.totals, advantages, g);
    const end = at(advantages.groups.members.first, g + 1);
    for (let slot = at(advantages.groups.members.first, g); slot < end; slot += 1) {
      const i = at(advantages.groups.members.rollouts, slot);
      addRollout(stepSums.totals, input, advantages, i);
      addLength(stepSums.totals, input, i);
      addRedundant(stepSums.totals, input, { i, bySiblings: at(bySiblings, i) });
    }
  }
  return sums.map((stepSums) => rowOf(stepSums, input, options)).sort((a, b) => a.step - b.step);
}

function checkLengths(input: StepInput): void {
  const { count, step, group, reward, failedCalls, redundantCalls, groupInferred, modelTokens, modelCharacters } =
    input;
  const optional = [reward, failedCalls, redundantCalls, groupInferred, modelTokens, modelCharacters, input.truncated];
  for (const column of [step, group, ...optional]) {
    if (column === undefined || column.length === count) continue;
    throw new RangeError(`a column has ${column.length} entries for ${count} rollouts`);
  }
}

function startSums(
  input: StepInput,
  { groups }: Advantages,
  stepOf: Uint32Array,
  stepCount: number,
): readonly StepSums[] {
  const steps = new Float64Array(stepCount);
  for (let i = 0; i < input.count; i += 1) steps[at(stepOf, i)] = at(input.step, i);
  const sizes: number[][] = Array.from({ length: stepCount }, () => []);
  for (let g = 0; g < groups.count; g += 1) {
    const one = at(groups.members.rollouts, at(groups.members.first, g));
    sizes[at(stepOf, one)]?.push(at(groups.size, g));
  }
  return sizes.map((ofStep, s) => ({ step: at(steps, s), usualSize: mode(ofStep), totals: { ...noTotals } }));
}

function addGroup(totals: Totals, { groups }: Advantages, g: number): void {
  totals.groups += 1;
  if (at(groups.rewarded, g) > 0) totals.rewardedGroups += 1;
  if (at(groups.judged, g) > 0) totals.judgedGroups += 1;
  if (at(groups.qualifying, g) >= 2) totals.qualifyingGroups += 1;
  totals.signalGroups += at(groups.efficiencySignal, g);
  if (at(groups.equalAccReward, g) === 1) {
    const rewarded = at(groups.rewarded, g);
    totals.deadAccuracyGroups += 1;
    if (at(groups.qualifying, g) === rewarded) totals.deadRightGroups += 1;
    else if (at(groups.qualifying, g) === 0 && at(groups.judged, g) === rewarded) totals.deadWrongGroups += 1;
  }
}

function addRollout(totals: Totals, input: StepInput, advantages: Advantages, i: number): void {
  totals.rollouts += 1;
  const correct = at(input.correct, i);
  if (correct !== UNKNOWN) totals.judged += 1;
  if (correct === RIGHT) totals.right += 1;
  const reward = at(input.reward ?? input.accReward, i);
  if (Number.isFinite(reward)) {
    totals.rewardSum += reward;
    totals.rewardCount += 1;
  }
  const calls = at(input.calls, i);
  totals.calls += calls;
  if (calls > 0) totals.withCalls += 1;
  if (input.failedCalls !== undefined) totals.failedCalls += at(input.failedCalls, i);
  const accAdvantage = at(advantages.accAdvantage, i);
  if (!Number.isNaN(accAdvantage)) {
    totals.accAdvantageSum += Math.abs(accAdvantage);
    totals.accAdvantageCount += 1;
  }
  const toolAdvantage = at(advantages.toolAdvantage, i);
  if (!Number.isNaN(toolAdvantage)) {
    totals.toolAdvantageSum += Math.abs(toolAdvantage);
    totals.toolAdvantageCount += 1;
    if (toolAdvantage !== 0) totals.toolSignals += 1;
  }
}

function addLength(totals: Totals, input: StepInput, i: number): void {
  const tokens = input.modelTokens === undefined ? Number.NaN : at(input.modelTokens, i);
  if (!Number.isNaN(tokens)) {
    totals.tokens += tokens;
    totals.tokensKnown += 1;
  }
  if (input.modelCharacters !== undefined) totals.characters += at(input.modelCharacters, i);
  const truncated = input.truncated === undefined ? 2 : at(input.truncated, i);
  if (truncated !== 2) totals.endKnown += 1;
  if (truncated === 1) totals.truncated += 1;
}

/** Siblings without tools prove all calls, others only a number: so the larger part, which the two share, is counted. */
function addRedundant(totals: Totals, input: StepInput, { i, bySiblings }: { i: number; bySiblings: number }): void {
  const intrinsic = input.redundantCalls === undefined ? 0 : at(input.redundantCalls, i);
  totals.intrinsicCalls += intrinsic;
  totals.siblingCalls += bySiblings;
  totals.redundantCalls += Math.max(intrinsic, bySiblings);
}

/** numerator / denominator, or null where that is no number. */
function ratio(numerator: number, denominator: number): number | null {
  const value = numerator / denominator;
  return Number.isFinite(value) ? value : null;
}

function rowOf({ step, usualSize, totals }: StepSums, input: StepInput, options: StepOptions): StepAggregates {
  const { toolWeight = DEFAULT_TOOL_WEIGHT } = options;
  return {
    step,
    rollouts: totals.rollouts,
    groups: totals.groups,
    accuracy: ratio(totals.right, totals.judged),
    reward_mean: ratio(totals.rewardSum, totals.rewardCount),
    calls_mean: ratio(totals.calls, totals.rollouts),
    tool_rate: ratio(totals.withCalls, totals.rollouts),
    redundant_call_rate: input.redundantCalls === undefined ? null : ratio(totals.redundantCalls, totals.calls),
    acc_advantage_abs: ratio(totals.accAdvantageSum, totals.accAdvantageCount),
    tool_advantage_abs: ratio(totals.toolAdvantageSum, totals.toolAdvantageCount),
    qualifying_share: ratio(totals.qualifyingGroups, totals.judgedGroups),
    efficiency_signal_share: ratio(totals.signalGroups, totals.judgedGroups),
    effective_w_tool: ratio(toolWeight * totals.toolAdvantageCount, totals.toolSignals),
    failed_call_rate: input.failedCalls === undefined ? null : ratio(totals.failedCalls, totals.calls),
    dead_accuracy_groups: totals.rewardedGroups === 0 ? null : totals.deadAccuracyGroups,
    dead_efficiency_groups: totals.judgedGroups === 0 ? null : totals.judgedGroups - totals.signalGroups,
    group_size: usualSize,
    groups_merged_or_cut: totals.inferredGroups === 0 ? null : totals.oddGroups,
    redundant_intrinsic_rate: input.redundantCalls === undefined ? null : ratio(totals.intrinsicCalls, totals.calls),
    redundant_sibling_rate: ratio(totals.siblingCalls, totals.calls),
    dead_all_right_share: ratio(totals.deadRightGroups, totals.rewardedGroups),
    dead_all_wrong_share: ratio(totals.deadWrongGroups, totals.rewardedGroups),
    response_tokens_mean: ratio(totals.tokens, totals.tokensKnown),
    response_characters_mean: input.modelCharacters === undefined ? null : ratio(totals.characters, totals.rollouts),
    truncated_share: ratio(totals.truncated, totals.endKnown),
  };
}
