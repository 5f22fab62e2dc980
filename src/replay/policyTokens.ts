/**
 * The tokenizer and chat template of a policy, read from its model folder (tokenizer.json, tokenizer_config.json,
 * chat_template.jinja, generation_config.json). Text is cut with its special tokens recognised and none added.
 * Leaves out laying an episode over tokens (align.ts) and servers that tokenise (remoteTokens.ts).
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { messageOf, UserError } from '../base/errors.ts';
import { asArray, asNumber, asString, isObject, type Json, type JsonObject } from '../base/json.ts';
import { openChatTemplate, type ChatTemplate } from './chatTemplate.ts';
import { bytesOfToken, type Alphabet } from './tokenBytes.ts';

/** What a policy reads and writes. */
export interface PolicyTokens {
  /** Ids of a text. */
  encode(text: string): Promise<readonly number[]>;
  /** Bytes of a token; empty where the vocabulary has no such id. */
  bytesOf(id: number): Uint8Array;
  /** True for an added token (`<|im_start|>`, `<tool_call>`): it stands for itself alone, whatever is beside it. */
  isAdded(id: number): boolean;
  /** Added tokens by their text. */
  readonly added: ReadonlyMap<string, number>;
  /** Ids that end a turn. */
  readonly ends: readonly number[];
  /** One more than the largest id. */
  readonly vocabularySize: number;
  /** Null where the model has none. */
  readonly template: ChatTemplate | null;
  /** Hash of tokenizer and template, for provenance. */
  readonly digest: string;
}

/** Turn ends of the usual families, where the vocabulary has them. */
export const usualEnds: readonly string[] = [
  '<|im_end|>',
  '<|eot_id|>',
  '<|eom_id|>',
  '<|endoftext|>',
  '<end_of_turn>',
  '</s>',
  '<|end|>',
];

/** Opens the tokenizer of a model folder. UserError where there is none or it cannot be read. */
export async function openPolicyTokens(folder: string): Promise<PolicyTokens> {
  const tokenizerText = await readFile(join(folder, 'tokenizer.json'), 'utf8').catch((error: unknown) => {
    throw new UserError(
      `${folder} has no tokenizer.json (${messageOf(error)}).`,
      'Choose a model folder that holds its tokenizer.',
    );
  });
  const configText = await readFile(join(folder, 'tokenizer_config.json'), 'utf8').catch(() => '{}');
  const tokenizerJson = objectOf(tokenizerText, join(folder, 'tokenizer.json'));
  const config = objectOf(configText, join(folder, 'tokenizer_config.json'));
  const tokenizer = openTokenizer(folder, tokenizerJson, config);
  const source = await templateOf(folder, config);
  const added = addedTokens(tokenizerJson);
  const idOfAdded = new Map(added.map(({ id, content }) => [content, id]));
  const addedById = new Map(added.map(({ id, content }) => [id, content]));
  const alphabet = alphabetOf(tokenizerJson);
  const known = new Map<number, Uint8Array>();
  const encoder = new TextEncoder();
  return {
    encode: (text) => Promise.resolve(text === '' ? [] : tokenizer.encode(text, { add_special_tokens: false }).ids),
    bytesOf: (id) => {
      const found = known.get(id);
      if (found !== undefined) return found;
      const own = addedById.get(id);
      const name = own ?? tokenizer.id_to_token(id);
      const bytes =
        own !== undefined ? encoder.encode(own) : name === undefined ? new Uint8Array() : bytesOfToken(name, alphabet);
      known.set(id, bytes);
      return bytes;
    },
    isAdded: (id) => addedById.has(id),
    added: idOfAdded,
    ends: await endsOf(folder, config, idOfAdded),
    vocabularySize: vocabularySizeOf(tokenizerJson, added),
    template: source === null ? null : openChatTemplate(source, specialTexts(config)),
    digest: createHash('sha256')
      .update(tokenizerText)
      .update(source ?? '')
      .digest('hex')
      .slice(0, 16),
  };
}

function objectOf(text: string, path: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UserError(`${path} cannot be read: ${messageOf(error)}.`, 'Download the model again.');
  }
  if (isObject(value)) return value;
  throw new UserError(`${path} is no tokenizer file.`, 'Download the model again.');
}

function openTokenizer(folder: string, tokenizer: JsonObject, config: JsonObject): Tokenizer {
  try {
    return new Tokenizer(tokenizer, config);
  } catch (error) {
    throw new UserError(`The tokenizer in ${folder} cannot be used: ${messageOf(error)}.`, 'Choose another model.');
  }
}

async function templateOf(folder: string, config: JsonObject): Promise<string | null> {
  const own = config['chat_template'];
  if (typeof own === 'string') return own;
  const named = asArray(own).filter(isObject);
  const usual = named.find(({ name }) => name === 'default') ?? named[0];
  const listed = asString(usual?.['template']);
  if (listed !== null) return listed;
  return readFile(join(folder, 'chat_template.jinja'), 'utf8').catch(() => null);
}

/** "bos_token" and its like as text: a string, or an object with `content`. */
function specialTexts(config: JsonObject): Readonly<Record<string, string>> {
  const texts: Record<string, string> = {};
  for (const name of ['bos_token', 'eos_token', 'pad_token', 'unk_token']) {
    const text = textOfSpecial(config[name]);
    if (text !== null) texts[name] = text;
  }
  return texts;
}

function textOfSpecial(value: Json | undefined): string | null {
  return isObject(value) ? asString(value['content']) : asString(value);
}

function addedTokens(tokenizer: JsonObject): readonly { readonly id: number; readonly content: string }[] {
  return asArray(tokenizer['added_tokens']).flatMap((token) => {
    const id = isObject(token) ? asNumber(token['id']) : null;
    const content = isObject(token) ? asString(token['content']) : null;
    return id === null || content === null ? [] : [{ id, content }];
  });
}

function vocabularySizeOf(tokenizer: JsonObject, added: readonly { readonly id: number }[]): number {
  const model = isObject(tokenizer['model']) ? tokenizer['model'] : {};
  const vocabulary = model['vocab'];
  const own = Array.isArray(vocabulary) ? vocabulary.length : isObject(vocabulary) ? Object.keys(vocabulary).length : 0;
  return added.reduce((most, { id }) => Math.max(most, id + 1), own);
}

/** Which alphabet the names of tokens are written in, by how they are decoded. */
function alphabetOf(tokenizer: JsonObject): Alphabet {
  const decoder = JSON.stringify(tokenizer['decoder'] ?? null);
  if (decoder.includes('"ByteLevel"')) return 'byte-level';
  const marks = decoder.includes('"ByteFallback"') || decoder.includes('"Metaspace"') || decoder.includes('▁');
  return marks ? 'sentencepiece' : 'plain';
}

async function endsOf(
  folder: string,
  config: JsonObject,
  added: ReadonlyMap<string, number>,
): Promise<readonly number[]> {
  const ends = new Set<number>();
  for (const name of ['generation_config.json', 'config.json']) {
    const text = await readFile(join(folder, name), 'utf8').catch(() => null);
    if (text === null) continue;
    const eos = objectOf(text, join(folder, name))['eos_token_id'];
    for (const id of [eos, ...asArray(eos)]) if (typeof id === 'number') ends.add(id);
  }
  for (const text of [textOfSpecial(config['eos_token']), ...usualEnds]) {
    const id = text === null ? undefined : added.get(text);
    if (id !== undefined) ends.add(id);
  }
  return [...ends];
}
