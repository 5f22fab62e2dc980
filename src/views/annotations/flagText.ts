/**
 * What hovers say of a flag: the rule and its sentence, what was measured, what it refers to, what it cost, and the
 * links to judge it. Pure: from the flag alone, never from the text of a document.
 * Leaves out where a flag stands (host/shownFlags.ts) and Markdown (markdown.ts).
 */
import { countText, durationText, numberText } from '../../base/numberText.ts';
import type { ShownTranscript } from '../../host/openTranscripts.ts';
import type { Translator } from '../../host/translator.ts';
import type { NamedValue } from '../../model/rollout.ts';
import type { FlagConfidence, ShownFlag } from '../../protocol/flags.ts';
import type { RolloutRef } from '../../protocol/engine.ts';
import { verdictSign } from '../../protocol/texts.ts';
import { namedValueLines, type HoverBlock, type HoverLink } from './hoverBlock.ts';

/** Siblings that a hover links to; the group has the others. */
const mostSiblings = 6;
/** Characters of a flag in a CodeLens. */
const mostTitle = 80;

/** How sure a flag is, as a word. */
export function confidenceText(confidence: FlagConfidence, l10n: Translator): string {
  switch (confidence) {
    case 'certain':
      return l10n.t('certain');
    case 'likely':
      return l10n.t('likely');
    case 'hint':
      return l10n.t('hint, not counted');
  }
}

/** The blocks of one flag, its verdict links last. */
export function flagBlocks(
  flag: ShownFlag,
  { address, explanation }: Pick<ShownTranscript, 'address' | 'explanation'>,
  l10n: Translator,
): readonly HoverBlock[] {
  const { ref } = address;
  const heading = l10n.t('⚠ Redundant: {0}', flag.sentence);
  const blocks: HoverBlock[] = [
    { kind: 'log', text: `${heading} (${confidenceText(flag.confidence, l10n)}, ${flag.rule})` },
  ];
  if (flag.evidence.length > 0)
    blocks.push({ kind: 'code', text: namedValueLines(flag.evidence.map(rounded)).join('\n') });
  const references = referenceLinks(flag, ref, l10n);
  if (references.length > 0) blocks.push({ kind: 'links', text: '', links: references });
  if (flag.witnesses.length > 0) {
    const more = flag.witnesses.length > mostSiblings ? `, ${l10n.t('the first {0}', mostSiblings)}` : '';
    const size = explanation === null ? '' : l10n.t(' in a group of {0}', explanation.row.groupSize);
    blocks.push({
      kind: 'links',
      text: l10n.t('Siblings{0}{1}:', size, more),
      links: flag.witnesses.slice(0, mostSiblings).map(({ ref: sibling, member, correct, calls }): HoverLink => ({
        text: `${verdictSign(correct)} ${member} T ${countText(calls)}`,
        command: 'rolloutLens.openTrajectory',
        argument: sibling,
      })),
    });
  }
  const cost = costText(flag, l10n);
  if (cost !== null) blocks.push({ kind: 'own', text: cost });
  return [...blocks, verdictLinks(flag, ref, l10n)];
}

/** A share of sixteen digits is read as three. */
function rounded({ name, value }: NamedValue): NamedValue {
  return { name, value: typeof value === 'number' ? numberText(value) : value };
}

function referenceLinks(flag: ShownFlag, ref: RolloutRef, l10n: Translator): readonly HoverLink[] {
  const links: HoverLink[] = [];
  const command = 'rolloutLens.revealCall';
  if (flag.refersTo !== null) {
    links.push({
      text: l10n.t('Show call {0}', flag.refersTo + 1),
      command,
      argument: { ...ref, call: flag.refersTo },
    });
  }
  if (flag.refersToTurn !== null) {
    links.push({ text: l10n.t('Show the turn it refers to'), command, argument: { ...ref, turn: flag.refersToTurn } });
  }
  if (flag.boxes.some(({ image }) => image !== null)) {
    links.push({ text: l10n.t('Show crops'), command: 'rolloutLens.showCrops', argument: ref });
  }
  return links;
}

/** "It cost 0.61 s and 240 characters."; null where neither is known. */
export function costText(
  { latencyMs, characters }: Pick<ShownFlag, 'latencyMs' | 'characters'>,
  l10n: Translator,
): string | null {
  const text = characters === null ? null : l10n.t('{0} characters', countText(characters));
  if (latencyMs === null) return text === null ? null : l10n.t('It cost {0}.', text);
  const time = durationText(latencyMs);
  return text === null ? l10n.t('It cost {0}.', time) : l10n.t('It cost {0} and {1}.', time, text);
}

function verdictLinks({ id, verdict }: ShownFlag, ref: RolloutRef, l10n: Translator): HoverBlock {
  const argument = { ...ref, flag: id };
  const link = (text: string, command: string): HoverLink => ({ text, command, argument });
  if (verdict === null) {
    const links = [
      link(l10n.t('Confirm'), 'rolloutLens.confirmFlag'),
      link(l10n.t('Dismiss'), 'rolloutLens.dismissFlag'),
    ];
    return { kind: 'links', text: '', links };
  }
  const text = verdict === 'confirmed' ? l10n.t('You confirmed it.') : l10n.t('You dismissed it.');
  return { kind: 'links', text, links: [link(l10n.t('Undo'), 'rolloutLens.undoVerdict')] };
}

/** The sentence for a CodeLens: up to its first colon (not one that a log wrote, in quotes), since the hover has it all. */
export function shortSentence(sentence: string): string {
  const colon = sentence.indexOf(': ');
  const quote = sentence.indexOf('"');
  const short = colon < 0 || (quote >= 0 && quote < colon) ? sentence : sentence.slice(0, colon);
  const characters = [...short];
  return characters.length > mostTitle ? `${characters.slice(0, mostTitle - 1).join('')}…` : short;
}
