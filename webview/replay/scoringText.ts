/**
 * What is said of an episode's tokens: where they come from, how sure their boundaries are, how many are scored, and what
 * did not fit into the model's context; for a turn, whether it lies beyond. Pure. Leaves out the values themselves.
 */
import { playerTexts as texts } from '../../src/protocol/playerTexts.ts';
import { replayTexts } from '../../src/protocol/replayTexts.ts';
import type { EpisodeTokens } from './episodeTokens.ts';

/** Lines of one model's tokens; `whole` once they have all been scored. */
export function scoringText(tokens: EpisodeTokens, whole: boolean): string {
  const { facts, wanted, done } = tokens;
  // The share is said once, with what it means.
  const told = replayTexts.misaligned(facts.misaligned);
  return [
    texts.sourceOf(facts.source, facts.misaligned),
    ...(whole ? [] : [texts.scoring(done, wanted)]),
    ...(whole && wanted === 0 ? [texts.nothingScored] : []),
    ...facts.notes.filter((note) => note !== told),
  ].join(' ');
}

/** Why a turn is not scored, or not all of it; '' where it is. */
export function beyondText(tokens: EpisodeTokens | null, turn: number): string {
  if (tokens === null || tokens.facts.left === 0) return '';
  const { total } = tokens.facts;
  if (isBeyond(tokens, turn)) return texts.beyondContext(total);
  return tokens.ofTurn(turn).at(-1) === total - 1 ? texts.partlyBeyond(total) : '';
}

/** True where a turn lies beyond the model's context as a whole: it has no token there, and others have. */
export function isBeyond(tokens: EpisodeTokens | null, turn: number): boolean {
  if (tokens === null || tokens.facts.left === 0 || tokens.count < tokens.facts.total) return false;
  return tokens.ofTurn(turn).length === 0;
}
