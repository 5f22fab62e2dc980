// The four sums a Metis dump can log, as float32 writes them.
import { expect, it } from 'vitest';
import { decodeMetisScore } from '../../../src/model/metisScore.ts';

const cases: readonly (readonly [number, string | null])[] = [
  [1, '1 1'],
  [0.8999999761581421, '1 0'],
  [0.10000000149011612, '0 1'],
  [0, '0 0'],
  [0.9001, '1 0'],
  [0.95, null],
  [-0.5, null],
  [Number.NaN, null],
];

it.each(cases)('%d is %s', (score, expected) => {
  const parts = decodeMetisScore(score);
  expect(parts === null ? null : `${parts.answer} ${parts.format}`).toBe(expected);
});
