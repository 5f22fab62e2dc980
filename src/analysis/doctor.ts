// The doctor: what a log lacks or says oddly, what was done about it, and the lines a trainer needs to log it. Facts in (what
// the index of a run knows), findings out, the ones that may make numbers wrong first.
// Source: hdpo.md section 2, "Doctor notes worth having", and its rules for inferred groups and logged advantages.
// Left out: gathering the facts (engine/examineRun.ts) and notes on single lines (readers).
import { countText, numberText, percentText, pluralText } from '../base/numberText.ts';
import type { Finding } from '../model/finding.ts';
import { trainerLines } from './trainerLines.ts';

/** Groups of one step in which equal answers got different verdicts. */
export interface StepVerdicts {
  readonly step: number;
  readonly groups: number;
}

/** How a logged advantage was normalised, as far as a recomputed one agrees with it. */
export type LoggedNormalisation = 'std' | 'std over n' | 'mean only' | 'unlike any';

/** What the index knows of a run. Counts are of rollouts unless they say otherwise. */
export interface DoctorFacts {
  /** FormatId of the run's reader. */
  readonly format: string;
  readonly rollouts: number;
  readonly groups: number;
  /** Groups told from equal prompts, and those of them whose size is not the step's usual one. */
  readonly inferredGroups: number;
  readonly oddGroups: number;
  /** With a logged reward, and those without one whose right or wrong is taken for it. */
  readonly rewarded: number;
  readonly rewardFromVerdict: number;
  readonly withAdvantage: number;
  /** Largest |logged − recomputed| by normalisation; NaN where there is none to compare. */
  readonly advantageDifference: Readonly<Record<Exclude<LoggedNormalisation, 'unlike any'>, number>>;
  readonly withTokens: number;
  readonly images: number;
  readonly imagesCut: number;
  /** Whose correctness the reward threshold decided, and the threshold. */
  readonly byThreshold: number;
  readonly threshold: number;
  readonly hasSteps: boolean;
  /** Whose normalised answer is the ground truth, though they were scored wrong. */
  readonly truthScoredWrong: number;
  /** Ascending by step. */
  readonly differentVerdicts: readonly StepVerdicts[];
}

/** A logged advantage counts as equal to a recomputed one up to this: float32 sums in the trainer. */
const equalAdvantage = 1e-3;

/** Everything worth saying about a run's log, warnings first; empty for a run without rollouts. */
export function findingsOf(facts: DoctorFacts): readonly Finding[] {
  if (facts.rollouts === 0) return [];
  const findings = checks.flatMap((check) => check(facts) ?? []);
  return [
    ...findings.filter(({ severity }) => severity === 'warning'),
    ...findings.filter(({ severity }) => severity === 'information'),
  ];
}

type Check = (facts: DoctorFacts) => Finding | null;

const verdicts: Check = ({ differentVerdicts }) => {
  const groups = differentVerdicts.reduce((sum, one) => sum + one.groups, 0);
  if (groups === 0) return null;
  const worst = differentVerdicts.reduce((most, one) => (one.groups > most.groups ? one : most));
  const where = `most in step ${worst.step} (${countText(worst.groups)})`;
  return {
    code: 'equal-answers-different-verdicts',
    severity: 'warning',
    sentence: `In ${pluralText(groups, 'group')} of ${pluralText(differentVerdicts.length, 'step')} equal answers got different verdicts, ${where}: a judge that was away scores 0, which looks like a policy collapse.`,
    fix: [],
  };
};

const truth: Check = ({ truthScoredWrong }) =>
  truthScoredWrong === 0
    ? null
    : {
        code: 'answer-equals-truth-scored-wrong',
        severity: 'warning',
        sentence: `${pluralText(truthScoredWrong, 'rollout')} whose normalised answer equals the ground truth ${truthScoredWrong === 1 ? 'was' : 'were'} scored wrong.`,
        fix: [],
      };

const groups: Check = ({ format, inferredGroups, oddGroups }) => {
  if (inferredGroups === 0) return null;
  const ambiguous = oddGroups === 0 ? '' : `; ${countText(oddGroups)} of another size than usual, so merged or cut`;
  return {
    code: oddGroups === 0 ? 'group-inferred' : 'group-size-odd',
    severity: oddGroups === 0 ? 'information' : 'warning',
    sentence: `The log names no groups: ${pluralText(inferredGroups, 'group was', 'groups were')} inferred from equal prompts and ground truths within a step${ambiguous}.`,
    fix: trainerLines(format, 'group'),
  };
};

const rewards: Check = ({ format, rollouts, rewarded, rewardFromVerdict }) => {
  const without = rollouts - rewarded - rewardFromVerdict;
  if (without === 0) return null;
  return {
    code: 'reward-not-logged',
    severity: 'warning',
    sentence:
      without === rollouts
        ? 'No reward is logged: nothing says which rollouts are right, and there are no advantages.'
        : `${countText(without)} of ${pluralText(rollouts, 'rollout')} have no reward: they are outside the means of rewards and have no advantage.`,
    fix: trainerLines(format, 'reward'),
  };
};

const verdictRewards: Check = ({ format, rollouts, rewardFromVerdict }) =>
  rewardFromVerdict === 0
    ? null
    : {
        code: 'reward-from-verdict',
        severity: 'information',
        sentence: `${rewardFromVerdict === rollouts ? 'No reward is logged' : `${pluralText(rewardFromVerdict, 'rollout')} of steps without any reward`}: r_acc is taken from right or wrong, 1 or 0; other terms of the trainer’s reward are not in it.`,
        fix: trainerLines(format, 'reward'),
      };

const advantages: Check = ({ format, rollouts, rewarded, rewardFromVerdict, withAdvantage }) => {
  if (rewarded + rewardFromVerdict === 0 || withAdvantage === rollouts) return null;
  const without = rollouts - withAdvantage;
  const who =
    withAdvantage === 0 ? 'No advantage is logged' : `${countText(without)} rollouts have no logged advantage`;
  return {
    code: 'advantage-not-logged',
    severity: 'information',
    sentence: `${who}: both channels are recomputed from rewards and calls.`,
    fix: trainerLines(format, 'advantage'),
  };
};

/** Which way of normalising the logged advantages agree with best. */
export function loggedNormalisation({ advantageDifference }: DoctorFacts): LoggedNormalisation {
  const ways = ['std', 'std over n', 'mean only'] as const;
  const best = ways.reduce((least, way) => (advantageDifference[way] < advantageDifference[least] ? way : least));
  return advantageDifference[best] <= equalAdvantage ? best : 'unlike any';
}

const logged: Check = (facts) => {
  const { withAdvantage, advantageDifference } = facts;
  if (withAdvantage === 0 || Number.isNaN(advantageDifference.std)) return null;
  const way = loggedNormalisation(facts);
  if (way === 'std') return null;
  const sentences = {
    'mean only': `Logged advantages are the recomputed ones without std normalisation (largest difference ${numberText(advantageDifference['mean only'])}).`,
    'std over n': `Logged advantages are the recomputed ones with the standard deviation over n instead of n − 1 (largest difference ${numberText(advantageDifference['std over n'])}).`,
    'unlike any': `Logged advantages differ from the recomputed A_acc by up to ${numberText(advantageDifference.std)}: both are shown. Another estimator, other groups, or rewards that are not in the log.`,
  };
  return {
    code: 'advantage-differs',
    severity: way === 'unlike any' ? 'warning' : 'information',
    sentence: sentences[way],
    fix: [],
  };
};

const threshold: Check = ({ format, rollouts, byThreshold, threshold: least }) =>
  byThreshold === 0
    ? null
    : {
        code: 'threshold-used',
        severity: 'information',
        sentence: `The log does not say which rollouts are right: a reward above ${numberText(least)} counts as right; it decides for ${percentText(byThreshold / rollouts)} of the rollouts.`,
        fix: trainerLines(format, 'correct'),
      };

const steps: Check = ({ format, hasSteps }) =>
  hasSteps
    ? null
    : {
        code: 'step-not-logged',
        severity: 'information',
        sentence: 'No training step is logged: all rollouts count as one step, so there are no curves over steps.',
        fix: trainerLines(format, 'step'),
      };

const tokens: Check = ({ format, rollouts, withTokens }) =>
  withTokens === rollouts
    ? null
    : {
        code: 'tokens-not-logged',
        severity: 'information',
        sentence: `${withTokens === 0 ? 'No token counts are' : 'Token counts are not always'} logged: loss-weighted contributions use characters of model text, an estimate.`,
        fix: trainerLines(format, 'tokens'),
      };

const images: Check = ({ images: all, imagesCut }) =>
  imagesCut === 0
    ? null
    : {
        code: 'images-cut',
        severity: 'information',
        sentence: `${countText(imagesCut)} of ${pluralText(all, 'picture')} are cut or left out in the log: they cannot be shown or compared.`,
        fix: [],
      };

const checks: readonly Check[] = [
  verdicts,
  truth,
  groups,
  rewards,
  verdictRewards,
  logged,
  advantages,
  threshold,
  steps,
  tokens,
  images,
];
