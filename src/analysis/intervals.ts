// Intervals of shares: how far a share may be off when it was counted on few. Used wherever a rate of a handful of rollouts
// is claimed (rule `sibling`, verdicts of a user), so that 2 of 2 does not look like certainty.
// Left out: bootstraps over groups.

/** z of a two-sided 95 % interval. */
const z95 = 1.959963984540054;

/** A share with its interval, all three 0 to 1. */
export interface Share {
  readonly share: number;
  readonly low: number;
  readonly high: number;
}

/**
 * The 95 % Wilson score interval of `hits` of `count`; null where nothing was counted. Unlike the normal interval it
 * stays inside 0 to 1 and is honest at 0 of n and n of n. Source: E. B. Wilson, JASA 22 (1927), 209–212.
 */
export function wilsonInterval(hits: number, count: number): Share | null {
  if (count <= 0) return null;
  const share = hits / count;
  const scale = 1 + z95 ** 2 / count;
  const centre = (share + z95 ** 2 / (2 * count)) / scale;
  const half = (z95 / scale) * Math.sqrt((share * (1 - share)) / count + z95 ** 2 / (4 * count ** 2));
  return { share, low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}

/** The difference of two shares with its interval, −1 to 1. */
export interface ShareDifference {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/**
 * The 95 % interval of the difference of two independent shares, `a` − `b`, from their Wilson limits; null where one of
 * them was counted on nothing. Source: R. G. Newcombe, Statistics in Medicine 17 (1998), 873–890, method 10.
 */
export function newcombeInterval(a: Counted, b: Counted): ShareDifference | null {
  const first = wilsonInterval(a.hits, a.count);
  const second = wilsonInterval(b.hits, b.count);
  if (first === null || second === null) return null;
  const value = first.share - second.share;
  const below = Math.hypot(first.share - first.low, second.high - second.share);
  const above = Math.hypot(first.high - first.share, second.share - second.low);
  return { value, low: Math.max(-1, value - below), high: Math.min(1, value + above) };
}

/** How often something was seen in how many. */
export interface Counted {
  readonly hits: number;
  readonly count: number;
}
