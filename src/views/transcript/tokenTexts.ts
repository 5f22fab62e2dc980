/**
 * The words of the token view: what a token's hover lists, and what the list of views says of each. Pure.
 * Leaves out Markdown and where a token stands (tokenView.ts).
 */
import { countText, numberText, signedText } from '../../base/numberText.ts';
import type { Translator } from '../../host/translator.ts';
import { k1, k3, type TokenPage, type TokenScale } from '../../protocol/tokens.ts';

/** What a hover says of one token: a heading, its text (null where the log has none), a line a value. */
export interface TokenHover {
  readonly heading: string;
  readonly text: string | null;
  readonly values: readonly string[];
}

/** Everything that is logged of token `index` of a turn. */
export function tokenHover(
  page: TokenPage,
  index: number,
  { l10n, text }: { readonly l10n: Translator; readonly text: string | null },
): TokenHover {
  const id = page.ids?.[index];
  const heading = [
    l10n.t('token {0} of {1}', countText(index + 1), countText(page.total)),
    id === undefined || Number.isNaN(id) ? '' : l10n.t('id {0}', id),
  ];
  const values: string[] = [];
  const logprob = page.logprobs?.[index] ?? null;
  const reference = page.referenceLogprobs?.[index] ?? null;
  if (logprob !== null) values.push(logprobLine(l10n.t('log-prob'), logprob));
  if (reference !== null) values.push(logprobLine(l10n.t('reference log-prob'), reference));
  if (logprob !== null && reference !== null) {
    const [first, third] = [signedText(k1(logprob, reference)), numberText(k3(logprob, reference))];
    values.push(l10n.t('KL to the reference: k1 {0}, k3 {1}', first, third));
  }
  for (const { name, values: column } of page.others) {
    const value = column[index] ?? Number.NaN;
    values.push(`${name} ${/advantage/iu.test(name) ? signedText(value) : numberText(value)}`);
  }
  return { heading: heading.filter((part) => part !== '').join(' · '), text, values };
}

function logprobLine(name: string, value: number): string {
  return `${name} ${numberText(value)} (p ${numberText(Math.exp(value))})`;
}

/** What the strengths of a view mean. */
export function scaleText(scale: TokenScale, l10n: Translator): string {
  switch (scale) {
    case 'surprise':
      return l10n.t('line above: probability below 0.9 (dotted), 0.5 (dashed), 0.1 (solid)');
    case 'kl':
      return l10n.t('size above 0.1 (dotted), 0.5 (dashed), 1 (solid); line above where negative, else below');
    case 'relative':
      return l10n.t('by size within the turn, in three strengths; line above where negative, else below');
    case 'mask':
      return l10n.t('tokens outside the mask in italics with a dotted line');
  }
}
