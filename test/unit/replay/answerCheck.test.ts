/** Where answers stand, and when they are right: exact, normalised, numbers; calibrated on what the run's grader said. */
import { describe, expect, it } from 'vitest';
import { answerIn, calibratedCheck, isRight, numberIn } from '../../../src/replay/answerCheck.ts';

describe('the place of an answer', () => {
  it.each([
    ['<answer> 42 </answer>', '<answer>', '42'],
    ['<answer>1</answer> no, <answer>2</answer>', '<answer>', '2'],
    ['so \\boxed{\\frac{1}{2}} it is', '\\boxed{', '\\frac{1}{2}'],
    ['cut <answer>4', '<answer>', '4'],
    ['cut <answer>4<|im_end|>', '<answer>', '4'],
    ['none', '<answer>', null],
    ['<answer></answer>', '<answer>', null],
    ['<think>hm</think>\n\nParis.', null, 'Paris.'],
    ['Paris', null, 'Paris'],
  ])('in %j behind %j', (text, opener, answer) => {
    const place = answerIn(text, opener);
    expect(place === null ? null : text.slice(place.first, place.end)).toBe(answer);
  });
});

describe('right answers', () => {
  it.each([
    ['exact', '42', '42', true],
    ['exact', '42.', '42', false],
    ['normalised', ' The Cat.', 'the cat', true],
    ['normalised', '(B)', 'b', true],
    ['normalised', '$\\text{Paris}$', 'paris', true],
    ['normalised', '42.0', '42', false],
    ['number', '42.0', '42', true],
    ['number', '1,234', '1234', true],
    ['number', '\\frac{1}{2}', '0.5', true],
    ['number', '50%', '0.5', true],
    ['number', '1e3', '1000', true],
    ['number', '12 cm', '12', false],
    ['number', 'Paris', 'Rome', false],
    ['number', 'x', '["y", "x"]', true],
    ['number', '7', '{"ground_truth": {"target": [7]}}', true],
    ['exact', '', '', true],
  ] as const)('%s: %j for %j is %j', (rule, answer, truth, right) => {
    expect(isRight(rule, answer, truth)).toBe(right);
  });
  it.each([
    ['0.5', 0.5],
    ['-3', -3],
    ['1/4', 0.25],
    ['1,2', null],
    ['', null],
    ['1/0', null],
    ['Infinity', null],
  ])('%j is the number %j', (text, value) => {
    expect(numberIn(text)).toBe(value);
  });
});

describe('calibration', () => {
  const recorded = (pairs: readonly (readonly [string, string, boolean])[]) =>
    pairs.map(([answer, groundTruth, correct]) => ({ answer, groundTruth, correct }));
  it('takes the strictest of the rules that agree best with the logged verdicts', () => {
    const strict = calibratedCheck(
      recorded([
        ['42', '42', true],
        ['42.0', '42', false],
        ['7', '8', false],
      ]),
    );
    expect(strict).toMatchObject({ rule: 'exact', calibration: { agree: 3, of: 3 } });
    const loose = calibratedCheck(
      recorded([
        ['42.0', '42', true],
        ['7', '8', false],
      ]),
    );
    expect(loose).toMatchObject({ rule: 'number', calibration: { agree: 2, of: 2 } });
  });
  it('says how often it disagrees', () => {
    const judge = calibratedCheck(
      recorded([
        ['a long proof', 'a proof', true],
        ['7', '7', true],
      ]),
    );
    expect(judge.calibration).toEqual({ agree: 1, of: 2 });
  });
  it('compares numbers where nothing is logged', () => {
    expect(calibratedCheck([])).toMatchObject({ rule: 'number', calibration: { agree: 0, of: 0 } });
  });
});
