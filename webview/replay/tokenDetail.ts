/**
 * What is said of one token: its text, probability, rank and entropy, logged beside replayed, and the alternatives.
 * Pure: lines of text. Leaves out where they are shown.
 */
import { numberText, signedText } from '../../src/base/numberText.ts';
import { playerTexts as texts, smallNumberText } from '../../src/protocol/playerTexts.ts';
import type { TokenFacts } from './episodeTokens.ts';

/** A token as lines of text; the first names it. */
export interface TokenLines {
  readonly name: string;
  readonly lines: readonly string[];
  readonly alternatives: readonly string[];
}

/** Spaces and line breaks as one can see them. */
export function visibleText(text: string): string {
  return text.replaceAll('\n', '⏎').replaceAll('\t', '⇥').replace(/^ | $/g, '␣');
}

function signedSmall(difference: number): string {
  if (Math.abs(difference) >= 0.001 || difference === 0) return signedText(difference);
  return `${difference > 0 ? '+' : ''}${smallNumberText(difference)}`;
}

/** The lines of a token; `model` names the model that replayed it. */
export function tokenLines(token: TokenFacts, model: string): TokenLines {
  const name = texts.token(visibleText(token.text));
  const logged = Number.isNaN(token.logged) ? null : token.logged;
  if (!token.scored) return { name, lines: [texts.tokenGiven], alternatives: [] };
  if (Number.isNaN(token.logprob)) {
    const known = logged === null ? [] : [texts.tokenLogged(smallNumberText(logged), numberText(null))];
    return { name, lines: [texts.tokenWaiting, ...known], alternatives: [] };
  }
  const lines = [
    texts.tokenScored(
      smallNumberText(Math.exp(token.logprob)),
      Number.isNaN(token.rank) ? numberText(null) : String(token.rank),
      smallNumberText(token.entropy),
    ),
    texts.tokenLogprob(smallNumberText(token.logprob), model),
    logged === null
      ? texts.tokenNotLogged
      : texts.tokenLogged(smallNumberText(logged), signedSmall(token.logprob - logged)),
  ];
  const alternatives = token.alternatives
    .filter(({ id }) => id >= 0)
    .map(({ id, text, logprob }) =>
      texts.alternative(text === null ? texts.unnamed(id) : visibleText(text), smallNumberText(Math.exp(logprob))),
    );
  return { name, lines, alternatives };
}
