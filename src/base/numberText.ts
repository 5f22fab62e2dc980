/**
 * Numbers as people read them: three significant digits, separators in counts, the minus sign U+2212, humane times and
 * sizes. Owned by everyone who shows a number; plain text only, in the notation of the product's English sentences.
 * Leaves out formulas (protocol/arithmetic.ts).
 */

const minus = '\u2212';

/** What is shown where a number is not known. */
export const notKnown = '?';

/** Three significant digits without an exponent up to 15 digits and without trailing zeros: 0.905, 12.3, 1,230; "?" for null and NaN. */
export function numberText(value: number | null): string {
  if (value === null || Number.isNaN(value)) return notKnown;
  if (!Number.isFinite(value)) return value < 0 ? `${minus}∞` : '∞';
  const rounded = Number(value.toPrecision(3));
  if (rounded === 0) return '0';
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(rounded))));
  const [whole = '0', fraction = ''] = Math.abs(rounded).toFixed(Math.min(digits, 20)).split('.');
  const decimals = fraction.replace(/0+$/, '');
  return `${rounded < 0 ? minus : ''}${separated(whole)}${decimals === '' ? '' : `.${decimals}`}`;
}

/** The same with a sign and two decimals below ten, as advantages are written: +0.86, −0.70, 0 for exactly 0. */
export function signedText(value: number | null): string {
  if (value === null || Number.isNaN(value)) return notKnown;
  if (value === 0) return '0';
  const sign = value < 0 ? minus : '+';
  const size = Math.abs(value);
  return `${sign}${size < 10 && size >= 0.005 ? size.toFixed(2) : numberText(size)}`;
}

/** A reward: as numberText with at least one decimal, "1.0", "0.9", "−0.25". */
export function rewardText(value: number | null): string {
  const text = numberText(value);
  return /^−?\d{1,2}$/.test(text) ? `${text}.0` : text;
}

/** A whole number with separators: 15,360; "?" for null and NaN. */
export function countText(value: number | null): string {
  if (value === null || Number.isNaN(value)) return notKnown;
  return `${value < 0 ? minus : ''}${separated(Math.abs(Math.trunc(value)).toFixed(0))}`;
}

/** "1 call", "2 calls": a count with the noun that fits it. */
export function pluralText(count: number, singular: string, plural = `${singular}s`): string {
  return `${countText(count)} ${count === 1 ? singular : plural}`;
}

/** A share of 0…1 as a percentage: "74 %", "0.25 %", "0 %"; one that is not 1 is never shown as 100 %. */
export function percentText(share: number | null): string {
  if (share === null || Number.isNaN(share)) return notKnown;
  const percent = share * 100;
  const size = Math.abs(percent);
  if (size > 99 && size < 100) return `${percent < 0 ? minus : ''}${(Math.floor(size * 10) / 10).toFixed(1)} %`;
  return `${size >= 1 ? countText(Math.round(percent)) : numberText(percent)} %`;
}

/** A size: "812 B", "4.1 MB"; powers of 1,000. */
export function sizeText(sizeBytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'];
  let value = sizeBytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${numberText(value)} ${units[unit] ?? 'B'}`;
}

/** A time: "85 ms", "0.6 s", "4 min", "2.5 h". */
export function durationText(milliseconds: number | null): string {
  if (milliseconds === null || Number.isNaN(milliseconds)) return notKnown;
  const size = Math.abs(milliseconds);
  if (size < 100) return `${numberText(milliseconds)} ms`;
  if (size < 90_000)
    return `${numberText(Math.round(milliseconds / (size < 10_000 ? 10 : 100)) / (size < 10_000 ? 100 : 10))} s`;
  if (size < 5_400_000) return `${numberText(milliseconds / 60_000)} min`;
  return `${numberText(milliseconds / 3_600_000)} h`;
}

function separated(digits: string): string {
  return digits.replace(/\B(?=(\d{3})+$)/g, ',');
}
