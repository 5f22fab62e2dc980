/** pass@k against counting every choice of k samples, and guessing. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { guessingPass, passAtK } from '../../../../src/analysis/curation/passAtK.ts';

/** Share of all choices of k of n samples that hold a right one, counted one by one. */
function counted(n: number, c: number, k: number): number {
  let all = 0;
  let passed = 0;
  for (let bits = 0; bits < 2 ** n; bits += 1) {
    const chosen = Array.from({ length: n }, (_, i) => i).filter((i) => (bits & (1 << i)) > 0);
    if (chosen.length !== k) continue;
    all += 1;
    if (chosen.some((i) => i < c)) passed += 1;
  }
  return passed / all;
}

it('is what counting all choices gives', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10 }), fc.nat(10), fc.integer({ min: 1, max: 10 }), (n, c, k) => {
      fc.pre(c <= n && k <= n);
      expect(passAtK(n, c, k)).toBeCloseTo(counted(n, c, k), 10);
    }),
  );
});

it('says nothing of too few samples, and does not overflow', () => {
  expect(passAtK(7, 7, 8)).toBeNull();
  expect(passAtK(8, 0, 8)).toBe(0);
  expect(passAtK(8, 1, 8)).toBe(1);
  expect(passAtK(16, 1, 8)).toBeCloseTo(0.5, 12);
  expect(passAtK(100_000, 3, 8)).toBeCloseTo(1 - (1 - 3 / 100_000) ** 8, 6);
});

it('of guessing among four is 90 %', () => {
  expect(guessingPass(0.25, 8)).toBeCloseTo(0.8999, 4);
});
