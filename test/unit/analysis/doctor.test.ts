// What the doctor says, a case a fact; and that the keys he names are ones that a reader takes.
import { describe, expect, it } from 'vitest';
import { findingsOf, loggedNormalisation, type DoctorFacts } from '../../../src/analysis/doctor.ts';
import { trainerLines, type MissingField } from '../../../src/analysis/trainerLines.ts';
import { guessMapping } from '../../../src/readers/fieldMapping.ts';
import { verlRollout } from '../../../src/readers/verlRecord.ts';

/** A log that lacks nothing. */
const complete: DoctorFacts = {
  format: 'verl',
  rollouts: 1000,
  groups: 125,
  inferredGroups: 0,
  oddGroups: 0,
  rewarded: 1000,
  rewardFromVerdict: 0,
  withAdvantage: 1000,
  advantageDifference: { std: 2e-7, 'std over n': 0.06, 'mean only': 0.4 },
  withTokens: 1000,
  images: 0,
  imagesCut: 0,
  byThreshold: 0,
  threshold: 0.5,
  hasSteps: true,
  truthScoredWrong: 0,
  differentVerdicts: [],
};

describe('findingsOf', () => {
  it('says nothing of a log that lacks nothing, and nothing of no rollouts', () => {
    expect(findingsOf(complete)).toEqual([]);
    expect(findingsOf({ ...complete, rollouts: 0, withTokens: 0, rewarded: 0 })).toEqual([]);
  });

  it.each<[Partial<DoctorFacts>, string, string, string]>([
    [{ inferredGroups: 125 }, 'group-inferred', 'information', '125 groups were inferred from equal prompts'],
    [
      { inferredGroups: 125, oddGroups: 3 },
      'group-size-odd',
      'warning',
      '3 of another size than usual, so merged or cut',
    ],
    [
      { withAdvantage: 0, advantageDifference: noDifference() },
      'advantage-not-logged',
      'information',
      'No advantage is logged',
    ],
    [{ withAdvantage: 990 }, 'advantage-not-logged', 'information', '10 rollouts have no logged advantage'],
    [
      { advantageDifference: { std: 0.4, 'std over n': 0.5, 'mean only': 2e-7 } },
      'advantage-differs',
      'information',
      'without std normalisation (largest difference 0.0000002)',
    ],
    [
      { advantageDifference: { std: 0.06, 'std over n': 0, 'mean only': 0.5 } },
      'advantage-differs',
      'information',
      'over n instead of n − 1',
    ],
    [
      { advantageDifference: { std: 1.5, 'std over n': 1.4, 'mean only': 2 } },
      'advantage-differs',
      'warning',
      'by up to 1.5',
    ],
    [{ withTokens: 0 }, 'tokens-not-logged', 'information', 'No token counts are logged'],
    [{ withTokens: 3 }, 'tokens-not-logged', 'information', 'Token counts are not always logged'],
    [{ images: 20, imagesCut: 7 }, 'images-cut', 'information', '7 of 20 pictures are cut'],
    [
      { byThreshold: 500 },
      'threshold-used',
      'information',
      'a reward above 0.5 counts as right; it decides for 50 % of the rollouts',
    ],
    [{ hasSteps: false }, 'step-not-logged', 'information', 'No training step'],
    [{ rewarded: 0, withAdvantage: 0 }, 'reward-not-logged', 'warning', 'No reward is logged'],
    [{ rewarded: 900 }, 'reward-not-logged', 'warning', '100 of 1,000 rollouts have no reward'],
    [
      { rewarded: 0, rewardFromVerdict: 1000 },
      'reward-from-verdict',
      'information',
      'No reward is logged: r_acc is taken from right or wrong',
    ],
    [
      { rewarded: 990, rewardFromVerdict: 10 },
      'reward-from-verdict',
      'information',
      '10 rollouts of steps without any reward: r_acc',
    ],
    [
      { truthScoredWrong: 1 },
      'answer-equals-truth-scored-wrong',
      'warning',
      '1 rollout whose normalised answer equals the ground truth was scored wrong',
    ],
    [
      {
        differentVerdicts: [
          { step: 4, groups: 1 },
          { step: 17, groups: 9 },
          { step: 20, groups: 2 },
        ],
      },
      'equal-answers-different-verdicts',
      'warning',
      'In 12 groups of 3 steps equal answers got different verdicts, most in step 17 (9)',
    ],
  ])('%j', (facts, code, severity, sentence) => {
    const findings = findingsOf({ ...complete, ...facts });
    expect(findings).toEqual([expect.objectContaining({ code, severity })]);
    expect(findings[0]?.sentence).toContain(sentence);
  });

  it('puts warnings first', () => {
    const findings = findingsOf({ ...complete, withTokens: 0, truthScoredWrong: 2, hasSteps: false });
    expect(findings.map(({ severity }) => severity)).toEqual(['warning', 'information', 'information']);
  });

  it('tells by which normalisation logged advantages are those recomputed', () => {
    expect(loggedNormalisation(complete)).toBe('std');
    expect(loggedNormalisation({ ...complete, advantageDifference: noDifference() })).toBe('unlike any');
  });
});

function noDifference() {
  return { std: Number.NaN, 'std over n': Number.NaN, 'mean only': Number.NaN };
}

const fields: readonly MissingField[] = ['group', 'reward', 'advantage', 'correct', 'step', 'tokens'];

describe('trainerLines', () => {
  it('name keys that the field mapping finds', () => {
    const record = Object.fromEntries(
      fields.map((field) => {
        const [, name = '', value = ''] = /"(\w+)": (.*)$/.exec(trainerLines('generic', field)[0] ?? '') ?? [];
        return [name, JSON.parse(value) as string | number | boolean];
      }),
    );
    const mapping = guessMapping({ prompt: 'a', response: 'b', ...record }, new Set());
    for (const field of ['group', 'reward', 'advantage', 'correct', 'step', 'modelTokens'] as const) {
      expect(mapping[field]).not.toBeNull();
    }
  });

  it('name columns of a verl dump that the reader takes', () => {
    const names = fields.flatMap((field) =>
      trainerLines('verl', field).flatMap((line) => /reward_extra_infos_dict\["(\w+)"\]/.exec(line)?.[1] ?? []),
    );
    expect(names).toEqual(['uid', 'advantage', 'acc', 'model_tokens']);
    const record = {
      input: 'a',
      output: 'b',
      score: 1,
      step: 1,
      uid: 'u-1',
      advantage: 0.5,
      acc: true,
      model_tokens: 12,
    };
    const place = { row: 0, line: 0, bytes: { first: 0, count: 1 } };
    const rollout = verlRollout(record, place, 'legacy');
    expect(rollout).toMatchObject({ loggedAdvantage: 0.5, modelTokens: 12, reward: { correct: true } });
    expect(rollout.group).toEqual({ key: 'u-1', source: 'logged' });
    expect(rollout.reward.parts.map(({ name }) => name)).toEqual(['acc']);
  });
});
