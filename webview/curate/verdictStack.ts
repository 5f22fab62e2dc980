/**
 * The user's verdicts of this page in order, so that the last can be taken back. Verdicts themselves are kept by the
 * engine, for ever; this only knows what stood before. Leaves out showing them.
 */
import type { CurationRow } from '../../src/protocol/curation.ts';

/** What a verdict can become. */
type Verdict = CurationRow['overruled'];

/** How verdicts are kept, and who hears of them. */
export interface VerdictStackOptions {
  readonly overrule: (key: string, verdict: Verdict) => Promise<unknown>;
  /** A verdict on the row that asks this was kept, or taken back to what stood before. */
  readonly onDone: (verdict: Verdict, question: string) => void;
}

/** The verdicts of this page. */
export interface VerdictStack {
  /** Keeps a verdict; nothing where it stands already. */
  set(row: CurationRow, verdict: Verdict): Promise<void>;
  /** Takes the last one back; nothing where there is none. */
  undo(): Promise<void>;
  count(): number;
  clear(): void;
}

/** Makes an empty stack. */
export function makeVerdictStack({ overrule, onDone }: VerdictStackOptions): VerdictStack {
  let done: readonly { readonly key: string; readonly question: string; readonly before: Verdict }[] = [];
  /** One after the other: a key that is held down must not undo what is not kept yet. */
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const next = last.then(work);
    last = next.catch(() => undefined);
    return next;
  };
  return {
    set: (row, verdict) =>
      inTurn(async () => {
        if (row.overruled === verdict) return;
        await overrule(row.key, verdict);
        done = [...done, { key: row.key, question: row.question, before: row.overruled }];
        onDone(verdict, row.question);
      }),
    undo: () =>
      inTurn(async () => {
        const newest = done.at(-1);
        if (!newest) return;
        await overrule(newest.key, newest.before);
        done = done.slice(0, -1);
        onDone(newest.before, newest.question);
      }),
    count: () => done.length,
    clear: () => {
      done = [];
    },
  };
}
