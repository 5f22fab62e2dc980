/**
 * How a token's value becomes a strength: 0 (as expected) to 3 by fixed limits, and a height from 0 to 1 for the strip,
 * so that the strip does not rest on colour. Pure. Leaves out colours and drawing.
 */
import { surpriseLimits } from '../../src/protocol/tokens.ts';

/** What the heat shows. */
export type Measure = 'logprob' | 'entropy' | 'rank';

/** All measures, in the order in which they are offered. */
export const measureNames: readonly Measure[] = ['logprob', 'entropy', 'rank'];

const entropyLimits = [0.5, 1, 2] as const;
const rankLimits = [1, 5, 20] as const;

/** Values of one token; NaN where not scored. Natural logarithms. */
export interface TokenValue {
  readonly logprob: number;
  readonly entropy: number;
  readonly rank: number;
}

/** 0 for as expected or not scored, 3 for the strongest. */
export function heatLevel(measure: Measure, value: TokenValue): number {
  const own = value[measure];
  if (Number.isNaN(own)) return 0;
  switch (measure) {
    case 'logprob':
      return surpriseLimits.filter((limit) => own < limit).length;
    case 'entropy':
      return entropyLimits.filter((limit) => own > limit).length;
    case 'rank':
      return rankLimits.filter((limit) => own > limit).length;
  }
}

/** 0 to 1: 5 nats of surprise, 4 nats of entropy, or rank 100 and more fill the strip. */
export function heatHeight(measure: Measure, value: TokenValue): number {
  const own = value[measure];
  if (Number.isNaN(own)) return 0;
  const share = { logprob: -own / 5, entropy: own / 4, rank: Math.log(Math.max(1, own)) / Math.log(100) }[measure];
  return Math.max(0, Math.min(1, share));
}

/** One column of the strip: the strongest of the tokens that share it. */
export interface HeatColumn {
  readonly level: number;
  readonly height: number;
  readonly scored: boolean;
}

/** The columns of a strip of so many pixels: never more than there are pixels, whatever the tokens. */
export function heatColumns(measure: Measure, values: readonly TokenValue[], pixels: number): readonly HeatColumn[] {
  const count = Math.max(0, Math.min(Math.floor(pixels), values.length));
  return Array.from({ length: count }, (_, column) => {
    const from = Math.floor((column * values.length) / count);
    const to = Math.max(from + 1, Math.floor(((column + 1) * values.length) / count));
    let [level, height, scored] = [0, 0, false];
    for (const value of values.slice(from, to)) {
      level = Math.max(level, heatLevel(measure, value));
      height = Math.max(height, heatHeight(measure, value));
      scored ||= !Number.isNaN(value.logprob);
    }
    return { level, height, scored };
  });
}
