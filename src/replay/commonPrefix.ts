/**
 * The longest common prefix of two sequences, texts or ids. Leaves out what is made of it.
 */

/** How many leading elements two sequences share. */
export function longestCommonPrefix<Item>(a: ArrayLike<Item>, b: ArrayLike<Item>): number {
  const limit = Math.min(a.length, b.length);
  let at = 0;
  while (at < limit && a[at] === b[at]) at += 1;
  return at;
}
