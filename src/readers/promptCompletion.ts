/**
 * A prompt and what followed it, each a text or a list of messages (or such a list as JSON in a string) → conversation.
 * Texts are decoded chats (chatEpisode.ts), messages are data (chatMessages.ts). Shared by TRL, ms-swift and others.
 * Leaves out reward and group.
 */
import { asArray, isObject, type Json } from '../base/json.ts';
import { buildEpisode } from './chatEpisode.ts';
import { type Conversation, turnsOfMessages } from './chatMessages.ts';
import { splitPrompt } from './chatText.ts';
import { isMessage } from './messageParts.ts';
import { parseJsonText } from './parseJson.ts';

/** True for a value that can be a prompt or a completion: text, or a list of messages. */
export function isConversation(value: Json | undefined): boolean {
  return typeof value === 'string' || messagesOf(value) !== null;
}

/** The conversation of a prompt and its completion; never throws. */
export function episodeOf(prompt: Json | undefined, completion: Json | undefined): Conversation {
  const asked = messagesOf(prompt);
  const answered = messagesOf(completion);
  if (asked === null && answered === null) {
    return { ...buildEpisode({ input: textOf(prompt), output: textOf(completion), entries: null }), facts: [] };
  }
  const before = asked ?? messagesOfText(textOf(prompt));
  const after = answered ?? messageOf('assistant', textOf(completion));
  return turnsOfMessages([...before, ...after], { prompt: before.length });
}

/** What tells two prompts apart, as text. */
export function promptText(prompt: Json | undefined): string {
  return typeof prompt === 'string' ? prompt : JSON.stringify(prompt ?? null);
}

/** The messages of a list, of a list as JSON in a string, or of one message; null where the value holds none. */
export function messagesOf(value: Json | undefined): readonly Json[] | null {
  const opened = typeof value === 'string' && /^\s*\[\s*\{/.test(value) ? parsedOrNull(value) : value;
  if (isObject(opened)) return isMessage(opened) ? [opened] : null;
  const items = asArray(opened);
  return items.length > 0 && items.every(isMessage) ? items : Array.isArray(opened) && items.length === 0 ? [] : null;
}

/** A decoded prompt as messages; text that no template marks is the user's. */
function messagesOfText(text: string): readonly Json[] {
  return splitPrompt(text).turns.map((turn) => ({
    role: turn.role === 'prompt' ? 'user' : turn.role,
    content: turn.text,
  }));
}

function messageOf(role: string, content: string): readonly Json[] {
  return content === '' ? [] : [{ role, content }];
}

function textOf(value: Json | undefined): string {
  if (typeof value === 'string') return value;
  return value === undefined || value === null ? '' : JSON.stringify(value);
}

function parsedOrNull(text: string): Json {
  const parsed = parseJsonText(text);
  return parsed.ok ? parsed.value : null;
}
