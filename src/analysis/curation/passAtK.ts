/**
 * pass@k: how likely at least one of k samples is right, estimated from n of which c were right. Pure arithmetic.
 * Source: Chen et al. 2021 (arXiv 2107.03374), the unbiased estimator. Leaves out where samples come from.
 */

/**
 * 1 − C(n−c, k) / C(n, k), 0 to 1; null where n < k (nothing can be said without pretending samples were drawn again).
 * Worked out as a product, so that large n does not overflow.
 */
export function passAtK(n: number, c: number, k: number): number | null {
  if (k < 1 || n < k || c < 0 || c > n) return null;
  if (n - c < k) return 1;
  let allWrong = 1;
  for (let i = n - c + 1; i <= n; i += 1) allWrong *= 1 - k / i;
  return 1 - allWrong;
}

/** How often k guesses among equally likely options hit at least once: 4 options and k = 8 give 0.90. */
export function guessingPass(chance: number, k: number): number {
  return 1 - (1 - chance) ** k;
}
