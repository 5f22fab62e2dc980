/**
 * Cuts blocks to size: a document is at most 1 MB (invariant 5), so turns are cut at 250,000 characters, then the
 * longest first until all fit, and if there are more turns than fit at all, the last ones are left out together.
 * Depends on the rollout alone, so that the rest of a turn starts exactly where the document stopped.
 */
import type { Mark } from '../protocol/transcript.ts';
import type { Block } from './block.ts';
import { safeCut } from './visibleText.ts';

/** Characters of one turn in the document. */
export const turnCharacters = 250_000;

/** Bytes of all turns with their marks; the rest of 1,000,000 is for title, sums and what is also logged. */
export const turnsBudget = 770_000;

/** No turn is cut below this many bytes: before that, turns at the end are left out. */
const smallestShare = 4_000;

/** Bytes that a cut turn needs more: the line that says so. */
const cutLineBytes = 96;

/** A first line up to this length is a heading or a short observation, and always shown; no such line is cut inside. */
const shortHeading = 400;

/** More turns than this never fit: heading or mark of each take at least 300 bytes. */
export const mostTurns = turnsBudget / 300;

/** Bytes of a mark as it crosses to the host, besides its strings. */
const markBytes = 220;

/** A line and column inside a block: everything before it is shown. */
export interface CutPlace {
  readonly line: number;
  readonly column: number;
}

/** How the turns of a rollout fit into one document. */
export interface Fit {
  /** Where each shown turn is cut; null where it is whole. */
  readonly cuts: readonly (CutPlace | null)[];
  /** Turns from here on are left out; equal to the number of turns where all are shown. */
  readonly shown: number;
}

/** Bytes of a string in UTF-8; a lone surrogate counts as the three bytes of its replacement. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code < 0x80) continue;
    if (code < 0x800) bytes += 1;
    else if (code >= 0xd800 && code <= 0xdbff && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00) {
      bytes += 2;
      at += 1;
    } else bytes += 2;
  }
  return bytes;
}

/** Decides what of each block is shown. */
export function fit(blocks: readonly Block[]): Fit {
  const first = blocks.map((block) => measure(block, { characters: turnCharacters, weight: turnsBudget }));
  const weights = first.map(({ weight }) => weight);
  const level = waterLevel(weights, turnsBudget);
  const share = Math.max(level, smallestShare);
  const cuts: (CutPlace | null)[] = [];
  let used = 0;
  for (const [index, block] of blocks.entries()) {
    const whole = (weights[index] ?? 0) <= share;
    const limits = { characters: turnCharacters, weight: share - cutLineBytes };
    const measured = whole ? first[index] : measure(block, limits);
    if (!measured) break;
    if (used + measured.weight > turnsBudget) return { cuts, shown: cuts.length };
    used += measured.weight;
    cuts.push(measured.cut ?? endOf(block));
  }
  return { cuts, shown: cuts.length };
}

/** Where a block ends that was not rendered to its end; null for a whole one. */
function endOf(block: Block): CutPlace | null {
  const line = block.lines.length - 1;
  return block.hidden === 0 ? null : { line, column: block.lines[line]?.length ?? 0 };
}

/**
 * Characters of each turn that can be shown at most, by the characters it has: more need not be rendered, which keeps
 * a record of 10 MB as quick as one of 1 MB. Some more than fit, since text is wrapped, indented and trimmed.
 */
export function renderLimits(characters: readonly number[]): readonly number[] {
  const capped = characters.map((count) => Math.min(count, turnCharacters));
  const level = Math.max(waterLevel(capped, turnsBudget), smallestShare);
  return capped.map(() => Math.min(turnCharacters, level) + 2_000);
}

/** The level L for which Σ min(weight, L) is within the budget: cutting the longest first. */
function waterLevel(weights: readonly number[], budget: number): number {
  const ascending = [...weights].sort((a, b) => a - b);
  let left = budget;
  for (const [index, weight] of ascending.entries()) {
    const share = left / (ascending.length - index);
    if (weight > share) return Math.floor(share);
    left -= weight;
  }
  return Infinity;
}

interface Limits {
  readonly characters: number;
  readonly weight: number;
}

/** Bytes that the marks of each line add. */
function markWeightsOf(block: Block): ReadonlyMap<number, number> {
  const weights = new Map<number, number>();
  for (const mark of block.marks) weights.set(mark.line, (weights.get(mark.line) ?? 0) + weightOfMark(mark));
  return weights;
}

const start: CutPlace = { line: 0, column: 0 };

/** Walks a block until a limit: what the shown part weighs, and where it ends (null: at the block's end). */
function measure(
  block: Block,
  limits: Limits,
  { from = start, marks = markWeightsOf(block) }: { from?: CutPlace; marks?: ReadonlyMap<number, number> } = {},
): { readonly weight: number; readonly cut: CutPlace | null } {
  let weight = 0;
  let characters = 0;
  for (let index = from.line; index < block.lines.length; index += 1) {
    const skipped = index === from.line ? from.column : 0;
    const whole = block.lines[index] ?? '';
    const line = skipped === 0 ? whole : whole.slice(skipped);
    const markWeight = skipped === 0 ? (marks.get(index) ?? 0) : 0;
    const roomCharacters = limits.characters - characters;
    const room = limits.weight - weight - markWeight;
    const bytes = line.length * 3 + 1 <= room ? utf8Length(line) + 1 : utf8Length(line.slice(0, Math.max(0, room))) + 1;
    const fits = line.length + 1 <= roomCharacters && line.length < Math.max(0, room) && bytes <= room;
    if (fits || (index === from.line && line.length <= shortHeading)) {
      weight += bytes + markWeight;
      characters += line.length + 1;
      continue;
    }
    // A heading is kept even where nothing else fits; only a long line is cut inside, and if that shows some of it.
    const inside = line.length > shortHeading || index === from.line;
    const column = inside ? columnWithin(line, { characters: roomCharacters - 1, weight: room - 1 }) : 0;
    if (column < 8) return { weight: weight + cutLineBytes, cut: { line: index, column: skipped } };
    const shown = utf8Length(line.slice(0, column)) + 1 + markWeight;
    return { weight: weight + shown + cutLineBytes, cut: { line: index, column: skipped + column } };
  }
  return { weight, cut: null };
}

function columnWithin(line: string, limits: Limits): number {
  const most = Math.min(line.length, limits.characters, limits.weight);
  if (most <= 0) return 0;
  let bytes = 0;
  let column = 0;
  while (column < most) {
    const units = (line.codePointAt(column) ?? 0) > 0xffff ? 2 : 1;
    const code = line.charCodeAt(column);
    bytes += units === 2 ? 4 : code < 0x80 ? 1 : code < 0x800 ? 2 : 3;
    if (bytes > limits.weight || column + units > most) break;
    column += units;
  }
  return safeCut(line, column);
}

function weightOfMark(mark: Mark): number {
  switch (mark.kind) {
    case 'turn':
      return markBytes + 60 + 3 * (mark.label.length + mark.loggedRole.length + (mark.agent?.name.length ?? 0));
    case 'call': {
      let bytes = markBytes + 60 + utf8Length(mark.observationStart) + 3 * (mark.tool?.length ?? 0);
      bytes += 3 * (mark.failure?.length ?? 0);
      for (const { name, value } of mark.facts) {
        bytes += 24 + 3 * (name.length + (typeof value === 'string' ? value.length : 8));
      }
      return bytes;
    }
    case 'answer':
      return markBytes + utf8Length(mark.groundTruth) + mark.rewardParts.length * 300;
    case 'title':
    case 'observation':
    case 'reasoning':
    case 'ids':
    case 'facts':
    case 'image':
    case 'arithmetic':
      return 120;
  }
}

/** The part of a block before a place; its marks end there. */
export function before(block: Block, cut: CutPlace | null): Block {
  return cut === null ? block : between(block, start, cut);
}

/** The part of a block between two places (`to` null: its end); marks that began earlier begin with it. */
export function between(block: Block, from: CutPlace, to: CutPlace | null): Block {
  const end = to === null ? block.lines.length : to.line + (to.column > 0 ? 1 : 0);
  const lines = block.lines.slice(from.line, end);
  const last = lines.length - 1;
  if (to !== null && to.column > 0 && last >= 0) lines[last] = (lines[last] ?? '').slice(0, to.column);
  // Indented, since text at the left edge is ours alone.
  if (from.column > 0 && last >= 0) lines[0] = `  ${(lines[0] ?? '').slice(from.column)}`;
  const marks = marksWithin(block.marks, { first: from.line, end: from.line + lines.length });
  return { lines, marks, hidden: to === null ? block.hidden : 0 };
}

function marksWithin(marks: readonly Mark[], range: { readonly first: number; readonly end: number }): Mark[] {
  const within: Mark[] = [];
  for (const mark of marks) {
    const line = Math.max(mark.line, range.first);
    const count = Math.min(mark.line + mark.count, range.end) - line;
    if (count > 0) within.push({ ...mark, line: line - range.first, count });
  }
  return within;
}

/** Where the parts of a block begin, from a place on, so that each has at most `bytes` bytes with its marks. */
export function partStarts(block: Block, bytes: number, from: CutPlace = start): readonly CutPlace[] {
  const starts = [from];
  const marks = markWeightsOf(block);
  for (let last = from; ;) {
    const { cut } = measure(block, { characters: bytes, weight: bytes }, { from: last, marks });
    if (cut === null || (cut.line === last.line && cut.column === last.column)) return starts;
    starts.push(cut);
    last = cut;
  }
}
