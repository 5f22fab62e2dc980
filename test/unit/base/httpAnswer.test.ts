/** Bodies end where they are too long, and a pause is read as it is asked for. */
import { describe, expect, it } from 'vitest';
import { boundedText, retryAfterMs } from '../../../src/base/httpAnswer.ts';

describe('boundedText', () => {
  it('gives the text of a body, characters over two pieces whole', async () => {
    const bytes = new TextEncoder().encode('naïve');
    const pieces = new ReadableStream<Uint8Array>({
      start: (controller) => {
        controller.enqueue(bytes.slice(0, 3));
        controller.enqueue(bytes.slice(3));
        controller.close();
      },
    });
    expect(await boundedText(pieces, 6)).toBe('naïve');
    expect(await boundedText(null, 0)).toBe('');
  });

  it('does not read on where it is too long', async () => {
    let given = 0;
    let cancelled = false;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        given += 1;
        controller.enqueue(new Uint8Array(1_000_000));
      },
      cancel: () => {
        cancelled = true;
      },
    });
    await expect(boundedText(endless, 3_000_000)).rejects.toThrow(new RangeError('the answer is longer than 3 MB'));
    expect(given).toBeLessThan(8);
    expect(cancelled).toBe(true);
  });
});

it.each([
  ['7', 7_000],
  ['0', 0],
  ['-3', 0],
  ['Mon, 01 Jan 2024 00:00:10 GMT', 10_000],
  ['Mon, 01 Jan 2024 00:00:00 GMT', 0],
  ['1e9', 600_000],
  ['soon', null],
  ['', null],
  [null, null],
])('Retry-After %j is %j ms', (value, wait) => {
  expect(retryAfterMs(value, Date.parse('2024-01-01T00:00:00Z'))).toBe(wait);
});
