/**
 * The lines of the chart "Redundant calls by rule and tool", and its sentence. Pure, without a page.
 * Leaves out asking for the curves and drawing them (redundancyChart.ts).
 */
import { percentText } from '../../src/base/numberText.ts';
import type { RedundancyCurves } from '../../src/protocol/flags.ts';
import { redundancyText } from '../../src/protocol/texts.ts';
import { endsOf, pointsText } from './redundancyDrop.ts';

/** Lines of one plot: more cannot be told apart. */
const mostLines = 8;

/** A line: what it is called, and its share by step (NaN = no call). */
export interface NamedShare {
  readonly name: string;
  readonly share: Float64Array;
}

/** A line a rule. */
export function byRule(curves: RedundancyCurves): readonly NamedShare[] {
  return curves.byRule.map(({ rule, share }) => ({ name: redundancyText([rule]), share }));
}

/** A line a tool. */
export function byTool(curves: RedundancyCurves): readonly NamedShare[] {
  return curves.byTool.map(({ tool, share }) => ({ name: tool ?? '(no tool named)', share }));
}

/** The lines with the largest sums, at most eight; those that are always zero are left out. */
export function largest(all: readonly NamedShare[]): readonly NamedShare[] {
  const sum = (share: Float64Array): number => share.reduce((total, value) => total + (value > 0 ? value : 0), 0);
  return all
    .map((one) => ({ one, total: sum(one.share) }))
    .filter(({ total }) => total > 0)
    .sort((a, b) => b.total - a.total || (a.one.name < b.one.name ? -1 : 1))
    .slice(0, mostLines)
    .map(({ one }) => one);
}

/** "hdpo: repeats an earlier call 31 % → 2 % (down 29 points), python 40 % → 3 % (down 37 points)." */
export function dropSentence(name: string, curves: RedundancyCurves): string {
  const [rule, tool] = [byRule(curves), byTool(curves)].map((all) => largest(all)[0]);
  const parts = [rule, tool].flatMap((one) => {
    const ends = one ? endsOf(one.share) : null;
    if (!one || ends === null) return [];
    return [
      `${one.name} ${percentText(ends.first)}${ends.known > 1 ? ` → ${percentText(ends.last)}${pointsText(ends)}` : ''}`,
    ];
  });
  return parts.length === 0
    ? `${name}: no call is flagged.`
    : `${name}, the most frequent rule and tool: ${parts.join('; ')}.`;
}
