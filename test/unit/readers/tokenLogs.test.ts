// What the readers of token logs share: stretches of a mask, advantages a token, roles that a log left out.
import { describe, expect, test } from 'vitest';
import { atroposRollout } from '../../../src/readers/atropos.ts';
import { type NemoRole, nemoRoles } from '../../../src/readers/nemoRoles.ts';
import { advantageOfTokens, maskedRanges, rangesOfMessages, tokenValuesOf } from '../../../src/readers/tokenValues.ts';

/** "..##." as a mask. */
const mask = (text: string): boolean[] => [...text].map((letter) => letter === '#');

describe('stretches of a mask', () => {
  test.each([
    { of: '', ranges: [] },
    { of: '...', ranges: [] },
    { of: '###', ranges: ['0-3'] },
    { of: '.##.#', ranges: ['1-3', '4-5'] },
    { of: '#..##.', ranges: ['0-1', '3-5'] },
  ])('$of has $ranges', ({ of, ranges }) => {
    expect(maskedRanges(mask(of)).map(({ first, end }) => `${first}-${end}`)).toEqual(ranges);
  });
});

describe('whose tokens are whose', () => {
  test.each([
    { called: 'a question and its answer', who: 'up', of: '...##', ranges: ['0-3', '3-5'] },
    {
      called: 'a system prompt shares the stretch of the question',
      who: 'sup',
      of: '...##',
      ranges: [null, '0-3', '3-5'],
    },
    { called: 'two answers and what came between', who: 'upep', of: '..#.##', ranges: ['0-2', '2-3', '3-4', '4-6'] },
    { called: 'a last word of the environment', who: 'upe', of: '..##..', ranges: ['0-2', '2-4', '4-6'] },
    { called: 'an answer without a question', who: 'p', of: '##', ranges: ['0-2'] },
    { called: 'more answers than stretches', who: 'upp', of: '..##', ranges: [null, null, '0-4'] },
    { called: 'more stretches than answers', who: 'up', of: '.#.#', ranges: [null, '0-4'] },
    { called: 'no answer at all', who: 'u', of: '..#', ranges: ['0-3'] },
    { called: 'no tokens', who: 'up', of: '', ranges: [null, null] },
    { called: 'no messages', who: '', of: '.#', ranges: [] },
  ])('$called', ({ who, of, ranges }) => {
    const isPolicy = [...who].map((letter) => letter === 'p');
    const found = rangesOfMessages(isPolicy, mask(of)).map((range) => range && `${range.first}-${range.end}`);
    expect(found).toEqual(ranges);
  });
});

describe('roles that NeMo RL does not log', () => {
  const letters: Readonly<Record<NemoRole, string>> = { system: 's', user: 'u', assistant: 'p', environment: 'e' };

  test.each([
    { texts: 2, of: '..##', roles: 'up' },
    { texts: 3, of: '..##', roles: 'sup' },
    { texts: 3, of: '..##.', roles: 'upe' },
    { texts: 4, of: '..##.', roles: 'supe' },
    { texts: 4, of: '..#.#', roles: 'upep' },
    { texts: 5, of: '..#.#', roles: 'supep' },
    { texts: 5, of: '..#.#.', roles: 'upepe' },
    { texts: 6, of: '..##', roles: 'suuuup' },
    { texts: 2, of: '..', roles: 'up' },
    { texts: 2, of: '#.#.#', roles: 'up' },
    { texts: 1, of: '..##', roles: 'u' },
  ])('$texts texts with the mask $of are $roles', ({ texts, of, roles }) => {
    const list = Array.from({ length: texts }, (_, index) => `text ${index}`);
    expect(
      nemoRoles(list, mask(of))
        .map((role) => letters[role])
        .join(''),
    ).toBe(roles);
  });

  test.each([
    { texts: ['q'], roles: 'u' },
    { texts: ['q', 'a'], roles: 'up' },
    { texts: ['s', 'q', 'a'], roles: 'sup' },
    { texts: ['q', 'a', 'Environment: correct'], roles: 'upe' },
    { texts: ['q', 'a', '<tool_response>1</tool_response>'], roles: 'upe' },
    { texts: ['q', 'a', 'b', 'c'], roles: 'upep' },
  ])('$texts without a mask are $roles', ({ texts, roles }) => {
    expect(
      nemoRoles(texts, null)
        .map((role) => letters[role])
        .join(''),
    ).toBe(roles);
  });
});

describe('advantages a token', () => {
  test.each([
    { values: [], of: null, advantage: null, isConstant: true },
    { values: [NaN, NaN], of: null, advantage: null, isConstant: true },
    { values: [0.1, 0.1, 0.1], of: null, advantage: 0.1, isConstant: true },
    { values: [0, 0.9, 0.9], of: '.##', advantage: 0.9, isConstant: true },
    { values: [0, 1, 2], of: '.##', advantage: 1.5, isConstant: false },
    { values: [5, NaN, 5], of: null, advantage: 5, isConstant: true },
    { values: [1e308, 1.5e308], of: null, advantage: null, isConstant: false },
  ])('$values with the mask $of', ({ values, of, advantage, isConstant }) => {
    expect(advantageOfTokens(values, of === null ? null : mask(of))).toEqual({ advantage, isConstant });
  });
});

describe('arrays of one length', () => {
  test('those of another length are left out, missing items are NaN', () => {
    const found = tokenValuesOf({
      texts: ['a', null, 3],
      logprobs: [-1, null, '-0.5'],
      referenceLogprobs: [-1],
      others: [
        { name: 'values', values: [1, 2, 3] },
        { name: 'token_rewards', values: [1, 2] },
        { name: 'entropy', values: undefined },
      ],
    });
    expect(found).toEqual({
      ids: null,
      texts: ['a', '', '3'],
      logprobs: [-1, NaN, -0.5],
      referenceLogprobs: null,
      others: [{ name: 'values', values: [1, 2, 3] }],
    });
  });

  test('without ids, texts and log-probs there are no tokens', () => {
    expect(tokenValuesOf({ ids: [], texts: 'abc', others: [{ name: 'values', values: [1] }] })).toBeNull();
  });
});

test('Atropos: what it fills in for a log-prob is none, whether the token is trained or not', () => {
  const group = {
    tokens: [[1, 2, 3, 4, 5]],
    masks: [[-100, -100, 3, 4, 5]],
    scores: [1],
    inference_logprobs: [[1, 0, -0.5, 1, 0]],
  };
  const { turns } = atroposRollout(group, { row: 0, line: 0, bytes: { first: 0, count: 1 }, item: 0 });
  expect(turns.map(({ tokenValues }) => tokenValues?.logprobs)).toEqual([
    [NaN, NaN],
    [-0.5, NaN, 0],
  ]);
});
