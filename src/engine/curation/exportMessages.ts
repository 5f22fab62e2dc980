/**
 * A rollout as chat messages for a trainer. Where the log keeps the text that the policy saw and wrote, messages hold it
 * exactly, calls and all; where it holds messages, calls are structured in the OpenAI form. Pictures are `<image>` in the
 * text, in the order of the record's list. Pure. Leaves out files (exportCuration.ts).
 */
import { isObject } from '../../base/json.ts';
import type { Rollout, Turn } from '../../model/rollout.ts';
import { cutAtImages } from '../../readers/imagePads.ts';
import { exactTurns } from '../exactTurns.ts';
import { toolsOf } from '../replayEpisode.ts';
import { promptTurns } from './contentOf.ts';

/** A message with its exact text. */
export interface PlainMessage {
  readonly role: string;
  readonly content: string;
}

/** A message of a log of messages; texts that it has not are '', so that every row has one type. */
export interface StructuredMessage extends PlainMessage {
  readonly reasoning_content: string;
  readonly tool_calls: readonly StructuredCall[];
  readonly tool_call_id: string;
}

/** A call in the OpenAI form; `arguments` is JSON text. */
export interface StructuredCall {
  readonly id: string;
  readonly type: 'function';
  readonly function: { readonly name: string; readonly arguments: string };
}

/** How messages are written: the same for all records of one file. */
export type MessageForm = 'exact' | 'structured';

/** A rollout's messages, cut where the prompt ends, and the pictures that they show (indexes into `Rollout.images`). */
export interface ExportMessages {
  readonly prompt: readonly PlainMessage[];
  readonly response: readonly PlainMessage[];
  readonly promptImages: readonly number[];
  readonly responseImages: readonly number[];
  /** JSON of the tools as logged, '' where they are not. */
  readonly tools: string;
}

/** True where a rollout's exact text is known. */
export function isExact(rollout: Rollout): boolean {
  return exactTurns(rollout) !== null;
}

/** The messages of a rollout. */
export function messagesOf(rollout: Rollout, form: MessageForm): ExportMessages {
  const exact = form === 'exact' ? (exactTurns(rollout)?.texts ?? null) : null;
  const asked = new Set(promptTurns(rollout));
  const prompt: PlainMessage[] = [];
  const response: PlainMessage[] = [];
  const shown = { prompt: Array.of<number>(), response: Array.of<number>() };
  rollout.turns.forEach((turn, index) => {
    const [into, images] = asked.has(turn) ? [prompt, shown.prompt] : [response, shown.response];
    images.push(...turn.parts.flatMap((part) => (part.kind === 'image' ? [part.image] : [])));
    if (exact !== null) into.push({ role: loggedRole(turn), content: withMarks(exact[index] ?? '') });
    else into.push(...structured(rollout, turn));
  });
  const texts = rollout.turns.map((turn, index) => ({ prompt: turn.prompt, text: exact?.[index] ?? textIn(turn) }));
  return {
    prompt,
    response,
    promptImages: shown.prompt,
    responseImages: shown.response,
    tools: toolsOf(rollout, texts),
  };
}

const knownRoles = new Set(['system', 'developer', 'user', 'assistant', 'tool']);
const ownRoles: Readonly<Record<Turn['role'], string>> = {
  system: 'system',
  user: 'user',
  policy: 'assistant',
  tool: 'tool',
  other: 'user',
};

/** The role that the chat template saw (a Metis observation is a user's message), where it is one that templates know. */
function loggedRole({ role, loggedRole: logged }: Turn): string {
  return knownRoles.has(logged) ? logged : ownRoles[role];
}

/** Pads are the processor's business: a trainer puts as many as its picture needs. */
function withMarks(text: string): string {
  let marked = '';
  cutAtImages(text, {
    text: (piece) => (marked += piece),
    image: () => (marked += imageMark),
  });
  return marked;
}

const imageMark = '<image>';

function textIn({ parts }: Turn): string {
  return parts.map((part) => ('text' in part ? part.text : '')).join('');
}

function structured(rollout: Rollout, turn: Turn): readonly StructuredMessage[] {
  if (turn.role === 'tool' && turn.observes.length > 1) return severalResults(rollout, turn);
  const calls = turn.parts.flatMap((part) => (part.kind === 'call' ? [part.call] : []));
  const content = turn.parts
    .map((part) => {
      if (part.kind === 'image') return imageMark;
      if (part.kind === 'text' || part.kind === 'answer') return part.text;
      // A call without a name can only be shown as it was written.
      return part.kind === 'call' && !isCallable(rollout, part.call) ? (rollout.calls[part.call]?.raw ?? '') : '';
    })
    .join('');
  const reasoning = turn.parts.map((part) => (part.kind === 'reasoning' ? part.text : '')).join('');
  const [observed] = turn.observes;
  return [
    {
      role: ownRoles[turn.role],
      content: content === '' && observed !== undefined ? (rollout.calls[observed]?.observation ?? '') : content,
      reasoning_content: reasoning,
      tool_calls: calls.filter((call) => isCallable(rollout, call)).map((call) => structuredCall(rollout, call)),
      tool_call_id: turn.role === 'tool' && observed !== undefined ? callId(observed) : '',
    },
  ];
}

/** One message a result, as chat templates want it; pictures go with the first. */
function severalResults(rollout: Rollout, turn: Turn): readonly StructuredMessage[] {
  const marks = turn.parts.map((part) => (part.kind === 'image' ? imageMark : '')).join('');
  return turn.observes.map((call, index) => ({
    role: 'tool',
    content: `${index === 0 ? marks : ''}${rollout.calls[call]?.observation ?? ''}`,
    reasoning_content: '',
    tool_calls: [],
    tool_call_id: callId(call),
  }));
}

function isCallable({ calls }: Rollout, call: number): boolean {
  const found = calls[call];
  return found !== undefined && found.tool !== null && isObject(found.arguments);
}

function structuredCall({ calls }: Rollout, index: number): StructuredCall {
  const { tool = null, arguments: given = null } = calls[index] ?? {};
  return { id: callId(index), type: 'function', function: { name: tool ?? '', arguments: JSON.stringify(given) } };
}

function callId(call: number): string {
  return `call_${call + 1}`;
}
