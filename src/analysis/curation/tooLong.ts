/**
 * Filter `too-long`: a prompt longer than the configured context, in logged tokens, else in characters / 4, labelled so.
 * Off in effect while no context is set. Source: issue of the Curate view.
 */
import { countText, pluralText } from '../../base/numberText.ts';
import { decideEach, drop, keep, total, type Filter } from './filter.ts';

/** Drops prompts that do not fit. */
export const tooLong: Filter<'too-long'> = {
  id: 'too-long',
  comparesRows: false,
  decide: ({ prompts }, { contextTokens }) =>
    decideEach(prompts.count, (row) =>
      contextTokens !== null && (prompts.tokens[row] ?? 0) > contextTokens ? drop : keep,
    ),
  coverage: ({ prompts }, { contextTokens }) => {
    if (contextTokens === null) return 'no context length is set';
    const estimated = prompts.count - total(prompts.tokensLogged);
    const how =
      estimated === 0 ? 'logged tokens' : `of ${pluralText(estimated, 'prompt')} tokens are not logged: characters / 4`;
    return `prompts of more than ${countText(contextTokens)} tokens; ${how}`;
  },
  reason: ({ prompts }, { contextTokens }, { row }) => {
    const tokens = Math.ceil(prompts.tokens[row] ?? 0);
    const logged = prompts.tokensLogged[row] === 1;
    return {
      reason: `The prompt has ${logged ? '' : 'about '}${pluralText(tokens, 'token')}${logged ? '' : ' (characters / 4)'}; the context holds ${countText(contextTokens)}.`,
      evidence: [{ name: logged ? 'tokens' : 'tokens_estimated', value: tokens }],
    };
  },
};
