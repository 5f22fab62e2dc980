/**
 * How often guessing is right: for questions that list lettered options, 1 / their number. Shown beside shares of right
 * siblings, since two of three right on a choice of two say little. Source: hdpo.md section 3, rule `sibling`.
 */
import type { Rollout } from '../../model/rollout.ts';

const option = /(?:^|[\n(\s])\(?([A-J])[).:]\s/gu;

/** Chance of guessing right, 0 to 1; null where the question lists no options A, B, … in order. */
export function chanceLevel({ turns }: Rollout): number | null {
  const asked =
    turns.findLast(({ prompt, role }) => prompt && role === 'user') ?? turns.find(({ role }) => role === 'user');
  if (!asked) return null;
  const text = asked.parts.map((part) => ('text' in part ? part.text : '')).join('\n');
  let options = 0;
  for (const match of text.matchAll(option)) {
    // In order: a stray "A." after the list is no further option.
    if (match[1]?.charCodeAt(0) === 0x41 + options) options += 1;
  }
  return options >= 2 ? 1 / options : null;
}
