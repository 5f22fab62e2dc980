/**
 * What hovers say, as blocks: a block is our own text, text of a log (never Markdown), or a link to a command of ours.
 * Pure: from marks and the explanation only, never from the text of a document.
 * Leaves out Markdown (markdown.ts) and when a hover is shown (the providers).
 */
import { countText, durationText, numberText, signedText } from '../../base/numberText.ts';
import type { ShownTranscript } from '../../host/openTranscripts.ts';
import { isCounted } from '../../host/shownFlags.ts';
import type { Translator } from '../../host/translator.ts';
import { arithmeticLines, arithmeticOf, memberLines, shownReward } from '../../protocol/arithmetic.ts';
import type { Explanation, RolloutRow } from '../../protocol/engine.ts';
import { counterfactualLines } from '../../protocol/flagTexts.ts';
import { verdictSign } from '../../protocol/texts.ts';
import type { Mark } from '../../protocol/transcript.ts';
import { flagBlocks } from './flagText.ts';
import { namedValueLines, type HoverBlock } from './hoverBlock.ts';

const own = (text: string): HoverBlock => ({ kind: 'own', text });
const log = (text: string): HoverBlock => ({ kind: 'log', text });
const code = (lines: readonly string[]): HoverBlock => ({ kind: 'code', text: lines.join('\n') });

type MarkOf<Kind extends Mark['kind']> = Extract<Mark, { kind: Kind }>;

/** The most particular mark at a line that a hover explains. */
export function markAt(marks: readonly Mark[], line: number): Mark | null {
  const here = marks.filter((mark) => line >= mark.line && line < mark.line + mark.count);
  const order: readonly Mark['kind'][] = ['title', 'image', 'call', 'answer', 'observation', 'arithmetic', 'turn'];
  for (const kind of order) {
    const found = here.find((mark) => mark.kind === kind);
    if (found) return found;
  }
  return null;
}

/** The hover of a transcript's line; empty where nothing is to be said. */
export function transcriptHover(shown: ShownTranscript, line: number, l10n: Translator): readonly HoverBlock[] {
  const mark = markAt(shown.marks, line);
  if (mark === null) return [];
  switch (mark.kind) {
    case 'title':
      return titleBlocks(shown, l10n);
    case 'turn':
      return turnBlocks(mark, l10n);
    case 'call':
      return callBlocks(shown, mark, l10n);
    case 'observation':
      return observationBlocks(shown, mark, l10n);
    case 'answer':
      return answerBlocks(shown, mark, l10n);
    case 'arithmetic':
      return shown.explanation === null ? [own(notIndexed(l10n))] : [];
    case 'image':
      return imageBlocks(mark, l10n);
    case 'reasoning':
    case 'ids':
    case 'facts':
      return [];
  }
}

function notIndexed(l10n: Translator): string {
  return l10n.t('The advantages follow when the group of this rollout is indexed.');
}

function titleBlocks(shown: ShownTranscript, l10n: Translator): readonly HoverBlock[] {
  const { explanation, file, line, part } = shown;
  const place = log(l10n.t('{0}, line {1}', file, line + 1));
  const flags = part === null ? shown.flags.flags.filter(({ call }) => call === null) : [];
  const redundant = [
    ...flags.flatMap((flag) => flagBlocks(flag, shown, l10n)),
    ...(part === null ? counterfactualBlocks(shown) : []),
  ];
  if (explanation === null) return [own(notIndexed(l10n)), ...redundant, place];
  if (explanation.row.reward === null && explanation.row.correct === null)
    return [...unrewarded(explanation, l10n), ...redundant, place];
  return [code(arithmeticLines(explanation).map(({ text }) => text)), ...redundant, place];
}

function counterfactualBlocks({ flags }: ShownTranscript): readonly HoverBlock[] {
  return flags.counterfactual === null ? [] : [code(counterfactualLines(flags.counterfactual))];
}

/** What is said of a rollout whose log has no reward: the logged advantage, where there is one, stands alone. */
function unrewarded({ row }: Explanation, l10n: Translator): readonly HoverBlock[] {
  const reason = own(l10n.t('This log has no reward here: right or wrong and both advantages are not known.'));
  if (row.loggedAdvantage === null) return [reason];
  return [reason, own(l10n.t('Logged advantage {0}.', signedText(row.loggedAdvantage)))];
}

function turnBlocks(mark: MarkOf<'turn'>, l10n: Translator): readonly HoverBlock[] {
  const facts = [
    l10n.t('role {0}', mark.role),
    mark.loggedRole !== '' && mark.loggedRole !== mark.role ? l10n.t('logged as {0}', mark.loggedRole) : '',
    l10n.t('{0} characters', countText(mark.characters)),
    mark.agent === null ? '' : l10n.t('sub-agent {0}, depth {1}', mark.agent.name, mark.agent.depth),
    mark.tokens === null ? '' : l10n.t('{0} tokens', countText(mark.tokens)),
    mark.tokenValues === 0 || mark.tokenValues === mark.tokens
      ? ''
      : l10n.t('{0} tokens with logged values', countText(mark.tokenValues)),
    mark.latencyMs === null ? '' : l10n.t('latency {0}', durationText(mark.latencyMs)),
    mark.cut > 0 ? l10n.t('{0} characters left out here', countText(mark.cut)) : '',
  ];
  return [log(mark.label), log(facts.filter((fact) => fact !== '').join(' · '))];
}

function callBlocks(shown: ShownTranscript, mark: MarkOf<'call'>, l10n: Translator): readonly HoverBlock[] {
  const state = [
    l10n.t('call {0}', mark.call + 1),
    mark.tool ?? l10n.t('no tool named'),
    outcomeText(mark, l10n),
    mark.latencyMs === null ? l10n.t('latency not logged') : l10n.t('latency {0}', durationText(mark.latencyMs)),
  ];
  const blocks: HoverBlock[] = [log(state.join(' · '))];
  if (mark.failure !== null) blocks.push(log(mark.failure));
  const flags = shown.flags.flags.filter(({ call }) => call === mark.call);
  for (const flag of flags) blocks.push(...flagBlocks(flag, shown, l10n));
  if (flags.some(isCounted)) blocks.push(...counterfactualBlocks(shown));
  if (mark.observationCharacters === 0) blocks.push(own(l10n.t('Nothing came back.')));
  else {
    blocks.push(own(l10n.t('What came back ({0} characters):', countText(mark.observationCharacters))));
    blocks.push(code([shortened(mark.observationStart, mark.observationCharacters)]));
  }
  if (mark.facts.length > 0) blocks.push(code(namedValueLines(mark.facts)));
  return blocks;
}

function shortened(start: string, characters: number): string {
  return characters > start.length ? `${start}…` : start;
}

function outcomeText({ outcome, sent }: MarkOf<'call'>, l10n: Translator): string {
  if (!sent) return l10n.t('not sent, and not counted in T');
  switch (outcome) {
    case 'ok':
      return l10n.t('succeeded');
    case 'failed':
      return l10n.t('failed');
    case 'malformed':
      return l10n.t('malformed');
    case 'timeout':
      return l10n.t('timed out');
    case 'refused':
      return l10n.t('refused');
    case 'unknown':
      return l10n.t('success not logged');
  }
}

function observationBlocks(
  shown: ShownTranscript,
  mark: MarkOf<'observation'>,
  l10n: Translator,
): readonly HoverBlock[] {
  const call = shown.marks.find((other) => other.kind === 'call' && other.call === mark.call);
  const logged = call?.kind === 'call' ? call.observationCharacters : 0;
  const text = l10n.t('Result of call {0}: the policy read {1} characters', mark.call + 1, countText(mark.characters));
  const blocks: HoverBlock[] = [
    own(logged > mark.characters ? l10n.t('{0} of {1} that the tool gave.', text, countText(logged)) : `${text}.`),
  ];
  if (call?.kind === 'call') blocks.push(...callBlocks(shown, call, l10n).slice(0, 1));
  return blocks;
}

function answerBlocks(shown: ShownTranscript, mark: MarkOf<'answer'>, l10n: Translator): readonly HoverBlock[] {
  const { explanation } = shown;
  const verdict =
    mark.correct === null ? l10n.t('Right or wrong is not known.') : mark.correct ? l10n.t('Right.') : l10n.t('Wrong.');
  const blocks: HoverBlock[] = [own(verdict)];
  if (mark.groundTruth !== '') blocks.push(own(l10n.t('Ground truth:')), code([mark.groundTruth]));
  if (mark.rewardParts.length > 0) blocks.push(code(namedValueLines(mark.rewardParts)));
  if (explanation === null) return [...blocks, own(notIndexed(l10n))];
  return [
    ...blocks,
    code(arithmeticLines(explanation).map(({ text }) => text)),
    own(l10n.t('Group of {0}, |Q| {1}:', explanation.row.groupSize, explanation.qualifying)),
    code(memberLines(explanation)),
  ];
}

function imageBlocks({ image, state, pads }: MarkOf<'image'>, l10n: Translator): readonly HoverBlock[] {
  const states = {
    inline: l10n.t('its data is in the log'),
    cut: l10n.t('the logger cut its data'),
    absent: l10n.t('only its place was logged'),
  };
  const parts = [l10n.t('Picture {0}', image + 1), states[state]];
  if (pads !== null) parts.push(l10n.t('{0} pads', countText(pads)));
  return [own(parts.join(' · '))];
}

/** The hover of a raw log line: the rollout in five lines and a link that opens it. */
export function logLineHover(
  row: RolloutRow,
  explanation: Explanation | null,
  { l10n, hasSteps }: { readonly l10n: Translator; readonly hasSteps: boolean },
): readonly HoverBlock[] {
  const open: HoverBlock = {
    kind: 'link',
    text: l10n.t('Open trajectory'),
    command: 'rolloutLens.openTrajectory',
    argument: row.ref,
  };
  const sign = verdictSign(row.correct);
  const step = hasSteps ? `${l10n.t('step {0}', row.step)} · ` : '';
  const reward = explanation === null ? numberText(row.reward) : shownReward(explanation);
  const size = l10n.t('rollout {0} of {1}', row.member, row.groupSize);
  const qualifying = explanation === null ? '' : ` · |Q| ${countText(explanation.qualifying)}`;
  const logged = row.loggedAdvantage === null ? '' : ` · ${l10n.t('logged {0}', signedText(row.loggedAdvantage))}`;
  if (row.correct === null && row.reward === null) {
    const calls = `T ${countText(row.calls)} · ${l10n.t('no reward in this log')}${logged}`;
    return [code([row.question, `${step}${size}`, calls]), open];
  }
  const sums =
    explanation === null
      ? [`A_acc ${signedText(row.accAdvantage)}`, `A_tool ${signedText(row.toolAdvantage)}`]
      : arithmeticOf(explanation, ['accAdvantage', 'toolAdvantage']);
  return [
    code([
      `${sign} ${row.question}`,
      `${step}${size}${qualifying}`,
      `T ${countText(row.calls)} · ${l10n.t('reward {0}', reward)}${logged}`,
      ...sums,
    ]),
    open,
  ];
}
