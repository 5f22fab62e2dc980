/**
 * Transcripts of single rollouts as text, asked for when a column comes into sight, the last few kept; and what several
 * of them begin with in common, by whole turns. Log text: whoever shows it puts it into the page as text.
 * Leaves out the columns (groupColumns.ts).
 */
import type { ChartsHostApi, RolloutText } from '../../src/protocol/charts.ts';
import type { RolloutRef } from '../../src/protocol/engine.ts';
import type { Client } from '../../src/protocol/rpc.ts';

/** Texts that are kept, each at most 200,000 characters. */
export const mostTexts = 32;

/** Texts of rollouts. */
export interface RolloutTexts {
  /** Null while it is being read; asked for when it is not known. */
  of(ref: RolloutRef): RolloutText | null;
  /** The same without asking. */
  peek(ref: RolloutRef): RolloutText | null;
}

/** Makes an empty one. */
export function makeRolloutTexts(
  api: Pick<Client<ChartsHostApi>, 'rolloutText'>,
  events: { readonly onText: () => void; readonly onError: (error: unknown) => void },
): RolloutTexts {
  /** Least recently used first; null while it is being read. */
  const kept = new Map<string, RolloutText | null>();
  const ask = async (name: string, ref: RolloutRef): Promise<void> => {
    kept.set(name, null);
    try {
      const text = await api.rolloutText({ ref });
      if (!kept.has(name)) return;
      kept.set(name, text);
      events.onText();
    } catch (error) {
      kept.delete(name);
      events.onError(error);
    }
  };
  const nameOf = ({ run, file, row }: RolloutRef): string => `${row} ${file} ${run}`;
  return {
    peek: (ref) => kept.get(nameOf(ref)) ?? null,
    of: (ref) => {
      const name = nameOf(ref);
      const found = kept.get(name);
      if (found === undefined) {
        for (const oldest of kept.keys()) {
          if (kept.size < mostTexts) break;
          kept.delete(oldest);
        }
        void ask(name, ref);
        return null;
      }
      kept.delete(name);
      kept.set(name, found);
      return found;
    },
  };
}

/** So many turns at the beginning are the same in all texts: label and lines, the numbers of the heading excepted. */
export function commonTurns(texts: readonly RolloutText[]): number {
  const [first, ...others] = texts;
  if (!first || others.length === 0) return 0;
  const lines = texts.map(({ text }) => text.split('\n'));
  const same = (turn: number): boolean => {
    const one = first.turns[turn];
    if (!one) return false;
    const wanted = bodyOf(lines[0] ?? [], one);
    return others.every((other, index) => {
      const its = other.turns[turn];
      return its?.label === one.label && bodyOf(lines[index + 1] ?? [], its) === wanted;
    });
  };
  let count = 0;
  while (same(count)) count += 1;
  return count;
}

/** The lines of a text from one turn on up to another, without what stands above the first and below the last turn. */
export function linesOfTurns(
  { text, turns }: RolloutText,
  range: { readonly first: number; readonly end: number },
): { readonly line: number; readonly lines: readonly string[] } {
  const some = turns.slice(range.first, range.end);
  const [from, to] = [some[0], some.at(-1)];
  if (!from || !to) return { line: 0, lines: [] };
  return { line: from.line, lines: text.split('\n').slice(from.line, to.line + to.count) };
}

function bodyOf(lines: readonly string[], { line, count }: { readonly line: number; readonly count: number }): string {
  return lines.slice(line + 1, line + count).join('\n');
}
