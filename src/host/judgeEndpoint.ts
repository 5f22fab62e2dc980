/**
 * What an endpoint's failures are called in the window, in the user's language.
 * Leaves out asking (protocol/judgeEndpoint.ts), asking again (the engine) and the key (endpointKey.ts).
 */
import type { JudgeSentences } from '../protocol/judgeEndpoint.ts';
import type { Translator } from './translator.ts';

/** The sentences of a window. */
export function judgeSentences(l10n: Translator): JudgeSentences {
  const unreadable = (what: string): string => l10n.t('The judge cannot be read: {0}.', what);
  return {
    late: (address, seconds) => l10n.t('{0} did not answer within {1} s.', address, seconds),
    unreachable: (address, reason) => l10n.t('{0} cannot be reached ({1}).', address, reason),
    refusesKey: (address, said) => l10n.t('{0} refuses the key ({1}). Use "Set Judge Key…".', address, said),
    unknown: (address, said) => l10n.t('{0} knows no such address or model ({1}).', address, said),
    elsewhere: (address, said) => l10n.t('{0} points elsewhere ({1}). Set its final address.', address, said),
    failed: (address, said) => l10n.t('{0} answered {1}.', address, said),
    noCompletion: () => unreadable(l10n.t('it sent no chat completion')),
    emptyAnswer: () => unreadable(l10n.t('it sent an empty answer')),
  };
}
