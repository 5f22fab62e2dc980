/**
 * The conversation of a mapped record: messages, or a prompt and a response, with the pictures of the prompt and the
 * token arrays of the response where the mapping names them. Owned by mappedRecord.ts.
 * Leaves out which value of the record is which.
 */
import { asArray, isObject, type Json } from '../base/json.ts';
import { imagePart } from '../model/builder.ts';
import type { LoggedImage, TokenValues, Turn } from '../model/rollout.ts';
import { type Conversation, turnsOfMessages } from './chatMessages.ts';
import { imageFrom, readMessage } from './messageParts.ts';
import { episodeOf, messagesOf, promptText } from './promptCompletion.ts';

/** The values of one rollout. */
export interface MappedValues {
  /** Null where prompt and response are logged apart. */
  readonly messages: readonly Json[] | null;
  /** The other conversation of a preference pair: what both begin with is the prompt. */
  readonly rival: readonly Json[] | null;
  readonly prompt: Json | undefined;
  readonly response: Json | undefined;
  /** A system prompt that stands outside the messages. */
  readonly system: string | null;
  readonly images: Json | undefined;
  readonly tokenValues: TokenValues | null;
}

/** The conversation, and the text by which equal prompts are known. */
export function mappedConversation(values: MappedValues): {
  readonly conversation: Conversation;
  readonly promptText: string;
} {
  const { conversation, promptText: asked } = textOrMessages(values);
  const withImages = addImages(conversation, values.images);
  return { conversation: addTokens(withImages, values.tokenValues), promptText: asked };
}

function textOrMessages(values: MappedValues): { conversation: Conversation; promptText: string } {
  const { messages, rival, prompt, response, system } = values;
  if (messages === null) {
    const isList = messagesOf(prompt) !== null || messagesOf(response) !== null;
    if (system === null || !isList)
      return { conversation: episodeOf(prompt, response), promptText: promptText(prompt) };
    const asked = withSystem(messagesOf(prompt) ?? [{ role: 'user', content: prompt ?? '' }], system);
    return { conversation: episodeOf(asked, response), promptText: JSON.stringify(asked) };
  }
  const all = withSystem(messages, system);
  const more = response === undefined || response === null ? [] : (messagesOf(response) ?? [said(response)]);
  const shared = rival === null ? null : sharedCount(all, withSystem(rival, system));
  const promptEnd = more.length > 0 ? all.length : shared;
  const conversation = turnsOfMessages([...all, ...more], { prompt: promptEnd ?? 'before-first-assistant' });
  const askedCount = promptEnd ?? conversation.turns.findIndex((turn) => !turn.prompt);
  return { conversation, promptText: JSON.stringify(all.slice(0, askedCount < 0 ? all.length : askedCount)) };
}

function said(response: Json): Json {
  return { role: 'assistant', content: response };
}

function withSystem(messages: readonly Json[], system: string | null): readonly Json[] {
  const first = messages[0];
  const has = isObject(first) && (first['role'] ?? first['from']) === 'system';
  return system === null || system === '' || has ? messages : [{ role: 'system', content: system }, ...messages];
}

/** Messages both begin with, at least one left of each. */
function sharedCount(messages: readonly Json[], rival: readonly Json[]): number {
  const most = Math.min(messages.length, rival.length) - 1;
  let count = 0;
  while (count < most && JSON.stringify(messages[count]) === JSON.stringify(rival[count])) count++;
  return count;
}

/** Pictures that a column of their own holds stand at the end of the last question. */
function addImages(conversation: Conversation, logged: Json | undefined): Conversation {
  if (logged === undefined || logged === null) return conversation;
  const parts = (Array.isArray(logged) ? asArray(logged) : [logged]).map((image) => ({ type: 'image', image }));
  const added: LoggedImage[] = [];
  for (const segment of readMessage({ role: 'user', content: parts }).segments) {
    if (segment.kind === 'image') added.push(imageFrom(segment.image, 'prompt'));
  }
  const at = conversation.turns.findLastIndex((turn) => turn.prompt && turn.role === 'user');
  const asked = conversation.turns[at];
  if (added.length === 0 || asked === undefined) return conversation;
  const first = conversation.images.length;
  const turn: Turn = { ...asked, parts: [...asked.parts, ...added.map((_, index) => imagePart(first + index))] };
  return { ...conversation, turns: conversation.turns.with(at, turn), images: [...conversation.images, ...added] };
}

/** Token arrays of a whole response belong to its turn where it has one; of several turns nobody knows whose. */
function addTokens(conversation: Conversation, tokenValues: TokenValues | null): Conversation {
  const written = conversation.turns.filter((turn) => turn.role === 'policy' && !turn.prompt);
  const [turn] = written;
  if (tokenValues === null || turn === undefined || written.length > 1) return conversation;
  const tokens = tokenValues.ids?.length ?? tokenValues.texts?.length ?? null;
  const at = conversation.turns.indexOf(turn);
  return {
    ...conversation,
    turns: conversation.turns.with(at, { ...turn, tokenValues, tokens: turn.tokens ?? tokens }),
  };
}
