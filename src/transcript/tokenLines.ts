/**
 * What a transcript says of the tokens of a turn without any colour: one line of means under the heading, and, where
 * the log has ids but no texts of tokens, the ids themselves below the turn. These lines stand at the left edge, as all
 * text of ours does. Leaves out the values of each token, which the editor asks for when they are looked at.
 */
import { countText } from '../base/numberText.ts';
import type { TokenValues } from '../model/rollout.ts';
import { tokenTexts as texts } from '../protocol/texts.ts';
import { tokenSummary } from '../protocol/tokens.ts';
import type { Block } from './block.ts';
import { oneLine } from './visibleText.ts';

/** Ids in one line: about 110 characters. */
const idsInLine = 16;
/** Ids of one turn in the document; more are in the log. */
const mostIds = 2_000;
/** Further arrays in the line of means. */
const mostParts = 8;

/** How many tokens of a turn have something logged; 0 where the log has no token arrays. */
export function tokensOf(values: TokenValues | null): number {
  if (values === null) return 0;
  const { ids, texts: tokens, logprobs, referenceLogprobs, others } = values;
  const arrays = [ids, tokens, logprobs, referenceLogprobs, ...others.map((one) => one.values)];
  return Math.max(0, ...arrays.map((array) => array?.length ?? 0));
}

/** Adds "· tokens: mean log-prob −0.41 · 3 of 120 tokens outside loss mask" where there is something to say. */
export function addTokenSummary(block: Block, values: TokenValues | null): void {
  if (values === null) return;
  const others = values.others.slice(0, mostParts).map((one) => ({ ...one, name: oneLine(one.name, 40) }));
  const parts = tokenSummary({ ...values, others });
  if (parts.length > 0) block.lines.push(texts.summary(parts));
}

/** Adds the ids of a turn whose tokens have no texts. */
export function addTokenIds(block: Block, values: TokenValues | null, turn: number): void {
  const ids = values?.texts ? null : (values?.ids ?? null);
  if (ids === null || ids.length === 0) return;
  const line = block.lines.length;
  const shown = Math.min(mostIds, ids.length);
  block.lines.push(texts.ids(countText(shown), shown === ids.length ? null : countText(ids.length)));
  for (let first = 0; first < shown; first += idsInLine) {
    block.lines.push(`    ${ids.slice(first, Math.min(shown, first + idsInLine)).join(' ')}`);
  }
  block.marks.push({ kind: 'ids', line, count: block.lines.length - line, turn });
}
