/**
 * Titles of CodeLens and which of them a transcript has, from marks alone. Pure.
 * Log text in a title is escaped, so that "$(name)" draws no icon. Leaves out the providers.
 */
import { countText, rewardText, signedText, sizeText } from '../../base/numberText.ts';
import type { ShownTranscript } from '../../host/openTranscripts.ts';
import { withoutIcons } from '../../host/logText.ts';
import type { Translator } from '../../host/translator.ts';
import type { RolloutRef, RolloutRow } from '../../protocol/engine.ts';
import type { ShownFlag } from '../../protocol/flags.ts';
import { verdictSign } from '../../protocol/texts.ts';
import type { Mark } from '../../protocol/transcript.ts';
import { shortSentence } from './flagText.ts';

/** One lens: its line, its title, and the command with its one argument; command '' for plain text. */
export interface Lens {
  readonly line: number;
  readonly title: string;
  readonly command: string;
  readonly argument: object;
}

/** "✓ T 2 · reward 1.0 · A_acc +0.86 · A_tool −0.70 · Open trajectory". */
export function logLensTitle(row: RolloutRow, l10n: Translator): string {
  if (row.correct === null && row.reward === null) {
    const logged = row.loggedAdvantage === null ? [] : [l10n.t('logged A {0}', signedText(row.loggedAdvantage))];
    return [`T ${countText(row.calls)}`, ...logged, l10n.t('Open trajectory')].join(' · ');
  }
  const sign = verdictSign(row.correct);
  return [
    `${sign} T ${countText(row.calls)}`,
    ...(row.reward === null ? [] : [l10n.t('reward {0}', rewardText(row.reward))]),
    `A_acc ${signedText(row.accAdvantage)}`,
    `A_tool ${signedText(row.toolAdvantage)}`,
    l10n.t('Open trajectory'),
  ].join(' · ');
}

/** The lenses of a transcript: above the title, redundant calls, cut turns and pictures whose data is there. */
export function transcriptLenses(shown: ShownTranscript, l10n: Translator): readonly Lens[] {
  return shown.marks.flatMap((mark) => lensesOf(mark, shown, l10n));
}

function lensesOf(mark: Mark, shown: ShownTranscript, l10n: Translator): readonly Lens[] {
  const { address, part, marks, flags } = shown;
  const { ref, rest } = address;
  const { line } = mark;
  switch (mark.kind) {
    case 'title': {
      if (part !== null && rest !== null) return partLenses({ line, part, turn: rest.turn }, { ref, l10n });
      return [
        { line, title: l10n.t('Replay'), command: 'rolloutLens.replayEpisode', argument: ref },
        { line, title: l10n.t('Compare with…'), command: 'rolloutLens.compareWith', argument: ref },
        { line, title: l10n.t('Show group'), command: 'rolloutLens.showGroup', argument: ref },
        { line, title: l10n.t('Open in log'), command: 'rolloutLens.openInLog', argument: ref },
        ...(marks.some((one) => one.kind === 'turn' && one.tokenValues > 0)
          ? [{ line, title: l10n.t('Token values…'), command: 'rolloutLens.showTokenValues', argument: ref }]
          : []),
        ...flagLenses(null, line, shown, l10n),
      ];
    }
    case 'call':
      return flagLenses(mark.call, line, shown, l10n);
    case 'turn':
      if (mark.cut === 0) return [];
      return [
        {
          line,
          title: l10n.t('Open the rest ({0})', sizeText(mark.cut)),
          command: 'rolloutLens.openRest',
          argument: { ...ref, turn: mark.turn, part: 0 },
        },
      ];
    case 'image':
      if (mark.state !== 'inline') return [];
      return [
        {
          line,
          title: l10n.t('Open image'),
          command: 'rolloutLens.openImage',
          argument: { ...ref, image: mark.image },
        },
        ...(flags.crops.some(({ image }) => image === mark.image)
          ? [{ line, title: l10n.t('Show crops'), command: 'rolloutLens.showCrops', argument: ref }]
          : []),
      ];
    case 'observation':
    case 'ids':
    case 'facts':
    case 'reasoning':
    case 'answer':
    case 'arithmetic':
      return [];
  }
}

/** Per flag that counts or was judged: what it says, then the verdict's commands. Hints stay in the hover. */
function flagLenses(
  call: number | null,
  line: number,
  { address, flags }: ShownTranscript,
  l10n: Translator,
): readonly Lens[] {
  return flags.flags
    .filter((flag) => flag.call === call && (flag.confidence !== 'hint' || flag.verdict !== null))
    .flatMap((flag) => lensesOfFlag(flag, { line, ref: address.ref, l10n }));
}

function lensesOfFlag(
  flag: ShownFlag,
  { line, ref, l10n }: { readonly line: number; readonly ref: RolloutRef; readonly l10n: Translator },
): readonly Lens[] {
  const argument = { ...ref, flag: flag.id };
  const said = shortSentence(flag.sentence);
  const head = (title: string): Lens => ({ line, title: withoutIcons(title), ...goal(flag, ref) });
  const lens = (title: string, command: string): Lens => ({ line, title, command, argument });
  const undo = () => lens(l10n.t('Undo'), 'rolloutLens.undoVerdict');
  switch (flag.verdict) {
    case null:
      return [
        head(`⚠ ${l10n.t('Redundant: {0}', said)}`),
        lens(l10n.t('Confirm'), 'rolloutLens.confirmFlag'),
        lens(l10n.t('Dismiss'), 'rolloutLens.dismissFlag'),
        ...(flag.boxes.some(({ image }) => image !== null)
          ? [{ line, title: l10n.t('Show crops'), command: 'rolloutLens.showCrops', argument: ref }]
          : []),
      ];
    case 'confirmed':
      return [head(`⚠ ${l10n.t('Confirmed: {0}', said)}`), undo()];
    case 'dismissed':
      return [head(l10n.t('Dismissed: {0}', said)), undo()];
  }
}

/** What a click on a flag's sentence shows: the call or turn it refers to, else the siblings; '' for nothing. */
function goal(flag: ShownFlag, ref: RolloutRef): Pick<Lens, 'command' | 'argument'> {
  const command = 'rolloutLens.revealCall';
  if (flag.refersTo !== null) return { command, argument: { ...ref, call: flag.refersTo } };
  if (flag.refersToTurn !== null) return { command, argument: { ...ref, turn: flag.refersToTurn } };
  return { command: flag.witnesses.length > 0 ? 'rolloutLens.showGroup' : '', argument: ref };
}

function partLenses(
  {
    line,
    part,
    turn,
  }: { readonly line: number; readonly part: { index: number; count: number }; readonly turn: number },
  { ref, l10n }: { readonly ref: ShownTranscript['address']['ref']; readonly l10n: Translator },
): readonly Lens[] {
  const open = (index: number, title: string): Lens => ({
    line,
    title,
    command: 'rolloutLens.openRest',
    argument: { ...ref, turn, part: index },
  });
  return [
    { line, title: l10n.t('Open the transcript'), command: 'rolloutLens.openTrajectory', argument: ref },
    ...(part.index > 0 ? [open(part.index - 1, l10n.t('Previous part'))] : []),
    ...(part.index + 1 < part.count ? [open(part.index + 1, l10n.t('Next part'))] : []),
  ];
}
