/** Intervals of shares against published values. */
import { describe, expect, it } from 'vitest';
import { newcombeInterval, wilsonInterval } from '../../../src/analysis/intervals.ts';

describe('the Wilson interval', () => {
  // R. G. Newcombe, Statistics in Medicine 17 (1998), 857–872, table I, method 3.
  it.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])('of %i of %i', (hits, count, low, high) => {
    const found = wilsonInterval(hits, count);
    expect(found?.low).toBeCloseTo(low, 4);
    expect(found?.high).toBeCloseTo(high, 4);
  });
});

describe('the Newcombe interval of a difference', () => {
  // R. G. Newcombe, Statistics in Medicine 17 (1998), 873–890, table II, method 10.
  it.each([
    ['a', 56, 70, 48, 80, 0.0524, 0.3339],
    ['b', 9, 10, 3, 10, 0.1705, 0.809],
    ['c', 6, 7, 2, 7, 0.0582, 0.8062],
    ['d', 5, 56, 0, 29, -0.0381, 0.1926],
    ['e', 0, 10, 0, 20, -0.1611, 0.2775],
    ['f', 0, 10, 0, 10, -0.2775, 0.2775],
    ['g', 10, 10, 0, 20, 0.6791, 1],
    ['h', 10, 10, 0, 10, 0.6075, 1],
  ])('(%s) %i of %i less %i of %i', (_, hitsA, countA, hitsB, countB, low, high) => {
    const found = newcombeInterval({ hits: hitsA, count: countA }, { hits: hitsB, count: countB });
    expect(found?.value).toBeCloseTo(hitsA / countA - hitsB / countB, 12);
    expect(found?.low).toBeCloseTo(low, 4);
    expect(found?.high).toBeCloseTo(high, 4);
  });
  it('is none where one of them was counted on nothing', () => {
    expect(newcombeInterval({ hits: 0, count: 0 }, { hits: 1, count: 2 })).toBeNull();
  });
});
