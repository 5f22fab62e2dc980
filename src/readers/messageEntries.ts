/**
 * Messages → what becomes one turn each: results inside a message are split off, the items of one response are joined,
 * and the text of a policy message is cut into the pieces that callMatching.ts matches (outputPieces.ts).
 * Owned by chatMessages.ts; leaves out everything but the order of things.
 */
import type { LoggedMessage, Segment } from './messageParts.ts';
import { type Piece, policyPieces } from './outputPieces.ts';
import { wrapperAt } from './toolRecipes.ts';

/** What becomes one turn: a message, several items of one response, or the results inside a message. */
export interface Part {
  readonly role: LoggedMessage['role'];
  readonly loggedRole: string;
  readonly segments: Segment[];
  /** Index of the (first) message. */
  readonly index: number;
  readonly prompt: boolean;
  readonly isItem: boolean;
  /** True once it holds more than reasoning. */
  said: boolean;
}

/** Splits messages at results and joins the items of a response. */
export function partsOfMessages(messages: readonly LoggedMessage[], promptEnd: number): Part[] {
  const parts: Part[] = [];
  for (const [index, message] of messages.entries()) {
    const { role, loggedRole, segments, isItem } = message;
    const prompt = index < promptEnd;
    const before = parts.at(-1);
    if (before !== undefined && before.prompt === prompt && joins(before, message)) {
      for (const segment of segments) before.segments.push(segment);
      before.said ||= segments.some(isSaid);
      continue;
    }
    let open: Part | null = null;
    for (const segment of segments) {
      const speaker = segment.kind === 'result' ? 'tool' : role === 'tool' ? 'user' : role;
      if (open === null || open.role !== speaker) {
        open = { role: speaker, loggedRole, segments: [], index, prompt, isItem, said: false };
        parts.push(open);
      }
      open.segments.push(segment);
      open.said ||= isSaid(segment);
    }
    if (open === null) parts.push({ role, loggedRole, segments: [], index, prompt, isItem, said: false });
  }
  return parts;
}

function isSaid(segment: Segment): boolean {
  return segment.kind !== 'reasoning';
}

/** A response's reasoning, text and calls are one turn; text or reasoning behind text opens the next one. */
function joins(before: Part, message: LoggedMessage): boolean {
  if (!before.isItem || !message.isItem || before.role !== 'policy' || message.role !== 'policy') return false;
  if (message.segments.some((segment) => segment.kind === 'result')) return false;
  return !before.said || message.segments.every((segment) => segment.kind === 'call');
}

/** A part with the piece that callMatching.ts sees of it; a policy piece without calls is a border for it. */
export interface Entry {
  readonly part: Part;
  readonly piece: Piece;
  /** What stands in front of the text of the piece. */
  readonly lead: readonly Segment[];
}

/** Piece of a part that callMatching.ts must not look into. */
export const border: Piece = { kind: 'policy', role: '', text: '', spans: [] };

/** The parts with their pieces, in order; a part whose text holds observations gives several. */
export function entriesOf(parts: readonly Part[]): Entry[] {
  const hasToolRole = parts.some((part) => part.role === 'tool');
  const entries: Entry[] = [];
  let isOpen = false;
  let recipeSeen = false;
  for (const [index, part] of parts.entries()) {
    if (part.prompt) {
      entries.push({ part, piece: border, lead: [] });
    } else if (part.role === 'policy') {
      const next = parts[index + 1];
      const observed: boolean = next === undefined ? recipeSeen : isObservation(next);
      recipeSeen ||= observed;
      const pieces = part.segments.some((segment) => segment.kind === 'call') ? [] : textEntries(part, observed);
      for (const entry of pieces) entries.push(entry);
      if (pieces.length === 0) entries.push({ part, piece: border, lead: part.segments });
      isOpen = pieces.some(({ piece }) => piece.kind === 'policy' && piece.spans.some((span) => span.kind === 'call'));
    } else {
      isOpen &&= part.role === 'tool' || (part.role === 'user' && (!hasToolRole || isObservation(part)));
      const { loggedRole: role } = part;
      const piece: Piece = isOpen ? { kind: 'other', role, text: textOf(part.segments), sure: true } : border;
      entries.push({ part, piece, lead: [] });
    }
  }
  return entries;
}

/** The text of a policy message in pieces: observations that a recipe put inside it become turns of their own. */
function textEntries(part: Part, endsInCall: boolean): Entry[] {
  const text = textOf(part.segments);
  if (text === '') return [];
  const lead = part.segments.filter((segment) => segment.kind !== 'text');
  const pieces = policyPieces({ role: part.loggedRole, text }, { prefill: '', endsInCall });
  return pieces.map((piece, index) => ({
    piece,
    lead: index === 0 ? lead : [],
    part: piece.kind === 'policy' ? part : { ...part, role: 'tool', segments: [{ kind: 'text', text: piece.text }] },
  }));
}

function isObservation(part: Part): boolean {
  if (part.role === 'tool') return true;
  const first = part.segments[0];
  return part.role === 'user' && first?.kind === 'text' && wrapperAt(first.text, 0) !== null;
}

/** Texts of the segments, those inside results too. */
export function textOf(segments: readonly Segment[]): string {
  const texts: string[] = [];
  for (const segment of segments) {
    if (segment.kind === 'text') texts.push(segment.text);
    else if (segment.kind === 'result') texts.push(textOf(segment.result.segments));
  }
  return texts.join('\n');
}
