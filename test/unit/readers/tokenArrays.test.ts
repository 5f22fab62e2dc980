// Per-token arrays of foreign logs: aligned by the mask, dropped where they do not fit, one number where one is asked.
import { expect, test } from 'vitest';
import { numbersOf, scalarOf, tokenValuesOf } from '../../../src/readers/tokenArrays.ts';

test('values of the tokens that count are put where the mask is set', () => {
  const values = tokenValuesOf({
    ids: [1, 2, 3],
    mask: [false, true, true],
    logprobs: [-0.5, null],
    referenceLogprobs: [-1, -2, -3],
    others: { advantages: [0.5, 0.5], 'loss mask': [false, true, true], words: ['a', 'b', 'c'], long: [1, 2, 3, 4] },
  });
  expect(values).toEqual({
    ids: [1, 2, 3],
    texts: null,
    logprobs: [Number.NaN, -0.5, Number.NaN],
    referenceLogprobs: [-1, -2, -3],
    others: [
      { name: 'advantages', values: [Number.NaN, 0.5, 0.5] },
      { name: 'loss mask', values: [0, 1, 1] },
    ],
  });
});

test.each([undefined, null, [], 'x', 7, ['a'], {}])('%j is no array of numbers', (value) => {
  expect(numbersOf(value)).toBeNull();
});

test('nothing logged is null', () => {
  expect(tokenValuesOf({})).toBeNull();
  expect(tokenValuesOf({ ids: [], logprobs: null })).toBeNull();
});

test.each([
  [[0.3, 0.3, 0.3], 0.3],
  [[0, 1], 0.5],
  [[Number.NaN, 2], 2],
  [[Number.NaN], null],
  [[], null],
])('one number for %j', (values, expected) => {
  expect(scalarOf(values)).toBe(expected);
});
