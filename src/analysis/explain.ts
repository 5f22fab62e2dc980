// The arithmetic of one rollout's advantages, as numbers and as a formula without words: "(1 − 0.61) / (0.46 + 1e-6)".
// Says which rule of hdpo.md section 2 decided each channel; the sentence around it belongs to the views (l10n).
// Left out: advantages that a log carries itself: they are shown beside these, never replaced.
import { at, membersOf } from './groups.ts';
import { EPSILON, type AdvantageInput, type AdvantageOptions, type Advantages } from './hdpo.ts';

/** Which rule decided A_acc: normalised over the group, a group of one (mean 0, std 1), equal r_acc, or no reward logged. */
export type AccuracyRule = 'normalised' | 'group-of-one' | 'equal' | 'no-reward';

/** Which rule decided A_tool: normalised over Q, not in Q, |Q| = 1, equal T in Q, or correctness or reward unknown. */
export type EfficiencyRule = 'normalised' | 'outside' | 'single' | 'equal' | 'unknown';

/** One channel of one rollout: `reward`, `mean` and `std` as used (NaN where they do not exist), and the result. */
export interface ChannelArithmetic<Rule> {
  readonly rule: Rule;
  readonly reward: number;
  readonly mean: number;
  readonly std: number;
  readonly advantage: number;
  /** "(1 − 0.61) / (0.46 + 1e-6)", four significant digits; null where no division decided the advantage */
  readonly formula: string | null;
}

/** Both channels of one rollout, and who took part; positions are indices into the batch. */
export interface RolloutArithmetic {
  readonly accuracy: ChannelArithmetic<AccuracyRule>;
  readonly efficiency: ChannelArithmetic<EfficiencyRule>;
  readonly group: number;
  /** all rollouts of the group, in the order of the batch */
  readonly members: readonly number[];
  /** Q */
  readonly qualifying: readonly number[];
  /** true = in mean and std, contributes 0 to the loss */
  readonly masked: boolean;
}

/** A number as people read it: four significant digits, no trailing zeros, the minus sign U+2212; "?" for NaN. */
export function formatNumber(value: number): string {
  if (Number.isNaN(value)) return '?';
  return String(Number(value.toPrecision(4))).replaceAll('-', '−');
}

/** "(reward − mean) / (std + 1e-6)" or, mean-only, "reward − mean", with the numbers put in. */
export function advantageFormula(
  { reward, mean, std }: { readonly reward: number; readonly mean: number; readonly std: number },
  { normalise }: AdvantageOptions,
): string {
  const difference = `${formatNumber(reward)} − ${mean < 0 ? `(${formatNumber(mean)})` : formatNumber(mean)}`;
  return normalise === 'std' ? `(${difference}) / (${formatNumber(std)} + ${EPSILON.toExponential()})` : difference;
}

/**
 * The arithmetic of rollout `rollout` (its position in the batch) out of what computeAdvantages took and gave with the
 * same options. Throws RangeError for a position outside the batch. Source: hdpo.md section 2.
 */
export function explainRollout(
  input: AdvantageInput,
  advantages: Advantages,
  options: AdvantageOptions & { readonly rollout: number },
): RolloutArithmetic {
  const { rollout } = options;
  if (!(rollout >= 0 && rollout < input.count)) throw new RangeError(`no rollout ${rollout} among ${input.count}`);
  const { groups } = advantages;
  const group = at(input.group, rollout);
  const members = [...membersOf(groups.members, group)];
  const accuracy = {
    reward: at(input.accReward, rollout),
    mean: at(groups.accMean, group),
    std: at(groups.accStd, group),
    advantage: at(advantages.accAdvantage, rollout),
  };
  const efficiency = {
    reward: at(advantages.toolReward, rollout),
    mean: at(groups.toolMean, group),
    std: at(groups.toolStd, group),
    advantage: at(advantages.toolAdvantage, rollout),
  };
  const accRule = accuracyRule(advantages, group, accuracy.advantage);
  const toolRule = efficiencyRule(advantages, group, rollout);
  return {
    accuracy: {
      ...accuracy,
      rule: accRule,
      formula: accRule === 'normalised' || accRule === 'group-of-one' ? advantageFormula(accuracy, options) : null,
    },
    efficiency: {
      ...efficiency,
      rule: toolRule,
      formula: toolRule === 'normalised' ? advantageFormula(efficiency, options) : null,
    },
    group,
    members,
    qualifying: members.filter((i) => at(advantages.qualifies, i) === 1),
    masked: input.masked !== undefined && at(input.masked, rollout) === 1,
  };
}

function accuracyRule({ groups }: Advantages, group: number, advantage: number): AccuracyRule {
  if (Number.isNaN(advantage)) return 'no-reward';
  if (at(groups.rewarded, group) === 1) return 'group-of-one';
  return at(groups.equalAccReward, group) === 1 ? 'equal' : 'normalised';
}

function efficiencyRule(
  { groups, toolAdvantage, qualifies }: Advantages,
  group: number,
  rollout: number,
): EfficiencyRule {
  if (Number.isNaN(at(toolAdvantage, rollout))) return 'unknown';
  if (at(qualifies, rollout) === 0) return 'outside';
  if (at(groups.qualifying, group) === 1) return 'single';
  return at(groups.equalCalls, group) === 1 ? 'equal' : 'normalised';
}
