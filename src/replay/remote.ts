/**
 * A policy on an OpenAI-compatible server (vLLM, SGLang): teacher forcing by `/completions` with `prompt_logprobs`, else
 * with `echo` and `logprobs`; a server that has neither is only sampled from, and says so. Token ids in, numbers out, as
 * backend.ts says. Leaves out samples (remoteSamples.ts), the network (requests.ts) and the tokenizer.
 */
import { createHash } from 'node:crypto';
import { UserError } from '../base/errors.ts';
import { asArray, asNumber, asString, isObject, type Json, type JsonObject } from '../base/json.ts';
import type { BackendFacts, ScoredTokens } from '../protocol/replay.ts';
import { replayTexts } from '../protocol/replayTexts.ts';
import { CannotScore, type PolicyBackend, type ScoreRequest } from './backend.ts';
import type { PolicyTokens } from './policyTokens.ts';
import { sampleRemote } from './remoteSamples.ts';
import {
  checkPrompt,
  firstChoice,
  idInName,
  type PromptWay,
  type RemoteChoice,
  type RemoteServer,
} from './remoteServer.ts';
import { jsonRequests, RefusedRequest, type JsonRequests, type Request } from './requests.ts';
import { temperedLogprob } from './temperedValue.ts';

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
  const { tokens, signal } = options;
  const requests = jsonRequests(trimmedAddress(choice.endpoint), options.request, choice.concurrency);
  const listed = await requests.get('/models', signal).catch((error: unknown) => {
    const isElsewhere = error instanceof RefusedRequest && error.status === 404 && !/\/v\d+\/*$/u.test(choice.endpoint);
    throw isElsewhere ? new UserError(error.message, 'Addresses of such servers usually end in /v1.') : error;
  });
  const models = asArray(listed['data']).filter(isObject);
  const own = models.find(({ id }) => id === choice.model);
  if (own === undefined) {
    const names = models.flatMap(({ id }) => asString(id) ?? []).slice(0, 10);
    throw new UserError(
      choice.model === ''
        ? `No model of the server at ${choice.endpoint} is named.`
        : `The server at ${choice.endpoint} has no model ${choice.model}.`,
      names.length === 0 ? null : `It has: ${names.join(', ')}.`,
    );
  }
  const way = await findWay(choice, { requests, tokens, signal });
  const facts = factsOf(choice, own, { tokens, way });
  const server: RemoteServer = {
    choice,
    requests,
    tokens,
    facts,
    way,
    most: mostAlternatives,
    chatKnown: false,
    chatRefusal: null,
  };
  return {
    facts,
    score: (request, heard, signal) => score(server, request, { heard, signal }),
    generate: (request, heard, signal) => sampleRemote(server, request, { heard, signal }),
    dispose: () => Promise.resolve(),
  };
}

/** "http://host:8000/v1" without a slash at its end. */
export function trimmedAddress(endpoint: string): string {
  return endpoint.replace(/\/+$/u, '');
}

interface Finding {
  readonly requests: JsonRequests;
  readonly tokens: PolicyTokens;
  readonly signal: AbortSignal;
}

/** Asks for log-probs of two tokens, the better way first. */
async function findWay(choice: RemoteChoice, { requests, tokens, signal }: Finding): Promise<PromptWay> {
  const known = await tokens.encode('a b');
  const ids = known.length > 1 ? known : [...known, ...known];
  for (const way of ['prompt_logprobs', 'echo'] as const) {
    try {
      const answer = await requests.post('/completions', questionOf({ choice, way }, ids, 1), signal);
      const found = firstChoice(answer);
      const values = way === 'echo' ? echoedValues(found) : asArray(found['prompt_logprobs']);
      if (values.length >= ids.length) return way;
    } catch (error) {
      // Without the key, or down for good, is no answer to the question.
      if (!(error instanceof RefusedRequest) || ![400, 404, 405, 422, 501].includes(error.status)) throw error;
    }
  }
  return 'none';
}

function factsOf(
  choice: RemoteChoice,
  model: JsonObject,
  { tokens, way }: { readonly tokens: PolicyTokens; readonly way: PromptWay },
): BackendFacts {
  const provenance = [
    { name: 'endpoint', value: choice.endpoint },
    { name: 'model', value: choice.model },
    { name: 'root', value: asString(model['root']) },
    { name: 'owned_by', value: asString(model['owned_by']) },
  ].filter(({ value }) => value !== null);
  return {
    name: choice.model,
    kind: 'remote',
    precision: 'unknown',
    provider: `server at ${URL.canParse(choice.endpoint) ? new URL(choice.endpoint).host : choice.endpoint}`,
    attempts: [],
    vocabularySize: tokens.vocabularySize,
    contextLength: asNumber(model['max_model_len']) ?? unknownContextLength,
    selfTest: null,
    slowPath: null,
    warnings: [replayTexts.serverUnknown, replayTexts.serverTells[way]],
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

async function score(server: RemoteServer, request: ScoreRequest, { heard, signal }: Scoring): Promise<void> {
  checkPrompt(request.ids, server.facts);
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

interface PromptQuestion {
  readonly most: number;
  readonly signal: AbortSignal;
}

async function promptTokens(
  server: RemoteServer,
  ids: readonly number[],
  { most, signal }: PromptQuestion,
): Promise<readonly (PromptToken | null)[]> {
  if (server.way === 'none') throw new CannotScore(replayTexts.serverTells.none, replayTexts.serverShould);
  for (;;) {
    const count = Math.min(most, server.most);
    try {
      const answer = await server.requests.post('/completions', questionOf(server, ids, count), signal);
      const choice = firstChoice(answer);
      if (server.way === 'echo') return await echoedTokens(choice, ids, server.tokens);
      const own = asArray(choice['prompt_logprobs']);
      if (own.length !== ids.length) throw new CannotScore(replayTexts.serverTells.none, replayTexts.serverShould);
      return own.map((place, at) => promptToken(place, ids[at] ?? -1));
    } catch (error) {
      const tooMany = error instanceof RefusedRequest && error.status < 500 && count > fewAlternatives;
      if (!tooMany) throw error;
      server.most = fewAlternatives;
    }
  }
}

function questionOf(
  { choice, way }: Pick<RemoteServer, 'choice' | 'way'>,
  ids: readonly number[],
  count: number,
): JsonObject {
  const common = { model: choice.model, prompt: ids, max_tokens: 1, temperature: 0 };
  return way === 'echo'
    ? { ...common, echo: true, logprobs: Math.max(1, count), return_tokens_as_token_ids: true }
    : { ...common, prompt_logprobs: count };
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
  const values = echoedValues(choice);
  const tops = asArray(logprobs['top_logprobs']);
  if (values.length < ids.length) throw new CannotScore(replayTexts.serverTells.none, replayTexts.serverShould);
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

function echoedValues(choice: JsonObject): readonly Json[] {
  return asArray(isObject(choice['logprobs']) ? choice['logprobs']['token_logprobs'] : undefined);
}

async function idOfText(text: string, tokens: PolicyTokens): Promise<number | null> {
  const named = idInName(text);
  if (named !== null) return named;
  const ids = await tokens.encode(text);
  return ids.length === 1 ? (ids[0] ?? null) : null;
}
