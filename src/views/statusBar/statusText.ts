/**
 * The text of the status bar's one item: "A_tool −0.70 · T 2", at most 20 characters. Pure.
 * Leaves out when it is shown (activateStatusBar.ts).
 */
import { countText, signedText } from '../../base/numberText.ts';
import type { RolloutRow } from '../../protocol/engine.ts';

const mostCharacters = 20;

/** The item's text for the open rollout; without an efficiency advantage only T is shown. */
export function statusText({ toolAdvantage, calls }: Pick<RolloutRow, 'toolAdvantage' | 'calls'>): string {
  const count = `T ${countText(calls)}`;
  const both = `A_tool ${signedText(toolAdvantage)} · ${count}`;
  return toolAdvantage === null || both.length > mostCharacters ? count.slice(0, mostCharacters) : both;
}
