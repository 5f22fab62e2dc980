/**
 * What an HTTP answer brings besides its status: a body of bounded size and how long to wait before asking again.
 * Owned by whoever asks a server. Leaves out asking, and what the answer means.
 */

/** The text of a body; rejects with RangeError where it is longer than `mostBytes`, without reading on. */
export async function boundedText(body: Response['body'], mostBytes: number): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let read = 0;
  // Typed as any iterable by the DOM's types, as bytes by the standard.
  for await (const piece of (body ?? []) as AsyncIterable<Uint8Array>) {
    read += piece.length;
    if (read > mostBytes) throw new RangeError(`the answer is longer than ${Math.round(mostBytes / 1e6)} MB`);
    text += decoder.decode(piece, { stream: true });
  }
  return text + decoder.decode();
}

/** Longer waits than this are the user's decision, not ours. */
const mostWaitMs = 10 * 60_000;

/** Milliseconds of a Retry-After header (seconds, or a date), at most ten minutes; null where there is none. */
export function retryAfterMs(value: string | null, nowMs = Date.now()): number | null {
  if (value === null || value.trim() === '') return null;
  const seconds = Number(value);
  const wait = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(value) - nowMs;
  return Number.isNaN(wait) ? null : Math.min(mostWaitMs, Math.max(0, Math.round(wait)));
}
