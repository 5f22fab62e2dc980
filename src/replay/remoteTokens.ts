/**
 * The tokenizer of a server that has no tokenizer folder here: text is cut by its `/tokenize` (vLLM), which also names the
 * tokens. There is no chat template, so it serves logs that keep their chat markers or token ids.
 * Leaves out tokenizers in a folder (policyTokens.ts).
 */
import { createHash } from 'node:crypto';
import { UserError } from '../base/errors.ts';
import { asArray, asNumber, asString } from '../base/json.ts';
import type { ModelChoice } from '../protocol/replay.ts';
import { usualEnds, type PolicyTokens } from './policyTokens.ts';
import { trimmedAddress } from './remote.ts';
import { jsonRequests, type Request } from './requests.ts';
import { bytesOfToken, type Alphabet } from './tokenBytes.ts';

/** How the server is asked. */
export interface RemoteTokenOptions {
  readonly request: Request;
  readonly signal: AbortSignal;
}

/** A server does not tell its vocabulary's size: ids are what it gave us. */
const anyId = 2 ** 31 - 1;

/** Asks a server for its tokenizer. UserError where it has no `/tokenize`. */
export async function openRemoteTokens(
  choice: Extract<ModelChoice, { readonly kind: 'remote' }>,
  { request, signal }: RemoteTokenOptions,
): Promise<PolicyTokens> {
  const root = trimmedAddress(choice.endpoint).replace(/\/v1$/u, '');
  const requests = jsonRequests(root, request, choice.concurrency);
  const names = new Map<number, string>();
  const whole = new AbortController();
  const ask = async (prompt: string, asked: AbortSignal): Promise<readonly number[]> => {
    const body = { model: choice.model, prompt, add_special_tokens: false, return_token_strs: true };
    const answer = await requests.post('/tokenize', body, asked);
    const ids = asArray(answer['tokens']).flatMap((id) => asNumber(id) ?? []);
    for (const [at, name] of asArray(answer['token_strs']).entries()) {
      const [id, text] = [ids[at], asString(name)];
      if (id !== undefined && text !== null) names.set(id, text);
    }
    return ids;
  };
  const ends = new Map<string, number>();
  try {
    await ask(' a\n', signal);
    for (const end of usualEnds) {
      const [id, ...more] = await ask(end, signal);
      if (id !== undefined && more.length === 0) ends.set(end, id);
    }
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof UserError)) throw error;
    throw new UserError(
      `The server does not cut text into tokens: ${error.message}`,
      'Name a folder with the tokenizer.json of its model.',
    );
  }
  const alphabet = alphabetOf([...names.values()]);
  return {
    encode: (text) => (text === '' ? Promise.resolve([]) : ask(text, whole.signal)),
    bytesOf: (id) => {
      const name = names.get(id);
      return name === undefined ? new Uint8Array() : bytesOfToken(name, alphabet);
    },
    isAdded: (id) => /^<\|.*\|>$|^<\/?\w+>$/u.test(names.get(id) ?? ''),
    added: ends,
    ends: [...ends.values()],
    vocabularySize: anyId,
    template: null,
    digest: createHash('sha256').update(`${choice.endpoint} ${choice.model} /tokenize`).digest('hex').slice(0, 16),
  };
}

function alphabetOf(names: readonly string[]): Alphabet {
  if (names.some((name) => /[ĠĊ]/u.test(name))) return 'byte-level';
  return names.some((name) => name.includes('▁')) ? 'sentencepiece' : 'plain';
}
