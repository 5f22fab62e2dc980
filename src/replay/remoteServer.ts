/**
 * An OpenAI-compatible server as remote.ts and remoteSamples.ts share it: what was found out of it by asking, and the parts
 * of its answers that both read. Leaves out what is asked.
 */
import { UserError } from '../base/errors.ts';
import { asArray, asNumber, asString, isObject, type Json, type JsonObject } from '../base/json.ts';
import type { BackendFacts, ModelChoice } from '../protocol/replay.ts';
import type { PolicyTokens } from './policyTokens.ts';
import type { JsonRequests } from './requests.ts';

/** A model of a server. */
export type RemoteChoice = Extract<ModelChoice, { readonly kind: 'remote' }>;

/** How a server gives log-probs of a prompt. */
export type PromptWay = 'prompt_logprobs' | 'echo' | 'none';

/** A server that is open. */
export interface RemoteServer {
  readonly choice: RemoteChoice;
  readonly requests: JsonRequests;
  readonly tokens: PolicyTokens;
  readonly facts: BackendFacts;
  readonly way: PromptWay;
  /** Alternatives it is willing to give. */
  most: number;
  /** Whether it takes messages is found out before the first are sent; then why it does not, null where it does. */
  chatKnown: boolean;
  chatRefusal: string | null;
}

/** Ids and lengths are checked here, as a local model's are: a server's answer to nonsense is anything. */
export function checkPrompt(ids: readonly number[], { contextLength, vocabularySize, name }: BackendFacts): void {
  if (ids.length > contextLength) {
    throw new UserError(`${name} reads at most ${contextLength} tokens; these are ${ids.length}.`, null);
  }
  if (ids.some((id) => !Number.isInteger(id) || id < 0 || id >= vocabularySize)) {
    throw new UserError(`Some ids are not in the vocabulary of ${name} (${vocabularySize}).`, null);
  }
}

/** The choice of an answer; UserError where it has none. */
export function firstChoice(answer: JsonObject): JsonObject {
  const [choice] = asArray(answer['choices']);
  if (isObject(choice)) return choice;
  throw new UserError('The server answered without a choice.', 'Check that it is an OpenAI-compatible server.');
}

/** The id in "token_id:7", as vLLM names tokens where it is asked to; null for any other text. */
export function idInName(name: Json | undefined): number | null {
  const id = /^token_id:(?<id>\d+)$/u.exec(asString(name) ?? '')?.groups?.['id'];
  return id === undefined ? null : Number(id);
}

/** All numbers of a list; null where it is none or holds anything else. */
export function numbersIn(list: Json | undefined): readonly number[] | null {
  const values = asArray(list).map((value) => asNumber(value));
  return values.length > 0 && values.every((value) => value !== null) ? values : null;
}
