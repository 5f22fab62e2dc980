/**
 * The network of the command line: requests to a model server by plain fetch, with the key of the environment. Answers are
 * bounded, and a redirect is refused: it could lead the key elsewhere. Leaves out retries (replay/requests.ts).
 */
import { boundedText, retryAfterMs } from '../base/httpAnswer.ts';
import { AnswerTooLong, type Request } from '../replay/requests.ts';

/** Environment variable of the key. */
export const serverKeyVariable = 'OPENAI_API_KEY';

/** Longest answer that is taken: log-probs of a long prompt are some tens of MB. */
const mostBytes = 200_000_000;

/** Asks once. Rejects where nobody answers, or with too much. */
export const plainRequest: Request = async ({ url, method, body }, signal) => {
  const key = process.env[serverKeyVariable] ?? '';
  const answer = await fetch(url, {
    method,
    body,
    headers: {
      ...(body === null ? {} : { 'content-type': 'application/json' }),
      ...(key === '' ? {} : { authorization: `Bearer ${key}` }),
    },
    redirect: 'error',
    ...(signal === undefined ? {} : { signal }),
  });
  const wait = retryAfterMs(answer.headers.get('retry-after'));
  const text = await boundedText(answer.body, mostBytes).catch((error: unknown) => {
    throw error instanceof RangeError ? new AnswerTooLong(url, mostBytes) : error;
  });
  return { status: answer.status, retryAfter: wait === null ? null : wait / 1000, body: text };
};
