// The mapping of home-made logs: what is guessed from a first record, how it is written down, what a check of it says.
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/base/json.ts';
import {
  emptyMapping,
  type FieldMapping,
  guessMapping,
  isUsableMapping,
  mappingFields,
  parseMapping,
  printMapping,
  valueAt,
} from '../../../src/readers/fieldMapping.ts';
import { applyMapping, countMapped, mappedRollout } from '../../../src/readers/mappedRecord.ts';

const guess = (record: JsonObject): FieldMapping => guessMapping(record, new Set(Object.keys(record)));
const mapped = (mapping: FieldMapping): Partial<FieldMapping> =>
  Object.fromEntries(Object.entries(mapping).filter(([, path]) => path !== null));
const place = { row: 0, line: 0, bytes: { first: 0, count: 1 } };

test.each<[string, JsonObject, Partial<FieldMapping>]>([
  ['question and answer', { question: 'q', answer: 'a' }, { prompt: 'question', response: 'answer' }],
  [
    'the right answer beside a response',
    { problem: 'p', answer: '4', generation: 'g', acc: 1 },
    { prompt: 'problem', response: 'generation', groundTruth: 'answer', reward: 'acc', correct: 'acc' },
  ],
  [
    'an API log',
    { input: 'i', output: { choices: [{ message: { role: 'assistant', content: 'x' } }] } },
    { prompt: 'input', response: 'output.choices.0.message' },
  ],
  [
    'facts in a container',
    {
      prompt: 'p',
      completion: 'c',
      info: { step: 3, reward: 0.5, uid: 'u', ground_truth: 't' },
    },
    {
      prompt: 'prompt',
      response: 'completion',
      reward: 'info.reward',
      step: 'info.step',
      group: 'info.uid',
      groundTruth: 'info.ground_truth',
    },
  ],
  [
    'messages that end in a question, and the answer apart',
    { messages: [{ role: 'user', content: 'q' }], completion: 'c' },
    { messages: 'messages', response: 'completion' },
  ],
  [
    'messages as JSON in a string',
    { messages: '[{"role":"user","content":"q"},{"role":"assistant","content":"a"}]' },
    { messages: 'messages' },
  ],
  [
    'words where messages are expected',
    { messages: 'none', prompt: 'p', response: 'r' },
    { prompt: 'prompt', response: 'response' },
  ],
  [
    'a sample in the record, and what is known of it',
    { sample: { question: 'q', gold: '4' }, model_output: 'o', meta: { group: 'g7' }, r: 0.5 },
    {
      prompt: 'sample.question',
      response: 'model_output',
      reward: 'r',
      group: 'meta.group',
      groundTruth: 'sample.gold',
    },
  ],
  ['a return', { query: 'q', generation: 'g', ret: -1 }, { prompt: 'query', response: 'generation', reward: 'ret' }],
  [
    'rewards by their names',
    { prompt: 'p', response: 'r', rewards: { acc: 1, fmt: 0 } },
    { prompt: 'prompt', response: 'response', reward: 'rewards', correct: 'rewards.acc' },
  ],
  [
    'rewards by their names with a total',
    { prompt: 'p', response: 'r', rewards: { acc: 1, fmt: 0, total: 0.9 } },
    { prompt: 'prompt', response: 'response', reward: 'rewards.total', correct: 'rewards.acc' },
  ],
  ['metrics', { step: 1, time: 2, loss: 3 }, { step: 'step' }],
])('guesses %s', (_, record, expected) => {
  expect(mapped(guess(record))).toEqual(expected);
});

test('where the first record is not known, names decide', () => {
  expect(mapped(guessMapping(null, new Set(['input', 'response', 'reward', 'data'])))).toEqual({
    prompt: 'input',
    response: 'response',
    reward: 'reward',
  });
  expect(isUsableMapping(guessMapping(null, new Set(['step', 'data'])))).toBe(false);
});

test('a mapping written down is the same mapping', () => {
  const mapping = { ...emptyMapping, prompt: 'a.b', response: 'c' };
  expect(printMapping(mapping)).toBe('{"prompt":"a.b","response":"c"}');
  expect(parseMapping(printMapping(mapping))).toEqual(mapping);
  expect(parseMapping('{"prompt":"","response":7,"other":"x"}')).toEqual(emptyMapping);
  expect(parseMapping('[]')).toBeNull();
  expect(parseMapping('{')).toBeNull();
});

test('every field has a label and a sentence', () => {
  expect(mappingFields.map(({ field }) => field).sort()).toEqual(Object.keys(emptyMapping).sort());
  for (const { label, sentence } of mappingFields) {
    expect(label).not.toBe('');
    expect(sentence).toMatch(/\.$/);
  }
});

test.each([
  ['a', 1],
  ['b.c', 2],
  ['b.d.e', 3],
  ['f.1', 5],
  ['f.7', undefined],
  ['b.toString', undefined],
  ['__proto__.x', undefined],
  ['', undefined],
])('value at %j', (path, value) => {
  expect(valueAt({ a: 1, 'b.c': 2, b: { 'd.e': 3 }, f: [4, 5] }, path)).toBe(value);
});

describe('a mapping on one record', () => {
  const mapping = { ...emptyMapping, prompt: 'p', response: 'r', reward: 's', step: 'n', correct: 'ok' };

  test('that fits', () => {
    const applied = applyMapping({ p: 'q', r: 'a', s: '0.5', n: 3, ok: 'True' }, mapping);
    expect(applied.rollouts).toBe(1);
    expect(applied.fields.map(({ problem }) => problem)).toEqual([null, null, null, null, null]);
  });

  test('that does not', () => {
    const applied = applyMapping({ p: 'q', r: 7, s: 'good', n: 1.5 }, mapping);
    expect(applied.rollouts).toBe('there is no response under "r"');
    expect(applied.fields.map(({ field, problem }) => [field, problem])).toEqual([
      ['prompt', null],
      ['response', 'This is neither text nor a list of messages.'],
      ['reward', 'This is no number.'],
      ['correct', 'Nothing is at “ok” in this record.'],
      ['step', 'This is no whole number.'],
    ]);
  });

  test('with rewards by their names has their sum, and each as a part', () => {
    const { reward } = mappedRollout({
      record: { p: 'x', r: 'a', rewards: { acc: 1, fmt: 0.5, why: 'x' } },
      mapping: { ...emptyMapping, prompt: 'p', response: 'r', reward: 'rewards', correct: 'rewards.acc' },
      place,
      producer: 'p',
    });
    expect(reward).toMatchObject({ total: 1.5, correct: true });
    expect(reward.parts).toEqual([
      { name: 'acc', value: 1 },
      { name: 'fmt', value: 0.5 },
    ]);
  });

  test('of columns gives a rollout a sample', () => {
    const record = { p: ['x', 'y'], r: ['a', 'b'], s: [1, 0], n: [4, 4], ok: [true, false] };
    expect(countMapped(record, mapping)).toBe(2);
    const second = mappedRollout({ record, mapping, place: { ...place, item: 1 }, producer: 'p' });
    expect(second).toMatchObject({
      step: 4,
      question: 'y',
      reward: { total: 0, correct: false, correctSource: 'logged' },
    });
  });

  test('of several responses to one prompt shares what belongs to the prompt', () => {
    const record = { p: 'x', r: ['a', 'b'], s: [1, 0], n: 4, ok: [true, false], t: ['u', 'v'] };
    const both = [0, 1].map((item) =>
      mappedRollout({ record, mapping: { ...mapping, groundTruth: 't' }, place: { ...place, item }, producer: 'p' }),
    );
    expect(both.map(({ reward }) => reward.total)).toEqual([1, 0]);
    expect(both.map(({ groundTruth }) => groundTruth)).toEqual([
      ['u', 'v'],
      ['u', 'v'],
    ]);
    expect(both[0]?.group).toEqual(both[1]?.group);
  });

  test('with tokens gives them to the one turn the model wrote', () => {
    const record = { p: 'x', r: 'ab', t: [7, 8], l: [-1, -2] };
    const { turns, modelTokens } = mappedRollout({
      record,
      mapping: { ...mapping, tokens: 't', logprobs: 'l' },
      place,
      producer: 'p',
    });
    expect(modelTokens).toBe(2);
    expect(turns.at(-1)?.tokenValues).toMatchObject({ ids: [7, 8], texts: null, logprobs: [-1, -2] });
  });
});
