/**
 * The text that opens a call and an answer in an episode's format: as the policy wrote them, else as its chat template
 * renders a call, else an added token of its vocabulary that looks like one.
 * Leaves out probabilities of openers (decide.ts) and cutting answers out of text (answerCheck.ts).
 */
import type { AlignedEpisode, ReplayEpisode, ReplayTurn } from '../protocol/replay.ts';
import { callOpenerOf } from './chatTemplate.ts';
import type { PolicyTokens } from './policyTokens.ts';

/** Openers of dialects that many policies share (formats.md 2.2), longest first where one begins another. */
const knownCallOpeners = [
  '<seed:tool_call>',
  '<minimax:tool_call>',
  '<|tool_calls_section_begin|>',
  '<｜DSML｜tool_calls>',
  '<|tool_call>',
  '<tool_call>',
  '<function_call>',
  '<|python_tag|>',
  '[TOOL_CALLS]',
];

/** Openers of answers. */
const knownAnswerOpeners = ['<answer>', '\\boxed{', '<final_answer>', '<finish>'];

/** The openers of an episode; null where neither is known. */
export function openersOf(episode: ReplayEpisode, tokens: PolicyTokens): AlignedEpisode['opener'] {
  const written = episode.turns.filter(isWritten);
  const call = writtenCallOpener(episode) ?? templateCallOpener(tokens) ?? addedCallOpener(tokens);
  const said = knownAnswerOpeners.find((opener) => written.some(({ text }) => text.includes(opener)));
  // A policy that never answered was told how to.
  const asked = knownAnswerOpeners.find((opener) =>
    episode.turns.some(({ prompt, text }) => prompt && text.includes(opener)),
  );
  const answer = said ?? asked ?? null;
  return call === null && answer === null ? null : { call, answer };
}

/** True for a turn that the policy wrote in this episode. */
export function isWritten({ role, prompt }: ReplayTurn): boolean {
  return role === 'policy' && !prompt;
}

function writtenCallOpener({ turns, calls }: ReplayEpisode): string | null {
  for (const { turn, tool } of calls) {
    const { text, exact } = turns[turn] ?? { text: '', exact: false };
    const known = knownCallOpeners.find((opener) => text.includes(opener));
    if (known !== undefined) return known;
    if (!exact || tool === null) continue;
    const found = tagBefore(text, text.indexOf(tool)) ?? tagClosedAtEnd(text);
    if (found !== null) return found;
  }
  return null;
}

/** The last opening tag in front of a place, or around it (`<search>`). */
function tagBefore(text: string, at: number): string | null {
  if (at === -1) return null;
  const tags = [...text.slice(0, at + 40).matchAll(/<(?![/!])[^<>\s]{1,40}>/gu)];
  const before = tags.filter(({ index }) => index <= at).at(-1);
  return before === undefined || /think|reason|answer/iu.test(before[0]) ? null : before[0];
}

/** The opening of the tag that ends a turn in which a call was written. */
function tagClosedAtEnd(text: string): string | null {
  const name = /<\/(?<name>[\w:|-]{1,40})>\s*$/u.exec(text)?.groups?.['name'];
  const opener = name === undefined ? null : `<${name}>`;
  return opener !== null && text.includes(opener) && !/think|reason|answer/iu.test(opener) ? opener : null;
}

function templateCallOpener({ template }: PolicyTokens): string | null {
  return template === null ? null : callOpenerOf(template);
}

function addedCallOpener({ added }: PolicyTokens): string | null {
  return knownCallOpeners.find((opener) => added.has(opener)) ?? null;
}
