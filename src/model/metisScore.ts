/**
 * Splits the one number a Metis dump calls `score` into its two judgements (hdpo.md section 1, formats.md 1.2).
 * Owned by model/ because readers decode it and analysis explains it; leaves out every other trainer's reward.
 */

/** How far a dumped score may lie from 1, 0.9, 0.1 or 0: float32 writes 0.8999999761581421. */
export const SCORE_TOLERANCE = 1e-4;

/** The two judgements inside a Metis score: r_ans and r_fmt, each 1 (passed) or 0. */
export interface MetisScore {
  readonly answer: 0 | 1;
  readonly format: 0 | 1;
}

const decodings: readonly (readonly [score: number, parts: MetisScore])[] = [
  [1, { answer: 1, format: 1 }],
  [0.9, { answer: 1, format: 0 }],
  [0.1, { answer: 0, format: 1 }],
  [0, { answer: 0, format: 0 }],
];

/**
 * 1.0 → both, 0.9 → answer, 0.1 → format, 0 → none, tolerance 1e-4; null for any other number, NaN included.
 * Not for validation dumps, where score = accuracy and the format is unknown. Source: Metis reward manager.
 */
export function decodeMetisScore(score: number): MetisScore | null {
  const hit = decodings.find(([value]) => Math.abs(score - value) <= SCORE_TOLERANCE);
  return hit === undefined ? null : hit[1];
}
