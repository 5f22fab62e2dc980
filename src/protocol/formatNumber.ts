/**
 * Numbers in the words of the transcript and the charts, on base/numberText.ts, so that one number looks the same in
 * every view. Adds what only rewards and sentences need: a decimal that is always there, a noun behind a count.
 * Leaves out locales: the texts around the numbers are English until they are translated.
 */
import {
  countText,
  durationText,
  notKnown,
  numberText,
  percentText,
  signedText,
  sizeText,
} from '../base/numberText.ts';

/** What stands where a number is not known. */
export const unknownNumber = notKnown;

/** Three significant digits without trailing zeros: "0.613", "1", "−2.5", "12,300"; "?" for null and NaN. */
export const formatNumber = numberText;

/** An advantage: signed, "+0.86", "−0.70"; exactly zero is "0", so that it is told from 0.001. */
export const formatAdvantage = signedText;

/** A whole number with thousands separators: "1,234,567". */
export const formatCount = countText;

/** A share as a percentage: 0.74 → "74 %"; "?" for null and NaN. */
export const formatShare = percentText;

/** A duration in milliseconds: "35 ms", "0.61 s", "4 min", "1.5 h"; "?" for null and NaN. */
export const formatDuration = durationText;

/** A size in bytes, decimal units: "640 B", "1.2 MB". */
export const formatBytes = sizeText;

/** A reward: as formatNumber with at least one decimal, "1.0", "0.9", "−0.25". */
export function formatReward(value: number | null): string {
  const text = numberText(value);
  return /^−?\d{1,2}$/.test(text) ? `${text}.0` : text;
}

/** "1 call", "2 calls": a count with the noun that fits it. */
export function formatPlural(count: number, singular: string, plural = `${singular}s`): string {
  return `${countText(count)} ${count === 1 ? singular : plural}`;
}
