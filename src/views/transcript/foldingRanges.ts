/**
 * What folds in a transcript and what its outline lists, from marks alone. Pure.
 * Leaves out the providers (languageFeatures.ts).
 */
import type { LineRange, Mark } from '../../protocol/transcript.ts';

const closable: ReadonlySet<Mark['kind']> = new Set([
  'reasoning',
  'observation',
  'answer',
  'ids',
  'arithmetic',
  'facts',
]);

/** Observations and further logged values longer than this (and token ids) are folded when a transcript is opened for the first time. */
const foldedLines = 30;

/** First and last line of each fold: a turn with its observations, a run of reasoning, an observation, the sums, a sub-agent. */
export function foldingLines(marks: readonly Mark[]): readonly { readonly first: number; readonly last: number }[] {
  const folds = new Map<number, number>();
  const add = ({ line, count }: LineRange) => {
    if (count > 1 && !folds.has(line)) folds.set(line, line + count - 1);
  };
  for (const entry of flattened(outlineEntries(marks))) {
    if (entry.mark.kind === 'turn' || entry.mark.kind === 'agent') add(entry);
  }
  for (const mark of marks) {
    if (closable.has(mark.kind)) add(mark);
  }
  return [...folds].map(([first, last]) => ({ first, last })).sort((a, b) => a.first - b.first);
}

/** First lines of what is folded at first. */
export function foldedAtFirst(marks: readonly Mark[]): readonly number[] {
  const foldable = marks.filter(({ kind }) => kind === 'observation' || kind === 'facts');
  const long = foldable.filter(({ count }) => count > foldedLines);
  // Ids alone say nothing to a reader: they are for those who look for them.
  const ids = marks.filter(({ kind, count }) => kind === 'ids' && count > 1);
  const lines = [...long, ...ids].map(({ line }) => line);
  return [...new Set(lines)];
}

/** A sub-agent's consecutive turns as one entry. */
export interface AgentMark {
  readonly kind: 'agent';
  readonly name: string;
  readonly depth: number;
}

/** One entry of the outline: a turn with its calls, or a sub-agent with its turns, inside the turn it follows. */
export interface OutlineEntry extends LineRange {
  readonly mark: Extract<Mark, { kind: 'turn' | 'call' | 'answer' }> | AgentMark;
  readonly children: readonly OutlineEntry[];
}

interface OpenEntry extends OutlineEntry {
  count: number;
  readonly children: OpenEntry[];
}

/** An agent whose turns are being listed: its entry (null: the main agent) and its last turn. */
interface Speaker {
  readonly depth: number;
  readonly name: string;
  readonly entry: OpenEntry | null;
  turn: OpenEntry | null;
}

/**
 * Turns with their calls and the answer; an observation's turn is part of the turn that called, and the turns of a
 * sub-agent are inside the turn of the agent above that they follow.
 */
export function outlineEntries(marks: readonly Mark[]): readonly OutlineEntry[] {
  const roots: OpenEntry[] = [];
  const speakers: Speaker[] = [{ depth: 0, name: '', entry: null, turn: null }];
  const extend = (end: number): void => {
    for (const { entry, turn } of speakers) {
      for (const open of [entry, turn]) if (open && end > open.line + open.count) open.count = end - open.line;
    }
  };
  for (const mark of [...marks].sort((a, b) => a.line - b.line)) {
    if (mark.kind === 'turn') {
      const speaker = speakerOf(speakers, mark, roots);
      const previous = speaker.turn;
      if (mark.role === 'tool' && previous && previous.line + previous.count === mark.line) {
        extend(mark.line + mark.count);
        continue;
      }
      // A turn that was ended by this one grows no more.
      speaker.turn = { mark, line: mark.line, count: mark.count, children: [] };
      (speaker.entry?.children ?? roots).push(speaker.turn);
      extend(mark.line + mark.count);
    } else if (mark.kind === 'call' || mark.kind === 'answer') {
      const entry = { mark, line: mark.line, count: mark.count, children: [] };
      const turn = speakers.at(-1)?.turn;
      if (turn && mark.line < turn.line + turn.count) turn.children.push(entry);
      else roots.push(entry);
    }
  }
  return roots;
}

/** The speaker of a turn on top of the speakers; agents that it ended are taken off, a new one is put into the outline. */
function speakerOf(speakers: Speaker[], { agent, line }: Extract<Mark, { kind: 'turn' }>, roots: OpenEntry[]): Speaker {
  const { depth, name } = agent ?? { depth: 0, name: '' };
  let top = speakers.at(-1);
  while (top && top.depth > 0 && (top.depth > depth || (top.depth === depth && top.name !== name))) {
    speakers.pop();
    top = speakers.at(-1);
  }
  if (top && top.depth === depth) return top;
  const entry: OpenEntry = { mark: { kind: 'agent', name, depth }, line, count: 1, children: [] };
  (top?.turn?.children ?? top?.entry?.children ?? roots).push(entry);
  const speaker: Speaker = { depth, name, entry, turn: null };
  speakers.push(speaker);
  return speaker;
}

/** All entries, each before its children. */
export function flattened(entries: readonly OutlineEntry[]): readonly OutlineEntry[] {
  return entries.flatMap((entry) => [entry, ...flattened(entry.children)]);
}
