/** Numbers as people read them: tables of value and text. */
import { describe, expect, it } from 'vitest';
import {
  countText,
  durationText,
  numberText,
  percentText,
  signedText,
  sizeText,
} from '../../../src/base/numberText.ts';

const cases: readonly (readonly [string, (value: number) => string, readonly (readonly [number, string])[]])[] = [
  [
    'numberText',
    numberText,
    [
      [0, '0'],
      [-0, '0'],
      [1, '1'],
      [0.8999999761581421, '0.9'],
      [0.90549, '0.905'],
      [12.345, '12.3'],
      [1234.5, '1,230'],
      [999.6, '1,000'],
      [-0.7, '−0.7'],
      [0.000123456, '0.000123'],
      [1e15, '1,000,000,000,000,000'],
      [Number.NaN, '?'],
      [Number.NEGATIVE_INFINITY, '−∞'],
    ],
  ],
  [
    'signedText',
    signedText,
    [
      [0, '0'],
      [0.86, '+0.86'],
      [-0.7, '−0.70'],
      [1.908, '+1.91'],
      [-1.084, '−1.08'],
      [12.34, '+12.3'],
      [0.004, '+0.004'],
      [-0.0049, '−0.0049'],
      [Number.NaN, '?'],
    ],
  ],
  [
    'countText',
    countText,
    [
      [0, '0'],
      [999, '999'],
      [15360, '15,360'],
      [1234567, '1,234,567'],
      [-12000, '−12,000'],
    ],
  ],
  [
    'percentText',
    percentText,
    [
      [0, '0 %'],
      [1, '100 %'],
      [0.98, '98 %'],
      [0.7449, '74 %'],
      [0.999, '99.9 %'],
      [0.99999, '99.9 %'],
      [0.0025, '0.25 %'],
      [Number.NaN, '?'],
    ],
  ],
  [
    'sizeText',
    sizeText,
    [
      [0, '0 B'],
      [812, '812 B'],
      [4_100_000, '4.1 MB'],
      [999_600, '1 MB'],
      [6e9, '6 GB'],
    ],
  ],
  [
    'durationText',
    durationText,
    [
      [0, '0 ms'],
      [85, '85 ms'],
      [610, '0.61 s'],
      [12_345, '12.3 s'],
      [240_000, '4 min'],
      [9_000_000, '2.5 h'],
    ],
  ],
];

describe.each(cases)('%s', (_, text, table) => {
  it.each(table)('%d → %s', (value, expected) => {
    expect(text(value)).toBe(expected);
  });
});

it('says "?" where nothing is known', () => {
  expect([numberText(null), signedText(null), countText(null), percentText(null), durationText(null)]).toEqual(
    Array(5).fill('?'),
  );
});
