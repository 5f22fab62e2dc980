/**
 * Samples of a policy on a server, one request and one seed each: by `/chat/completions` where the prefix is known as
 * messages and nothing is banned, else by `/completions` with the prefix as tokens. Each sample says which it was, and
 * whether the server read the same tokens. Leaves out scoring (remote.ts) and what a prefix is (branch.ts, chatMessages.ts).
 */
import { UserError } from '../base/errors.ts';
import { asArray, asNumber, asString, isObject, type Json, type JsonObject } from '../base/json.ts';
import type { AskedServer, GeneratedSample, GenerateRequest, PolicyBackend } from './backend.ts';
import type { PolicyTokens } from './policyTokens.ts';
import { checkPrompt, firstChoice, idInName, numbersIn, type RemoteServer } from './remoteServer.ts';
import { RefusedRequest } from './requests.ts';

type Generating = Parameters<PolicyBackend['generate']>;

/** Draws the samples of a request, as many at a time as the server is asked at once. */
export async function sampleRemote(
  server: RemoteServer,
  request: GenerateRequest,
  { heard, signal }: { readonly heard: Generating[1]; readonly signal: AbortSignal },
): Promise<readonly GeneratedSample[]> {
  checkPrompt(request.prefix, server.facts);
  const { messages } = request;
  if (messages !== undefined && request.banned.length === 0 && !server.chatKnown) {
    await findChat(server, messages, signal);
  }
  const samples = Array.from({ length: request.samples }, async (_, sample) => {
    const made = await drawn(server, request, { sample, signal });
    for (const [at, id] of made.ids.entries()) heard({ sample, id, logprob: made.logprobs[at] ?? Number.NaN });
    return made;
  });
  const settled = await Promise.allSettled(samples);
  signal.throwIfAborted();
  return settled.map((result) => {
    if (result.status === 'fulfilled') return result.value;
    throw result.reason;
  });
}

interface Drawing {
  readonly sample: number;
  readonly signal: AbortSignal;
}

async function drawn(
  server: RemoteServer,
  request: GenerateRequest,
  { sample, signal }: Drawing,
): Promise<GeneratedSample> {
  const { messages } = request;
  const byChat = messages !== undefined && request.banned.length === 0 && server.chatRefusal === null;
  const path = byChat ? '/chat/completions' : '/completions';
  const body = byChat ? chatBody(server, request, { sample, messages }) : completionBody(server, request, sample);
  const answer = await server.requests.post(path, body, signal);
  const choice = firstChoice(answer);
  const said = byChat ? await chatTokens(choice, server.tokens) : await completionTokens(choice, server.tokens);
  const refusal = messages !== undefined && request.banned.length === 0 ? server.chatRefusal : null;
  const read = numbersIn(choice['prompt_token_ids'] ?? answer['prompt_token_ids']);
  const asked: AskedServer = { path, refusal, samePrompt: read === null ? null : isSame(read, request.prefix) };
  return { ...sampleOf(choice, said, request), sample, asked };
}

/** One token by messages tells whether the server has a chat endpoint and a template for them. */
async function findChat(server: RemoteServer, messages: readonly JsonObject[], signal: AbortSignal): Promise<void> {
  const body = { model: server.choice.model, messages, max_tokens: 1, temperature: 0 };
  try {
    firstChoice(await server.requests.post('/chat/completions', body, signal));
  } catch (error) {
    const isNone = error instanceof RefusedRequest && [400, 404, 405, 422, 501].includes(error.status);
    if (!isNone) throw error;
    server.chatRefusal = error.message;
  }
  server.chatKnown = true;
}

/** What both endpoints take. `stop_token_ids` and what is returned besides text are vLLM's; others pass over them. */
function samplingOf(
  { choice }: RemoteServer,
  { seed, temperature, topP, topK, maximumTokens, stop }: GenerateRequest,
  sample: number,
): JsonObject {
  return {
    model: choice.model,
    n: 1,
    seed: seed + sample,
    temperature,
    top_p: topP,
    ...(topK === null ? {} : { top_k: topK }),
    max_tokens: maximumTokens,
    stop_token_ids: stop,
    return_token_ids: true,
    return_tokens_as_token_ids: true,
    skip_special_tokens: false,
  };
}

function completionBody(server: RemoteServer, request: GenerateRequest, sample: number): JsonObject {
  const { prefix, banned } = request;
  return {
    ...samplingOf(server, request, sample),
    prompt: prefix,
    logprobs: banned.length === 0 ? 1 : server.most,
    ...(banned.length === 0 ? {} : { logit_bias: Object.fromEntries(banned.map((id) => [String(id), -100])) }),
  };
}

function chatBody(
  server: RemoteServer,
  request: GenerateRequest,
  { sample, messages }: { readonly sample: number; readonly messages: readonly JsonObject[] },
): JsonObject {
  return { ...samplingOf(server, request, sample), messages, logprobs: true, top_logprobs: 1 };
}

/** What a server wrote. */
interface SaidTokens {
  readonly ids: readonly number[];
  readonly logprobs: readonly number[];
  /** The most probable tokens at each place by name, as the server gives them; empty where it does not. */
  readonly tops: readonly Json[];
}

async function completionTokens(choice: JsonObject, tokens: PolicyTokens): Promise<SaidTokens> {
  const logprobs = isObject(choice['logprobs']) ? choice['logprobs'] : {};
  const names = asArray(logprobs['tokens']);
  return {
    ids: await idsOf(choice, { names, text: asString(choice['text']) ?? '', tokens }),
    logprobs: asArray(logprobs['token_logprobs']).map((value) => asNumber(value) ?? Number.NaN),
    tops: asArray(logprobs['top_logprobs']),
  };
}

async function chatTokens(choice: JsonObject, tokens: PolicyTokens): Promise<SaidTokens> {
  const message = isObject(choice['message']) ? choice['message'] : {};
  const logprobs = isObject(choice['logprobs']) ? choice['logprobs'] : {};
  const places = asArray(logprobs['content']).map((place) => (isObject(place) ? place : {}));
  const names = places.map(({ token }) => token ?? null);
  return {
    ids: await idsOf(choice, { names, text: asString(message['content']) ?? '', tokens }),
    logprobs: places.map(({ logprob }) => asNumber(logprob) ?? Number.NaN),
    tops: [],
  };
}

/** Ids as the server gives them, else as it names them, else of its text. */
async function idsOf(
  choice: JsonObject,
  { names, text, tokens }: { readonly names: readonly Json[]; readonly text: string; readonly tokens: PolicyTokens },
): Promise<readonly number[]> {
  const own = numbersIn(choice['token_ids']);
  if (own !== null) return own;
  const named = names.map((name) => idInName(name));
  const whole = named.length > 0 && named.every((id) => id !== null);
  return whole ? named : tokens.encode(text);
}

function sampleOf(
  choice: JsonObject,
  { ids: said, logprobs, tops }: SaidTokens,
  { stop, banned, maximumTokens }: GenerateRequest,
): Omit<GeneratedSample, 'sample'> {
  if (said.length > maximumTokens + 1) {
    throw new UserError(
      `The server wrote ${said.length} tokens where ${maximumTokens} were asked for.`,
      'Check that it is an OpenAI-compatible server.',
    );
  }
  const ids = [...said];
  const ended = choice['finish_reason'] === 'length' ? 'length' : 'stop';
  const last = ids.at(-1);
  // Servers leave the stop token out of text and sometimes out of the ids.
  if (ended === 'stop' && (last === undefined || !stop.includes(last))) {
    const reason = asNumber(choice['stop_reason']);
    const end = reason !== null && stop.includes(reason) ? reason : stop[0];
    if (end !== undefined) ids.push(end);
  }
  return {
    ids,
    logprobs: ids.map((_, at) => logprobs[at] ?? Number.NaN),
    ended,
    bannedMass: bannedMassOf(tops, banned),
    seenMass: 1,
  };
}

function bannedMassOf(tops: readonly Json[], banned: readonly number[]): number {
  let most = 0;
  for (const top of tops) {
    if (!isObject(top)) continue;
    const mass = banned.reduce((sum, id) => {
      const logprob = asNumber(top[`token_id:${id}`]);
      return logprob === null ? sum : sum + Math.exp(logprob);
    }, 0);
    most = Math.max(most, mass);
  }
  return most;
}

function isSame(one: readonly number[], other: readonly number[]): boolean {
  return one.length === other.length && one.every((id, at) => id === other[at]);
}
