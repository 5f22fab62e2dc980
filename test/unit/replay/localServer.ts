/**
 * A small HTTP server of vLLM's API (`/v1/models`, `/v1/completions`, `/tokenize`) that answers from a backend of ours, so
 * that the remote backend is tested against a real peer. It can be told to be busy, to lack `prompt_logprobs` (as servers
 * that only echo do), and it counts what it was asked.
 */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { isObject, type JsonObject } from '../../../src/base/json.ts';
import type { PolicyBackend } from '../../../src/replay/backend.ts';
import type { PolicyTokens } from '../../../src/replay/policyTokens.ts';
import type { Request } from '../../../src/replay/requests.ts';

/** How the server behaves, and what it saw; tests change it while it runs. */
export interface ServerBehaviour {
  /** Requests that are answered 503 before one is answered. */
  busy: number;
  /** Seconds in a Retry-After header of those, null for none. */
  retryAfter: number | null;
  promptLogprobs: boolean;
  /** More alternatives are refused with 400. */
  mostLogprobs: number;
  requests: number;
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

/** Starts a server on a free port of this machine. */
export async function startLocalServer(model: ServedModel): Promise<LocalServer> {
  const behaviour: ServerBehaviour = {
    busy: 0,
    retryAfter: null,
    promptLogprobs: true,
    mostLogprobs: 20,
    requests: 0,
    inFlight: 0,
    mostInFlight: 0,
  };
  const server = createServer((request, response) => {
    behaviour.requests += 1;
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
          ...(status === 503 && behaviour.retryAfter !== null ? { 'retry-after': String(behaviour.retryAfter) } : {}),
        };
        response.writeHead(status, headers).end(JSON.stringify(body));
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

/** A request function over plain fetch, as the host's is. */
export const plainRequest: Request = async ({ url, method, body }, signal) => {
  const headers = body === null ? {} : { 'content-type': 'application/json' };
  const answered = await fetch(url, { method, body, headers, ...(signal === undefined ? {} : { signal }) });
  const retryAfter = Number(answered.headers.get('retry-after') ?? Number.NaN);
  return {
    status: answered.status,
    retryAfter: Number.isFinite(retryAfter) ? retryAfter : null,
    body: await answered.text(),
  };
};

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
    return { status: 503, body: { error: { message: 'busy' } } };
  }
  const { contextLength } = model.backend.facts;
  if (request.url === '/v1/models') {
    const data = [{ id: model.name, object: 'model', owned_by: 'test', max_model_len: contextLength }];
    return { status: 200, body: { object: 'list', data } };
  }
  const text = Buffer.concat(pieces).toString();
  const body: unknown = text === '' ? {} : JSON.parse(text);
  if (!isObject(body)) return { status: 400, body: { error: { message: 'no object' } } };
  if (request.url === '/tokenize') return { status: 200, body: await tokenized(body, model) };
  if (request.url === '/v1/completions') return completion(body, serving);
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
  return sampled(body, ids, { model, signal });
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
  { model, signal }: { readonly model: ServedModel; readonly signal: AbortSignal },
): Promise<Answer> {
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
      maximumTokens: Number(body.max_tokens ?? 16),
      stop,
      banned: Object.keys(bias).map(Number),
    },
    () => undefined,
    signal,
  );
  if (sample === undefined) return { status: 500, body: {} };
  const choice = {
    text: '',
    finish_reason: sample.ended,
    stop_reason: null,
    token_ids: body.return_token_ids === true ? sample.ids : undefined,
    logprobs: { tokens: sample.ids.map((id) => `token_id:${id}`), token_logprobs: sample.logprobs, top_logprobs: null },
  };
  return { status: 200, body: { choices: [choice] } };
}
