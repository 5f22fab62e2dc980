/**
 * The entries of Problems for one transcript: a flag that counts an entry, at its line, with the places it rests on.
 * Pure. Leaves out VS Code's diagnostics and when they are shown (problems.ts).
 */
import type { ShownTranscript } from '../../host/openTranscripts.ts';
import { callLines, isCounted, placedFlags } from '../../host/shownFlags.ts';
import type { Translator } from '../../host/translator.ts';
import type { RolloutRef } from '../../protocol/engine.ts';
import type { ShownFlag } from '../../protocol/flags.ts';
import { transcriptTexts, verdictSign } from '../../protocol/texts.ts';
import { confidenceText, costText } from './flagText.ts';

/** A place that an entry points to: a line of the same document, or a sibling's rollout. */
export type RelatedPlace =
  | { readonly kind: 'line'; readonly line: number; readonly text: string }
  | { readonly kind: 'rollout'; readonly ref: RolloutRef; readonly text: string };

/** One entry of Problems. */
export interface Problem {
  readonly flag: ShownFlag;
  readonly line: number;
  readonly message: string;
  readonly related: readonly RelatedPlace[];
}

/** Siblings that an entry lists. */
const mostSiblings = 3;

/** The entries of a transcript, in the order of its flags. */
export function problemsOf(shown: ShownTranscript, l10n: Translator): readonly Problem[] {
  return placedFlags(shown)
    .filter(({ flag }) => isCounted(flag))
    .map(({ flag, line }) => {
      const cost = costText(flag, l10n);
      const subject = flag.call === null ? l10n.t('Redundant') : l10n.t('Call {0} is redundant', flag.call + 1);
      const sentence = `${subject} (${confidenceText(flag.confidence, l10n)}): ${flag.sentence}.`;
      return {
        flag,
        line,
        message: cost === null ? sentence : `${sentence} ${cost}`,
        related: relatedTo(flag, shown, l10n),
      };
    });
}

function relatedTo(flag: ShownFlag, { marks }: ShownTranscript, l10n: Translator): readonly RelatedPlace[] {
  const places: RelatedPlace[] = [];
  const call = flag.refersTo === null ? undefined : callLines(marks).get(flag.refersTo);
  if (flag.refersTo !== null && call !== undefined) {
    places.push({ kind: 'line', line: call, text: transcriptTexts.call(flag.refersTo + 1) });
  }
  const turn = marks.find((mark) => mark.kind === 'turn' && mark.turn === flag.refersToTurn);
  if (turn?.kind === 'turn') places.push({ kind: 'line', line: turn.line, text: turn.label });
  for (const { ref, member, correct, calls } of flag.witnesses.slice(0, mostSiblings)) {
    const text = l10n.t('sibling {0}: {1} with {2} calls', member, verdictSign(correct), calls);
    places.push({ kind: 'rollout', ref, text });
  }
  return places;
}
