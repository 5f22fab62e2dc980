// Group ordinals and member lists: every rollout in exactly one group, in the order of the batch.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { denseGroups, denseOrdinals, indexGroups, membersOf, mode } from '../../../src/analysis/groups.ts';

describe('denseOrdinals and denseGroups', () => {
  it('counts in order of first appearance', () => {
    expect(denseOrdinals(['b', 'a', 'b', 'c'])).toEqual({ ordinal: Uint32Array.of(0, 1, 0, 2), count: 3 });
    expect(denseOrdinals([Number.NaN, 1, Number.NaN])).toEqual({ ordinal: Uint32Array.of(0, 1, 0), count: 2 });
  });

  it('parts one prompt by step', () => {
    expect(denseGroups([1, 1, 2, 2], [7, 9, 7, 7])).toEqual({ ordinal: Uint32Array.of(0, 1, 2, 2), count: 3 });
    expect(() => denseGroups([1], [1, 2])).toThrow(RangeError);
  });

  it('joins two rollouts exactly when step and key are equal', () => {
    const column = fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.constantFrom('a', 'b', 'c')), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(column, (pairs) => {
        const { ordinal } = denseGroups(
          pairs.map(([step]) => step),
          pairs.map(([, key]) => key),
        );
        pairs.forEach(([step, key], i) => {
          pairs.forEach(([otherStep, otherKey], j) => {
            expect(ordinal[i] === ordinal[j]).toBe(step === otherStep && key === otherKey);
          });
        });
      }),
    );
  });
});

describe('indexGroups', () => {
  it('lists each rollout once, in the order of the batch', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 6 }), { maxLength: 50 }), (keys) => {
        const { ordinal, count } = denseOrdinals(keys);
        const index = indexGroups(ordinal);
        for (let g = 0; g < count; g += 1) {
          const expected = keys.flatMap((_, i) => (ordinal[i] === g ? [i] : []));
          expect([...membersOf(index, g)]).toEqual(expected);
        }
        expect(index.rollouts.length).toBe(keys.length);
      }),
    );
  });

  it('refuses ordinals that cannot be dense', () => {
    expect(() => indexGroups(Uint32Array.of(0, 2))).toThrow(RangeError);
    expect(indexGroups(new Uint32Array(0)).first).toEqual(Uint32Array.of(0));
  });
});

describe('mode', () => {
  it.each([
    [[], null],
    [[16, 16, 32], 16],
    [[8, 16], 16],
    [[16, 8, 8, 16, 4], 16],
  ])('%j', (values, expected) => {
    expect(mode(values)).toBe(expected);
  });
});
