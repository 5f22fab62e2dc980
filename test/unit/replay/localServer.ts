/**
 * A small HTTP server of vLLM's API (`/v1/models`, `/v1/completions`, `/v1/chat/completions`, `/tokenize`) that answers from
 * a backend of ours, so that the remote backend is tested against a real peer. It can be told to be busy, to want a key, to
 * lack `prompt_logprobs`, echo or chat, to write without end, and it counts what it was asked.
 */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { isObject, type Json, type JsonObject } from '../../../src/base/json.ts';
import type { GeneratedSample, PolicyBackend } from '../../../src/replay/backend.ts';
import { plainTemplate, type ChatMessage } from '../../../src/replay/chatTemplate.ts';
import type { PolicyTokens } from '../../../src/replay/policyTokens.ts';

/** How the server behaves, and what it saw; tests change it while it runs. */
export interface ServerBehaviour {
  /** Requests that are answered `busyStatus` before one is answered. */
  busy: number;
  busyStatus: 429 | 503;
  /** Retry-After header of those, seconds or a date; null for none. */
  retryAfter: number | string | null;
  /** Without it everything but the list of models is answered 401; null for none. */
  key: string | null;
  promptLogprobs: boolean;
  echo: boolean;
  chat: boolean;
  /** What its chat template puts before the first message, as templates with a date in them do. */
  chatPreamble: string;
  /** Bytes of spaces in front of an answer. */
  padding: number;
  /** Tokens that it writes beyond those asked for. */
  excess: number;
  /** More alternatives are refused with 400. */
  mostLogprobs: number;
  requests: number;
  /** Paths in the order in which they were asked. */
  paths: string[];
  /** Bodies of samples by messages. */
  chats: JsonObject[];
  inFlight: number;
  mostInFlight: number;
}

/** A running server. */
export interface LocalServer {
  readonly endpoint: string;
  readonly behaviour: ServerBehaviour;
  close(): Promise<void>;
}

/** What it answers from. */
export interface ServedModel {
  readonly name: string;
  readonly backend: PolicyBackend;
  readonly tokens: PolicyTokens;
}

/** A server that answers everything and was asked nothing yet. */
export function willing(): Omit<ServerBehaviour, 'inFlight'> {
  return {
    busy: 0,
    busyStatus: 503,
    retryAfter: null,
    key: null,
    promptLogprobs: true,
    echo: true,
    chat: true,
    chatPreamble: '',
    padding: 0,
    excess: 0,
    mostLogprobs: 20,
    requests: 0,
    paths: [],
    chats: [],
    mostInFlight: 0,
  };
}

/** Starts a server on a free port of this machine. */
export async function startLocalServer(model: ServedModel): Promise<LocalServer> {
  const behaviour: ServerBehaviour = { ...willing(), inFlight: 0 };
  const server = createServer((request, response) => {
    behaviour.requests += 1;
    behaviour.paths.push(request.url ?? '');
    behaviour.inFlight += 1;
    behaviour.mostInFlight = Math.max(behaviour.mostInFlight, behaviour.inFlight);
    const gone = new AbortController();
    response.on('close', () => {
      gone.abort();
    });
    answer(request, { model, behaviour, signal: gone.signal })
      .catch((error: unknown) => ({ status: 500, body: { error: { message: String(error) } } }))
      .then(({ status, body }) => {
        behaviour.inFlight -= 1;
        const headers = {
          'content-type': 'application/json',
          ...(status === behaviour.busyStatus && behaviour.retryAfter !== null
            ? { 'retry-after': String(behaviour.retryAfter) }
            : {}),
        };
        response.writeHead(status, headers);
        if (behaviour.padding > 0) response.write(' '.repeat(behaviour.padding));
        response.end(JSON.stringify(body));
      })
      .catch(() => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { endpoint: `http://127.0.0.1:${portOf(server)}/v1`, behaviour, close: () => closed(server) };
}

function portOf(server: Server): number {
  const address = server.address();
  if (typeof address === 'object' && address !== null) return address.port;
  throw new Error('the server does not listen');
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
  });
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

interface Serving {
  readonly model: ServedModel;
  readonly behaviour: ServerBehaviour;
  readonly signal: AbortSignal;
}

async function answer(request: IncomingMessage, serving: Serving): Promise<Answer> {
  const { model, behaviour } = serving;
  const pieces: Buffer[] = [];
  for await (const piece of request) if (Buffer.isBuffer(piece)) pieces.push(piece);
  if (behaviour.busy > 0) {
    behaviour.busy -= 1;
    return { status: behaviour.busyStatus, body: { error: { message: 'busy' } } };
  }
  const { contextLength } = model.backend.facts;
  if (request.url === '/v1/models') {
    const data = [{ id: model.name, object: 'model', owned_by: 'test', max_model_len: contextLength }];
    return { status: 200, body: { object: 'list', data } };
  }
  if (behaviour.key !== null && request.headers.authorization !== `Bearer ${behaviour.key}`) {
    return { status: 401, body: { error: { message: 'no such key' } } };
  }
  const text = Buffer.concat(pieces).toString();
  const body: unknown = text === '' ? {} : JSON.parse(text);
  if (!isObject(body)) return { status: 400, body: { error: { message: 'no object' } } };
  if (request.url === '/tokenize') return { status: 200, body: await tokenized(body, model) };
  if (request.url === '/v1/completions') return completion(body, serving);
  if (request.url === '/v1/chat/completions' && behaviour.chat) return chatCompletion(body, serving);
  return { status: 404, body: { detail: 'Not Found' } };
}

async function tokenized({ prompt }: JsonObject, { tokens, backend }: ServedModel): Promise<unknown> {
  const ids = await tokens.encode(String(prompt));
  // As vLLM does it: names of the vocabulary, in GPT-2's alphabet.
  const names = ids.map((id) => (tokens.isAdded(id) ? latin(tokens.bytesOf(id)) : alphabetOf(tokens.bytesOf(id))));
  return { count: ids.length, max_model_len: backend.facts.contextLength, tokens: ids, token_strs: names };
}

const latin = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

function alphabetOf(bytes: Uint8Array): string {
  const hidden = Array.from({ length: 256 }, (_, byte) => byte).filter(
    (byte) => !((byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174),
  );
  return [...bytes]
    .map((byte) => String.fromCodePoint(hidden.includes(byte) ? 256 + hidden.indexOf(byte) : byte))
    .join('');
}

function numbersOf(value: unknown): readonly number[] {
  return Array.isArray(value) ? value.map(Number) : [];
}

async function completion(body: JsonObject, { model, behaviour, signal }: Serving): Promise<Answer> {
  if (body.model !== model.name) return { status: 404, body: { error: { message: `no model ${String(body.model)}` } } };
  const ids = Array.isArray(body.prompt) ? numbersOf(body.prompt) : await model.tokens.encode(String(body.prompt));
  const asked = Number(body.prompt_logprobs ?? body.logprobs ?? 0);
  if (asked > behaviour.mostLogprobs) return { status: 400, body: { error: { message: 'too many logprobs' } } };
  if (body.prompt_logprobs !== undefined && body.echo !== true) {
    if (!behaviour.promptLogprobs) return { status: 200, body: { choices: [{ text: '', finish_reason: 'length' }] } };
    const prompt_logprobs = await promptLogprobs(ids, asked, { model, signal });
    return { status: 200, body: { choices: [{ text: '', finish_reason: 'length', prompt_logprobs }] } };
  }
  if (body.echo === true && !behaviour.echo) {
    return { status: 400, body: { error: { message: 'echo is not supported' } } };
  }
  if (body.echo === true) {
    const places = await promptLogprobs(ids, asked, { model, signal });
    const own = (at: number): number | null => places[at]?.[String(ids[at])]?.logprob ?? null;
    const logprobs = {
      tokens: ids.map((id) => `token_id:${id}`),
      token_logprobs: ids.map((_, at) => own(at)),
      top_logprobs: places.map((place) =>
        place === null
          ? null
          : Object.fromEntries(Object.entries(place).map(([id, { logprob }]) => [`token_id:${id}`, logprob])),
      ),
    };
    return { status: 200, body: { choices: [{ text: '', finish_reason: 'length', logprobs }] } };
  }
  const sample = await sampled(body, ids, { model, behaviour, signal });
  const choice = {
    text: '',
    finish_reason: sample.ended,
    stop_reason: null,
    token_ids: body.return_token_ids === true ? sample.ids : undefined,
    prompt_token_ids: body.return_token_ids === true ? ids : undefined,
    logprobs: { tokens: sample.ids.map((id) => `token_id:${id}`), token_logprobs: sample.logprobs, top_logprobs: null },
  };
  return { status: 200, body: { choices: [choice] } };
}

/** Messages through the template of the model, then as above. Calls of the history come as OpenAI's text of arguments. */
async function chatCompletion(body: JsonObject, serving: Serving): Promise<Answer> {
  const { model, behaviour } = serving;
  if (body.model !== model.name) return { status: 404, body: { error: { message: `no model ${String(body.model)}` } } };
  behaviour.chats.push(body);
  const messages = (Array.isArray(body.messages) ? body.messages : []).filter(isObject).map(chatMessage);
  const template = model.tokens.template ?? plainTemplate;
  const text = `${behaviour.chatPreamble}${template.render(messages, { tools: null, open: 'assistant' })}`;
  const ids = await model.tokens.encode(text);
  const sample = await sampled(body, ids, serving);
  const content = sample.ids.map((id, at) => ({ token: `token_id:${id}`, logprob: sample.logprobs[at] }));
  const choice = {
    message: { role: 'assistant', content: '' },
    finish_reason: sample.ended,
    stop_reason: null,
    token_ids: body.return_token_ids === true ? sample.ids : undefined,
    logprobs: body.logprobs === true ? { content } : null,
  };
  const read = body.return_token_ids === true ? { prompt_token_ids: ids } : {};
  return { status: 200, body: { choices: [choice], ...read } };
}

function chatMessage(message: JsonObject): ChatMessage {
  const calls = Array.isArray(message.tool_calls) ? message.tool_calls.filter(isObject) : [];
  const tool_calls = calls.flatMap(({ function: called }) =>
    isObject(called)
      ? [{ type: 'function' as const, function: { name: String(called.name), arguments: jsonOf(called.arguments) } }]
      : [],
  );
  return {
    role: String(message.role),
    content: String(message.content),
    ...(typeof message.reasoning_content === 'string' ? { reasoning_content: message.reasoning_content } : {}),
    ...(tool_calls.length === 0 ? {} : { tool_calls }),
  };
}

function jsonOf(text: unknown): Json {
  const value: unknown = JSON.parse(String(text));
  return isObject(value) ? value : null;
}

type Place = Record<string, { readonly logprob: number; readonly rank: number }> | null;

async function promptLogprobs(
  ids: readonly number[],
  top: number,
  { model, signal }: { readonly model: ServedModel; readonly signal: AbortSignal },
): Promise<readonly Place[]> {
  const places: Place[] = [null];
  const positions = ids.slice(1).map((_, at) => at + 1);
  const request = { ids, positions, watched: [], top };
  await model.backend.score(
    request,
    (slice) => {
      for (const [row, logprob] of slice.logprob.entries()) {
        const place: NonNullable<Place> = {};
        for (let at = 0; at < top; at += 1) {
          const other = slice.topLogprobs[row * top + at] ?? Number.NaN;
          place[String(slice.topIds[row * top + at])] = { logprob: other, rank: at + 1 };
        }
        const id = ids[slice.first + row + 1] ?? -1;
        place[String(id)] = { logprob, rank: slice.rank[row] ?? Number.NaN };
        places.push(place);
      }
    },
    signal,
  );
  return places;
}

async function sampled(
  body: JsonObject,
  prefix: readonly number[],
  { model, behaviour, signal }: Serving,
): Promise<GeneratedSample> {
  const bias = isObject(body.logit_bias) ? body.logit_bias : {};
  const stop = [...numbersOf(body.stop_token_ids), ...model.tokens.ends];
  const [sample] = await model.backend.generate(
    {
      prefix,
      samples: 1,
      seed: Number(body.seed ?? 0),
      temperature: Number(body.temperature ?? 1),
      topP: Number(body.top_p ?? 1),
      topK: null,
      maximumTokens: Number(body.max_tokens ?? 16) + behaviour.excess,
      stop,
      banned: Object.keys(bias).map(Number),
    },
    () => undefined,
    signal,
  );
  if (sample === undefined) throw new Error('no sample');
  return sample;
}
