/**
 * Conversations that are bare lists of messages: a list a line (`chat_completions/{step}.jsonl` of older rLLM, where the
 * last list of an episode holds all before it), or a file that is one list (formats.md 5.6, 6.8).
 * No reward, no group: equal prompts are a group. Leaves out lists inside objects (generic.ts).
 */
import { asArray, type Json } from '../base/json.ts';
import { buildRollout } from '../model/builder.ts';
import type { RecordPlace, Rollout } from '../model/rollout.ts';
import { turnsOfMessages } from './chatMessages.ts';
import { inferredGroupKey } from './groupKey.ts';
import { readJsonDocuments } from './jsonDocument.ts';
import { readJsonLines } from './jsonLines.ts';
import { isMessage, readMessage } from './messageParts.ts';
import { readJsonAt } from './parseJson.ts';
import type { Reader } from './reader.ts';

const format = 'chat-list';
const lines = 'lines';

/** The reader of lists of messages. */
export const chatListReader: Reader = {
  format,
  version: 1,
  recognise: ({ container, first }) => {
    if (container === 'jsonl' && Array.isArray(first) && isConversationList(asArray(first))) {
      return { format, producer: 'rLLM chat completions', variant: lines };
    }
    const isChat = container === 'json-array' && isMessage(first as Json);
    return isChat ? { format, producer: 'chat', variant: 'document', holds: 'episode' } : null;
  },
  stepOfName: (name) => {
    const digits = /(?:^|\/)(\d{1,9})\.jsonl/.exec(name)?.[1];
    return digits === undefined ? null : Number(digits);
  },
  read: (source, options) => {
    const isLines = options.recognition.variant === lines;
    return (isLines ? readJsonLines : readJsonDocuments)(source, {
      from: options.from,
      signal: options.signal,
      note: options.note,
      progress: options.progress,
      record: (value, place) => {
        const rollout = rolloutOf(value, place, options.recognition.producer);
        if (rollout === null) return 'not a list of messages';
        options.rollout(rollout);
        return null;
      },
    });
  },
  readOne: async (source, place, recognition) =>
    rolloutOf(await readJsonAt(source, place), place, recognition.producer),
};

function isConversationList(items: readonly Json[]): boolean {
  return items.some(isMessage);
}

function rolloutOf(value: Json, place: RecordPlace, producer: string): Rollout | null {
  const messages = asArray(value);
  if (!isConversationList(messages)) return null;
  const { facts, ...conversation } = turnsOfMessages(messages, { prompt: 'before-first-assistant' });
  const reply = messages.findIndex((message) => readMessage(message).role === 'policy');
  const prompt = JSON.stringify(messages.slice(0, reply < 0 ? messages.length : reply));
  return buildRollout({
    ...conversation,
    place,
    producer,
    group: { key: inferredGroupKey(prompt, null), source: 'inferred' },
    extras: facts,
  });
}
