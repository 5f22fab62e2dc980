// The maker of rollouts: defaults, and the one line that lists show of a question.
import { describe, expect, it } from 'vitest';
import {
  buildRollout,
  buildTurn,
  foldQuestion,
  imagePart,
  QUESTION_LENGTH,
  textPart,
} from '../../../src/model/builder.ts';

const place = { row: 0, line: 0, bytes: { first: 0, count: 1 } };
const group = { key: 'g', source: 'logged' } as const;

describe('foldQuestion', () => {
  const cases: readonly (readonly [name: string, text: string, line: string])[] = [
    ['white space', '  a\n\n\tb \u2028 c  ', 'a b c'],
    ['pads and markers', '<|vision_start|><|image_pad|><|image_pad|><|vision_end|>What <image> is it?', 'What is it?'],
    ['a bar that is no marker', 'a <| b |> c <|x y|>', 'a <| b |> c <|x y|>'],
    ['nothing', '', ''],
    ['cut at 160', 'x'.repeat(500), 'x'.repeat(QUESTION_LENGTH)],
    ['no half pair', `${'x'.repeat(QUESTION_LENGTH - 1)}😀`, 'x'.repeat(QUESTION_LENGTH - 1)],
    ['a whole pair', `${'x'.repeat(QUESTION_LENGTH - 2)}😀y`, `${'x'.repeat(QUESTION_LENGTH - 2)}😀`],
    ['a lone surrogate stays', 'a\ud83d b', 'a\ud83d b'],
    ['no space at the cut', `${'x'.repeat(QUESTION_LENGTH)} y`, 'x'.repeat(QUESTION_LENGTH)],
  ];
  it.each(cases)('%s', (_, text, line) => {
    expect(foldQuestion(text)).toBe(line);
    expect(foldQuestion(text).length).toBeLessThanOrEqual(QUESTION_LENGTH);
  });
});

describe('buildRollout', () => {
  it('fills what a draft leaves out', () => {
    expect(buildRollout({ place, producer: 'p', group })).toEqual({
      place,
      producer: 'p',
      step: null,
      group,
      id: null,
      question: '',
      groundTruth: null,
      turns: [],
      calls: [],
      images: [],
      answer: null,
      reward: { total: null, answer: null, format: null, correct: null, correctSource: 'reward threshold', parts: [] },
      loggedAdvantage: null,
      masked: false,
      output: null,
      modelTokens: null,
      stopReason: null,
      extras: [],
    });
  });

  it('takes the question from the last user turn of the prompt', () => {
    const turns = [
      buildTurn({ role: 'user', parts: [textPart('first')], prompt: true }),
      buildTurn({ role: 'policy', parts: [textPart('answer')], prompt: true }),
      buildTurn({ role: 'user', parts: [imagePart(0), textPart('second'), textPart('half')], prompt: true }),
      buildTurn({ role: 'user', parts: [textPart('simulated user')] }),
    ];
    expect(buildRollout({ place, producer: 'p', group, turns }).question).toBe('second half');
    expect(buildRollout({ place, producer: 'p', group, turns: turns.slice(3) }).question).toBe('simulated user');
    expect(buildRollout({ place, producer: 'p', group, turns, question: 'given' }).question).toBe('given');
  });

  it('counts characters of texts', () => {
    expect(buildTurn({ role: 'user', parts: [textPart('abc'), imagePart(0), textPart('de')] }).characters).toBe(5);
  });
});
