/** One question to a judge over real HTTP: what is sent, what each answer means, who gets the key, and when to ask again. */
import { afterEach, describe, expect, it } from 'vitest';
import { isAbort } from '../../../src/base/errors.ts';
import { endpointKey, setEndpointKey, type Secrets } from '../../../src/host/endpointKey.ts';
import { judgeSentences } from '../../../src/host/judgeEndpoint.ts';
import { askEndpoint, endpointAddress, type JudgeAnswer } from '../../../src/protocol/judgeEndpoint.ts';
import { l10n } from '../views/translator.ts';
import { completion, startJudgeServer, type JudgeReply, type JudgeServer } from './judgeServer.ts';

let server: JudgeServer | null = null;
afterEach(async () => {
  await server?.close();
  server = null;
});

const question = { prompt: 'Is it strategic?', maximumTokens: 200 };

async function ask(
  reply: JudgeReply | null,
  options: { readonly key?: string; readonly timeoutMs?: number; readonly signal?: AbortSignal } = {},
): Promise<JudgeAnswer> {
  server = await startJudgeServer(() => reply);
  return askEndpoint(question, {
    endpoint: { address: server.endpoint, model: 'small', key: options.key ?? null },
    fetch,
    signal: options.signal ?? new AbortController().signal,
    timeoutMs: options.timeoutMs ?? 5_000,
    sentences: judgeSentences(l10n),
  });
}

describe('askEndpoint', () => {
  it('asks for one chat completion, with the key where there is one', async () => {
    const answer = await ask({ body: completion('{"score": 1}') }, { key: 'secret' });
    expect(answer).toEqual({ text: '{"score": 1}', failure: null, retryAfterMs: null, again: true });
    expect(server?.requests).toHaveLength(1);
    const [request] = server?.requests ?? [];
    expect(request?.path).toBe('/v1/chat/completions');
    expect(request?.authorization).toBe('Bearer secret');
    expect(JSON.parse(request?.body ?? '')).toEqual({
      model: 'small',
      messages: [{ role: 'user', content: 'Is it strategic?' }],
      max_tokens: 200,
      temperature: 0,
    });
  });

  it('sends no authorization without a key', async () => {
    await ask({ body: completion('x') });
    expect(server?.requests[0]?.authorization).toBeNull();
  });

  const error = (message: string) => JSON.stringify({ error: { message } });
  it.each<readonly [what: string, reply: JudgeReply, failure: RegExp, again: boolean, retryAfterMs: number | null]>([
    ['too many requests', { status: 429, headers: { 'retry-after': '7' }, body: '' }, /answered 429\./, true, 7_000],
    ['overloaded', { status: 503, body: error('busy') }, /answered 503: busy\./, true, null],
    ['a bug', { status: 500, body: '<html>oops</html>' }, /answered 500\./, true, null],
    ['a bad request', { status: 400, body: error('max_tokens is too large') }, /max_tokens is too large/, false, null],
    [
      'no key',
      { status: 401, body: error('no key') },
      /refuses the key \(401: no key\)\. Use "Set Judge Key…"/,
      false,
      null,
    ],
    ['no such model', { status: 404, body: error('no model "small"') }, /no such address or model/, false, null],
    [
      'elsewhere',
      { status: 307, headers: { location: 'http://127.0.0.1:9/' }, body: '' },
      /points elsewhere/,
      false,
      null,
    ],
    ['a page', { body: '<html>log in</html>' }, /no chat completion/, false, null],
    ['JSON of another kind', { body: '[1, 2]' }, /no chat completion/, false, null],
    ['an empty answer', { body: completion('  ') }, /empty answer/, true, null],
    ['an answer without text', { body: completion(null) }, /no chat completion/, false, null],
    ['an endless answer', { body: 'x'.repeat(1_200_000) }, /longer than 1 MB/, true, null],
  ])('%s', async (_, reply, failure, again, wait) => {
    const answer = await ask(reply);
    expect(answer.text).toBeNull();
    expect(answer.failure).toMatch(failure);
    expect([answer.again, answer.retryAfterMs]).toEqual([again, wait]);
    // Nothing is sent to another address, whatever the server says.
    expect(server?.requests).toHaveLength(1);
  });

  it('says that nobody answers in time, and can be asked again', async () => {
    const answer = await ask({ body: completion('late'), delayMs: 2_000 }, { timeoutMs: 100 });
    expect(answer).toMatchObject({ text: null, again: true });
    expect(answer.failure).toMatch(/did not answer within 0 s/);
  });

  it('says that a connection was cut', async () => {
    const answer = await ask(null);
    expect(answer).toMatchObject({ text: null, again: true });
    expect(answer.failure).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/v1 cannot be reached \(.+\)\.$/);
  });

  it('says that nobody is there', async () => {
    server = await startJudgeServer(() => null);
    const address = server.endpoint;
    await server.close();
    const signal = new AbortController().signal;
    const endpoint = { address, model: 'small', key: null };
    const answer = await askEndpoint(question, {
      endpoint,
      fetch,
      signal,
      timeoutMs: 5_000,
      sentences: judgeSentences(l10n),
    });
    expect(answer.failure).toMatch(/cannot be reached \(ECONNREFUSED\)/);
    expect(answer.again).toBe(true);
  });

  it('rejects when it is cancelled, as cancelled', async () => {
    const controller = new AbortController();
    setTimeout(() => {
      controller.abort();
    }, 50);
    const asked = ask({ body: completion('late'), delayMs: 3_000 }, { signal: controller.signal });
    const failure: unknown = await asked.catch((cause: unknown) => cause);
    expect(isAbort(failure)).toBe(true);
  });
});

it.each([
  ['http://127.0.0.1:8000/v1', 'http://127.0.0.1:8000/v1'],
  ['  https://api.example.com/v1/ ', 'https://api.example.com/v1'],
  ['https://api.example.com', 'https://api.example.com'],
  ['https://api.example.com/v1?x=1#y', 'https://api.example.com/v1'],
  ['https://user:key@api.example.com/v1', null],
  ['file:///etc/passwd', null],
  ['localhost:8000', null],
  ['', null],
])('the address of %j is %j', (text, address) => {
  expect(endpointAddress(text)).toBe(address);
});

describe('keys', () => {
  const storage = (): Secrets & { readonly kept: Map<string, string> } => {
    const kept = new Map<string, string>();
    return {
      kept,
      get: (name) => Promise.resolve(kept.get(name)),
      store: (name, value) => Promise.resolve(void kept.set(name, value)),
      delete: (name) => Promise.resolve(void kept.delete(name)),
    };
  };
  it('are handed to the origin they were set for, whatever the path, and to no other', async () => {
    const secrets = storage();
    await setEndpointKey(secrets, { owner: 'judge', address: 'https://api.example.com/v1', key: 'secret' });
    expect(await endpointKey(secrets, 'judge', 'https://api.example.com/v2')).toBe('secret');
    expect(await endpointKey(secrets, 'replay', 'https://api.example.com/v1')).toBeNull();
    for (const other of ['https://api.example.com:8443/v1', 'http://api.example.com/v1', 'https://evil.example.com/v1'])
      expect(await endpointKey(secrets, 'judge', other), other).toBeNull();
  });
  it('are gone once they were removed', async () => {
    const secrets = storage();
    const address = 'https://api.example.com';
    await setEndpointKey(secrets, { owner: 'judge', address, key: 'secret' });
    await setEndpointKey(secrets, { owner: 'judge', address, key: null });
    expect(await endpointKey(secrets, 'judge', address)).toBeNull();
    expect([...secrets.kept]).toEqual([]);
  });
});
