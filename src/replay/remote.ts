/**
 * A policy on an OpenAI-compatible server (vLLM, SGLang): teacher forcing by `/completions` with `prompt_logprobs`, else
 * with `echo` and `logprobs`; samples by `/completions` with a seed each. Token ids in, numbers out, as backend.ts says.
 * Leaves out the network (requests.ts) and the tokenizer (policyTokens.ts, remoteTokens.ts).
 */
import { createHash } from 'node:crypto';
import { UserError } from '../base/errors.ts';
import { asArray, asNumber, asString, isObject, type Json, type JsonObject } from '../base/json.ts';
import type { BackendFacts, ModelChoice, ScoredTokens } from '../protocol/replay.ts';
import type { GeneratedSample, GenerateRequest, PolicyBackend, ScoreRequest } from './backend.ts';
import type { PolicyTokens } from './policyTokens.ts';
import { jsonRequests, RefusedRequest, type JsonRequests, type Request } from './requests.ts';
import { temperedLogprob } from './temperedValue.ts';

type RemoteChoice = Extract<ModelChoice, { readonly kind: 'remote' }>;

/** How a server is opened. */
export interface RemoteOptions {
  readonly request: Request;
  readonly tokens: PolicyTokens;
  readonly signal: AbortSignal;
}

/** Where a server does not say it. */
const unknownContextLength = 32_768;
/** Alternatives that servers give unless they are told otherwise (vLLM: `--max-logprobs 20`). */
const mostAlternatives = 20;
const fewAlternatives = 5;

/** Opens a model of a server. UserError where it does not answer or has no such model. */
export async function openRemoteBackend(choice: RemoteChoice, options: RemoteOptions): Promise<PolicyBackend> {
  const requests = jsonRequests(trimmedAddress(choice.endpoint), options.request, choice.concurrency);
  const models = asArray((await requests.get('/models', options.signal))['data']).filter(isObject);
  const own = models.find(({ id }) => id === choice.model);
  if (own === undefined) {
    const names = models.flatMap(({ id }) => asString(id) ?? []).slice(0, 10);
    throw new UserError(
      `The server at ${choice.endpoint} has no model ${choice.model}.`,
      names.length === 0 ? null : `It has: ${names.join(', ')}.`,
    );
  }
  const facts = factsOf(choice, own, options.tokens);
  const server: Server = {
    choice,
    requests,
    tokens: options.tokens,
    facts,
    way: 'prompt_logprobs',
    most: mostAlternatives,
  };
  return {
    facts,
    score: (request, heard, signal) => score(server, request, { heard, signal }),
    generate: (request, heard, signal) => generate(server, request, { heard, signal }),
    dispose: () => Promise.resolve(),
  };
}

/** "http://host:8000/v1" without a slash at its end. */
export function trimmedAddress(endpoint: string): string {
  return endpoint.replace(/\/+$/u, '');
}

interface Server {
  readonly choice: RemoteChoice;
  readonly requests: JsonRequests;
  readonly tokens: PolicyTokens;
  readonly facts: BackendFacts;
  /** How it gives log-probs of a prompt; found out by asking. */
  way: 'prompt_logprobs' | 'echo';
  /** Alternatives it is willing to give. */
  most: number;
}

function factsOf(choice: RemoteChoice, model: JsonObject, tokens: PolicyTokens): BackendFacts {
  const provenance = [
    { name: 'endpoint', value: choice.endpoint },
    { name: 'model', value: choice.model },
    { name: 'root', value: asString(model['root']) },
    { name: 'owned_by', value: asString(model['owned_by']) },
  ];
  return {
    name: choice.model,
    kind: 'remote',
    precision: 'unknown',
    provider: 'server',
    attempts: [],
    vocabularySize: tokens.vocabularySize,
    contextLength: asNumber(model['max_model_len']) ?? unknownContextLength,
    selfTest: null,
    slowPath: null,
    warnings: [
      'The server does not say in which precision it runs, nor which weights: only the name of the model is known.',
      'It tells no entropy; the opener of a call is seen only where it is among the most probable tokens.',
    ],
    provenance,
    provenanceId: createHash('sha256').update(JSON.stringify(provenance)).digest('hex').slice(0, 16),
  };
}

interface Scoring {
  readonly heard: (slice: ScoredTokens) => void;
  readonly signal: AbortSignal;
}

/** What a server said of one place of a prompt. */
interface PromptToken {
  readonly logprob: number;
  readonly rank: number;
  /** Alternatives by id, the token itself among them. */
  readonly others: ReadonlyMap<number, number>;
}

async function score(server: Server, request: ScoreRequest, { heard, signal }: Scoring): Promise<void> {
  checkRequest(request.ids, server.facts);
  if (request.positions.length === 0) return;
  const { temperature } = request;
  const asked = request.top > 0 || request.watched.length > 0 ? Math.max(request.top, fewAlternatives) : 0;
  const wanted = temperature === undefined ? asked : mostAlternatives;
  const found = await promptTokens(server, request.ids, { most: wanted, signal });
  const { positions, watched, top } = request;
  const rows = positions.map(
    (position) => found[position] ?? { logprob: Number.NaN, rank: Number.NaN, others: new Map() },
  );
  const ranked = rows.map(({ others }) => [...others].sort(([idA, a], [idB, b]) => b - a || idA - idB).slice(0, top));
  heard({
    first: 0,
    logprob: Float32Array.from(rows, ({ logprob }) => logprob),
    entropy: new Float32Array(rows.length).fill(Number.NaN),
    rank: Float32Array.from(rows, ({ rank }) => rank),
    watched: Float32Array.from(rows.flatMap(({ others }) => watched.map((id) => others.get(id) ?? Number.NaN))),
    ...(temperature === undefined
      ? {}
      : { tempered: Float32Array.from(rows, (row) => temperedOf(row, temperature, server.facts.vocabularySize)) }),
    topIds: Int32Array.from(ranked.flatMap((row) => Array.from({ length: top }, (_, at) => row[at]?.[0] ?? -1))),
    topLogprobs: Float32Array.from(
      ranked.flatMap((row) => Array.from({ length: top }, (_, at) => row[at]?.[1] ?? Number.NaN)),
    ),
  });
}

/** A server tells no sum over its vocabulary: the value is given where the most probable tokens decide it. */
function temperedOf({ logprob, others }: PromptToken, temperature: number, vocabularySize: number): number {
  const most = [...others.values()];
  return most.length < 2 ? Number.NaN : temperedLogprob({ own: logprob, most, vocabularySize }, temperature);
}

/** Ids and lengths are checked here, as a local model's are: a server's answer to nonsense is anything. */
function checkRequest(ids: readonly number[], { contextLength, vocabularySize, name }: BackendFacts): void {
  if (ids.length > contextLength) {
    throw new UserError(`${name} reads at most ${contextLength} tokens; these are ${ids.length}.`, null);
  }
  if (ids.some((id) => !Number.isInteger(id) || id < 0 || id >= vocabularySize)) {
    throw new UserError(`Some ids are not in the vocabulary of ${name} (${vocabularySize}).`, null);
  }
}

interface PromptQuestion {
  readonly most: number;
  readonly signal: AbortSignal;
}

async function promptTokens(
  server: Server,
  ids: readonly number[],
  { most, signal }: PromptQuestion,
): Promise<readonly (PromptToken | null)[]> {
  for (;;) {
    const count = Math.min(most, server.most);
    try {
      const answer = await server.requests.post('/completions', questionOf(server, ids, count), signal);
      const choice = firstChoice(answer);
      const own = asArray(choice['prompt_logprobs']);
      if (own.length === ids.length) return own.map((place, at) => promptToken(place, ids[at] ?? -1));
      if (server.way === 'echo') return await echoedTokens(choice, ids, server.tokens);
      server.way = 'echo';
    } catch (error) {
      const tooMany = error instanceof RefusedRequest && error.status < 500 && count > fewAlternatives;
      if (!tooMany) throw error;
      server.most = fewAlternatives;
    }
  }
}

function questionOf({ choice, way }: Server, ids: readonly number[], count: number): JsonObject {
  const common = { model: choice.model, prompt: ids, max_tokens: 1, temperature: 0 };
  return way === 'prompt_logprobs'
    ? { ...common, prompt_logprobs: count }
    : { ...common, echo: true, logprobs: Math.max(1, count), return_tokens_as_token_ids: true };
}

function firstChoice(answer: JsonObject): JsonObject {
  const [choice] = asArray(answer['choices']);
  if (isObject(choice)) return choice;
  throw new UserError('The server answered without a choice.', 'Check that it is an OpenAI-compatible server.');
}

/** vLLM: `{"<id>": {"logprob", "rank"}}`, null for the first token. */
function promptToken(place: Json, id: number): PromptToken | null {
  if (!isObject(place)) return null;
  const others = new Map<number, number>();
  for (const [key, value] of Object.entries(place)) {
    const logprob = isObject(value) ? asNumber(value['logprob']) : null;
    if (logprob !== null) others.set(Number(key), logprob);
  }
  const own = place[String(id)];
  return {
    logprob: others.get(id) ?? Number.NaN,
    rank: (isObject(own) ? asNumber(own['rank']) : null) ?? Number.NaN,
    others,
  };
}

/** OpenAI's older form: parallel arrays over prompt and completion, alternatives by text or as "token_id:7". */
async function echoedTokens(
  choice: JsonObject,
  ids: readonly number[],
  tokens: PolicyTokens,
): Promise<readonly (PromptToken | null)[]> {
  const logprobs = isObject(choice['logprobs']) ? choice['logprobs'] : {};
  const values = asArray(logprobs['token_logprobs']);
  const tops = asArray(logprobs['top_logprobs']);
  if (values.length < ids.length) {
    throw new UserError(
      'The server gives no log-probs of a prompt.',
      'It must answer /v1/completions with prompt_logprobs (vLLM) or with echo and logprobs.',
    );
  }
  const known = new Map<string, number | null>();
  return Promise.all(
    ids.map(async (id, at) => {
      const logprob = asNumber(values[at]);
      if (logprob === null) return null;
      const others = new Map<number, number>([[id, logprob]]);
      const top = tops[at];
      for (const [text, value] of Object.entries(isObject(top) ? top : {})) {
        const other = known.get(text) ?? (await idOfText(text, tokens));
        known.set(text, other);
        if (other !== null && typeof value === 'number' && !others.has(other)) others.set(other, value);
      }
      const above = [...others.values()].filter((value) => value > logprob).length;
      return { logprob, rank: above < others.size - 1 ? above + 1 : Number.NaN, others };
    }),
  );
}

async function idOfText(text: string, tokens: PolicyTokens): Promise<number | null> {
  const named = /^token_id:(?<id>\d+)$/u.exec(text)?.groups?.['id'];
  if (named !== undefined) return Number(named);
  const ids = await tokens.encode(text);
  return ids.length === 1 ? (ids[0] ?? null) : null;
}

type Generating = Parameters<PolicyBackend['generate']>;

async function generate(
  server: Server,
  request: GenerateRequest,
  { heard, signal }: { readonly heard: Generating[1]; readonly signal: AbortSignal },
): Promise<readonly GeneratedSample[]> {
  checkRequest(request.prefix, server.facts);
  const samples = Array.from({ length: request.samples }, async (_, sample) => {
    const answer = await server.requests.post('/completions', samplingOf(server, request, sample), signal);
    const made = await sampleOf(firstChoice(answer), { server, request, sample });
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

function samplingOf({ choice, most }: Server, request: GenerateRequest, sample: number): JsonObject {
  const { prefix, seed, temperature, topP, topK, maximumTokens, stop, banned } = request;
  return {
    model: choice.model,
    prompt: prefix,
    n: 1,
    seed: seed + sample,
    temperature,
    top_p: topP,
    ...(topK === null ? {} : { top_k: topK }),
    max_tokens: maximumTokens,
    stop_token_ids: stop,
    logprobs: banned.length === 0 ? 1 : most,
    return_token_ids: true,
    return_tokens_as_token_ids: true,
    skip_special_tokens: false,
    ...(banned.length === 0 ? {} : { logit_bias: Object.fromEntries(banned.map((id) => [String(id), -100])) }),
  };
}

async function sampleOf(
  choice: JsonObject,
  { server, request, sample }: { server: Server; request: GenerateRequest; sample: number },
): Promise<GeneratedSample> {
  const logprobs = isObject(choice['logprobs']) ? choice['logprobs'] : {};
  const values = asArray(logprobs['token_logprobs']).map((value) => asNumber(value) ?? Number.NaN);
  const ids = [...(await idsOf(choice, logprobs, server.tokens))];
  const ended = choice['finish_reason'] === 'length' ? 'length' : 'stop';
  const last = ids.at(-1);
  // Servers leave the stop token out of text and sometimes out of the ids.
  if (ended === 'stop' && (last === undefined || !request.stop.includes(last))) {
    const reason = asNumber(choice['stop_reason']);
    const end = reason !== null && request.stop.includes(reason) ? reason : request.stop[0];
    if (end !== undefined) ids.push(end);
  }
  return {
    sample,
    ids,
    logprobs: ids.map((_, at) => values[at] ?? Number.NaN),
    ended,
    bannedMass: bannedMassOf(asArray(logprobs['top_logprobs']), request.banned),
    seenMass: 1,
  };
}

async function idsOf(choice: JsonObject, logprobs: JsonObject, tokens: PolicyTokens): Promise<readonly number[]> {
  const own = asArray(choice['token_ids']).flatMap((id) => asNumber(id) ?? []);
  if (own.length > 0) return own;
  const named = asArray(logprobs['tokens']).map((token) => /^token_id:(\d+)$/u.exec(asString(token) ?? '')?.[1]);
  if (named.length > 0 && named.every((id) => id !== undefined)) return named.map(Number);
  return tokens.encode(asString(choice['text']) ?? '');
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
