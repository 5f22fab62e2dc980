/**
 * The log-prob of a token at another temperature, from what is known at temperature 1 of it and of the most probable
 * tokens: exact but for the tail, whose mass bounds the error. For servers, which tell no more; a local model's scoring
 * head sums over the whole vocabulary. Pure.
 */

/** What is known of one place; log-probs at temperature 1. */
export interface KnownPlace {
  readonly own: number;
  /** Of the most probable tokens, the own one among them where it is one. */
  readonly most: readonly number[];
  readonly vocabularySize: number;
}

/** A value whose error may be larger is not given, in nats. */
const mostError = 2e-4;

/** log p at the temperature; NaN where the tail leaves it open. */
export function temperedLogprob({ own, most, vocabularySize }: KnownPlace, temperature: number): number {
  const scale = 1 / temperature;
  const seen = most.includes(own) ? most : [...most, own];
  const mass = seen.reduce((sum, value) => sum + Math.exp(value), 0);
  const scaled = seen.reduce((sum, value) => sum + Math.exp(value * scale), 0);
  const tail = Math.max(0, 1 - mass);
  const least = Math.min(...most);
  const bend = Math.exp(least * (scale - 1));
  // Each unseen token has at most the least seen probability p; Σ pᵃ is largest where they are as even as that allows.
  const unseen = Math.max(1, vocabularySize - seen.length);
  const [low, high] = scale >= 1 ? [0, tail * bend] : [tail * bend, unseen ** (1 - scale) * tail ** scale];
  const bottom = Math.log(scaled + low);
  const top = Math.log(scaled + high);
  return (top - bottom) / 2 > mostError ? Number.NaN : own * scale - (top + bottom) / 2;
}
