/**
 * Asks while something moves: waits until it rests a moment, takes back a question that a later one replaced, and hands
 * over the last answer only. What was shown stays until then. Leaves out what is asked.
 */

/** What is asked, and who hears of it. */
export interface LatestOptions<Answer> {
  readonly delayMs: number;
  readonly ask: (signal: AbortSignal) => Promise<Answer>;
  readonly onAnswer: (answer: Answer) => void;
  readonly onError: (error: unknown) => void;
  /** True while an answer is awaited. */
  readonly onBusy: (busy: boolean) => void;
}

/** A question that can be put again and again. */
export interface Latest {
  /** Asks once it rests. */
  soon(): void;
  /** Asks at once. */
  now(): void;
  /** Takes back what is asked; nothing is heard of it. */
  stop(): void;
}

/** Makes the question. */
export function makeLatest<Answer>(options: LatestOptions<Answer>): Latest {
  let timer: ReturnType<typeof setTimeout> | null = null;
  let current: AbortController | null = null;
  const forget = (): void => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    current?.abort();
    current = null;
  };
  const now = (): void => {
    forget();
    const mine = new AbortController();
    current = mine;
    options.onBusy(true);
    options.ask(mine.signal).then(
      (answer) => {
        if (current !== mine) return;
        current = null;
        options.onBusy(false);
        options.onAnswer(answer);
      },
      (error: unknown) => {
        if (current !== mine) return;
        current = null;
        options.onBusy(false);
        options.onError(error);
      },
    );
  };
  return {
    now,
    soon: () => {
      if (timer !== null) clearTimeout(timer);
      timer = setTimeout(now, options.delayMs);
    },
    stop: () => {
      const busy = current !== null;
      forget();
      if (busy) options.onBusy(false);
    },
  };
}
