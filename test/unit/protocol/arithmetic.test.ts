/** The sums as text, on hand-made groups: one case a rule of hdpo.md 2. */
import { describe, expect, test } from 'vitest';
import { arithmeticLines, arithmeticOf, memberLines, rewardSum } from '../../../src/protocol/arithmetic.ts';
import type { Explanation } from '../../../src/protocol/engine.ts';
import { explanation, members, row } from '../transcript/sampleRollouts.ts';

const cases: readonly (readonly [name: string, given: Explanation, lines: readonly string[]])[] = [
  [
    'right, both channels normalised',
    explanation(),
    [
      'r_acc = 1.0 = 0.9·answer 1 + 0.1·format 1',
      'right (decoded from score)',
      'A_acc = (1.0 − 0.613) / (0.452 + 1e-6) = +0.86',
      'r_tool = 1/(T+1) = 1/3 = 0.333',
      'Q = 9 right of 16: mean 0.51, std 0.26',
      'A_tool = (0.333 − 0.51) / (0.26 + 1e-6) = −0.70',
    ],
  ],
  [
    'wrong: not in Q',
    explanation({
      row: row({
        correct: false,
        qualifies: false,
        reward: 0.1,
        accReward: 0.1,
        toolReward: 0,
        toolAdvantage: 0,
        accAdvantage: -1.08,
      }),
      answerReward: 0,
    }),
    [
      'r_acc = 0.1 = 0.9·answer 0 + 0.1·format 1',
      'wrong (decoded from score)',
      'A_acc = (0.1 − 0.613) / (0.452 + 1e-6) = −1.08',
      'r_tool = 0, since the answer is wrong',
      'Q = 9 right of 16: mean 0.51, std 0.26',
      'not in Q: A_tool = 0',
    ],
  ],
  [
    'a group of one',
    explanation({
      row: row({ groupSize: 1, member: 1, calls: 0, toolReward: 1, accAdvantage: 1, toolAdvantage: 0 }),
      accMean: 0,
      accStd: 1,
      toolMean: 1,
      toolStd: null,
      qualifying: 1,
      members: members(1, 1),
    }),
    [
      'r_acc = 1.0 = 0.9·answer 1 + 0.1·format 1',
      'right (decoded from score)',
      'A_acc = (1.0 − 0) / (1 + 1e-6) = +1.00 (group of one: mean 0, std 1)',
      'r_tool = 1/(T+1) = 1',
      'Q = 1 right of 1: mean 1',
      'alone in Q: A_tool = 0',
    ],
  ],
  [
    'equal rewards, equal T in Q',
    explanation({
      row: row({ accAdvantage: 0, toolAdvantage: 0 }),
      accEqual: true,
      toolEqual: true,
      qualifying: 16,
      toolMean: 1 / 3,
      toolStd: 0,
    }),
    [
      'r_acc = 1.0 = 0.9·answer 1 + 0.1·format 1',
      'right (decoded from score)',
      'A_acc = 0 exactly: all 16 rewards of the group are equal (1.0)',
      'r_tool = 1/(T+1) = 1/3 = 0.333',
      'Q = 16 right of 16: mean 0.333, std 0',
      'equal T in Q: A_tool = 0 exactly',
    ],
  ],
  [
    'another trainer: reward alone, threshold, logged advantage, masked, negative mean',
    explanation({
      row: row({
        reward: -0.25,
        accReward: -0.25,
        correct: false,
        qualifies: false,
        toolReward: 0,
        toolAdvantage: 0,
        accAdvantage: -0.5,
        loggedAdvantage: -0.25,
      }),
      answerReward: null,
      formatReward: null,
      correctSource: 'reward threshold',
      accMean: -0.1,
      accStd: 0.3,
      qualifying: 0,
      toolMean: null,
      toolStd: null,
      masked: true,
    }),
    [
      'r_acc = −0.25',
      'wrong (reward threshold)',
      'A_acc = (−0.25 − (−0.1)) / (0.3 + 1e-6) = −0.50',
      'logged advantage −0.25, recomputed A_acc −0.50, difference 0.25',
      'r_tool = 0, since the answer is wrong',
      'Q = 0 right of 16',
      'not in Q: A_tool = 0',
      'no loss on this rollout: it counts in mean and std, and contributes 0',
    ],
  ],
  [
    'right or wrong alone',
    explanation({
      row: row({ reward: null, accReward: 1, accAdvantage: 0.5, toolAdvantage: null, toolReward: null }),
      answerReward: 1,
      formatReward: null,
      correctSource: 'logged',
    }),
    [
      'r_acc = 1.0: no reward is logged, it is taken from right or wrong',
      'right (logged)',
      'A_acc = (1.0 − 0.613) / (0.452 + 1e-6) = +0.50',
      'r_tool: not known, since the log has no reward here',
      'Q = 9 right of 16: mean 0.51, std 0.26',
      'A_tool: not known, since the log has no reward here',
    ],
  ],
  [
    'no reward in the log',
    explanation({
      row: row({
        reward: null,
        accReward: null,
        correct: null,
        toolReward: null,
        accAdvantage: null,
        toolAdvantage: null,
        qualifies: false,
      }),
      answerReward: null,
      formatReward: null,
      qualifying: 0,
      toolMean: null,
      toolStd: null,
    }),
    [
      'reward: the log has none',
      'right or wrong: the log does not say',
      'A_acc: not known, since the log has no reward',
      'r_tool: not known, since right or wrong is not known',
      'Q = 0 right of 16',
      'A_tool: not known, since right or wrong is not known',
    ],
  ],
];

describe('arithmetic lines', () => {
  test.each(cases)('%s', (_, given, lines) => {
    expect(arithmeticLines(given).map(({ text }) => text)).toEqual(lines);
  });

  test('by topic, in the order of the sums', () => {
    expect(arithmeticOf(explanation(), ['toolAdvantage', 'correct'])).toEqual([
      'right (decoded from score)',
      'A_tool = (0.333 − 0.51) / (0.26 + 1e-6) = −0.70',
    ]);
  });

  test.each([
    [1, 1, 1, '1.0 = 0.9·answer 1 + 0.1·format 1'],
    [0.8999999761581421, 1, 0, '0.9 = 0.9·answer 1 + 0.1·format 0'],
    [0, 0, 0, '0.0 = 0.9·answer 0 + 0.1·format 0'],
    [0.43, null, null, '0.43'],
    [null, null, null, '?'],
  ])('reward %j of answer %j and format %j', (reward, answerReward, formatReward, text) => {
    expect(rewardSum({ answerReward, formatReward }, reward)).toBe(text);
  });
});

describe('members', () => {
  test('a line each, this rollout and Q marked', () => {
    const lines = memberLines(explanation({ row: row({ member: 2, groupSize: 3 }), members: members(3, 2) }));
    expect(lines).toEqual([
      '✓  1  T 1  r_acc 1.0  r_tool 0.5  in Q',
      '✓  2  T 1  r_acc 1.0  r_tool 0.5  in Q  ← this rollout',
      '✗  3  T 1  r_acc 0.0  r_tool 0',
    ]);
  });

  test('a group larger than what is listed says how many are missing', () => {
    expect(memberLines(explanation({ row: row({ groupSize: 1064 }), members: members(64, 9) })).at(-1)).toBe(
      '… 1,000 more',
    );
  });
});
