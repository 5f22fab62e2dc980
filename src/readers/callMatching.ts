/**
 * Decides which calls of the text were sent, and which entry or observation belongs to each. With entries the i-th
 * turn that ends in a call goes with the i-th entry, equal `action` text first; without them an observation behind a
 * call says that it was sent (formats.md 1.4 and 2.2). Owned by chatEpisode.ts; leaves out how a call went.
 */
import { asString, type JsonObject } from '../base/json.ts';
import { type Piece, sameText } from './outputPieces.ts';
import { malformedCall, type WrittenCall } from './toolCallDialects.ts';
import { type PolicySpan, scanPolicyTurn } from './toolCalls.ts';
import { recipeCallAt, wrapperAt } from './toolRecipes.ts';

/** A call and what the log says of it. */
export interface CallMatch {
  readonly call: WrittenCall;
  readonly raw: string;
  readonly sent: boolean;
  /** The entry of `tool_interact_info`; null where there is none. */
  readonly entry: JsonObject | null;
  /** What came back, as the text has it; '' where an entry says it better. */
  readonly observation: string;
}

/** Matches by piece: calls of policy pieces in order, calls (by index in the rollout) that other pieces answer. */
export interface Matched {
  readonly calls: readonly (readonly CallMatch[])[];
  readonly observes: readonly (readonly number[])[];
  /** Entries that no turn of the text fits. */
  readonly missing: readonly CallMatch[];
}

type CallSpan = Extract<PolicySpan, { kind: 'call' }>;

/** How far ahead a turn with the very text of an action is looked for before the turn at hand is taken for it. */
const lookahead = 16;

/** Matches the calls of the pieces; `entries` null means that the log has no `tool_interact_info`. */
export function matchCalls(pieces: readonly Piece[], entries: readonly JsonObject[] | null): Matched {
  const calls: CallMatch[][] = [];
  const observes: number[][] = [];
  let count = 0;
  let next = 0;
  for (const [index, piece] of pieces.entries()) {
    if (piece.kind !== 'policy') {
      calls.push([]);
      observes[index] ??= [];
      continue;
    }
    const spans = piece.spans.filter((span) => span.kind === 'call');
    const entry = entries?.[next];
    let matches: CallMatch[];
    if (entries === null) {
      matches = byObservation(spans, pieces, { index, count, observes });
    } else if (entry !== undefined && belongs(pieces, { index, spans, entry, later: entries.length - next - 1 })) {
      next++;
      matches = byEntry(spans, piece.text, entry);
      const sent = count + matches.findIndex((match) => match.sent);
      for (let other = index + 1; pieces[other]?.kind === 'other'; other++) observes[other] = [sent];
    } else {
      matches = spans.map((span) => unsent(span));
    }
    calls.push(matches);
    observes[index] ??= [];
    count += matches.length;
  }
  const missing = (entries ?? []).slice(next).flatMap((entry) => {
    const action = asString(entry['action'] ?? null) ?? '';
    const spans = scanPolicyTurn(action, { prefill: '', endsInCall: true }).filter((span) => span.kind === 'call');
    return byEntry(spans.slice(-1), action, entry);
  });
  return { calls, observes, missing };
}

interface Position {
  readonly index: number;
  readonly spans: readonly CallSpan[];
  readonly entry: JsonObject;
  /** Entries behind this one. */
  readonly later: number;
}

/** True where the entry is that of the policy piece at `index`. */
function belongs(pieces: readonly Piece[], { index, spans, entry, later }: Position): boolean {
  const piece = pieces[index];
  const action = asString(entry['action'] ?? null);
  if (sameText(action, piece?.text ?? '')) return true;
  const observed = pieces[index + 1];
  if (spans.length === 0 && !(observed?.kind === 'other' && observed.sure)) return false;
  let writers = 0;
  for (let other = index + 1; other < Math.min(pieces.length, index + lookahead); other++) {
    const candidate = pieces[other];
    if (candidate?.kind !== 'policy') continue;
    if (sameText(action, candidate.text)) return false;
    if (candidate.spans.some((span) => span.kind === 'call')) writers++;
  }
  // Without an observation behind it a call was cut, unless there are not enough later ones for the entries left.
  return observed?.kind === 'other' || writers <= later;
}

/** One call is executed a turn: the one its action ends in; the log knows of it even where no dialect does. */
function byEntry(spans: readonly CallSpan[], text: string, entry: JsonObject): CallMatch[] {
  const action = asString(entry['action'] ?? null)?.trimEnd() ?? '';
  const executed = spans.findLast((span) => action.endsWith(span.raw)) ?? spans.at(-1);
  const matches = spans.map((span) => (span === executed ? sentCall(span, entry) : unsent(span)));
  if (executed === undefined) {
    matches.push(sentCall(recipeCallAt(text) ?? { call: malformedCall(null), raw: text }, entry));
  }
  return matches;
}

function sentCall(written: Pick<CallSpan, 'call' | 'raw'>, entry: JsonObject): CallMatch {
  return { call: written.call, raw: written.raw, sent: true, entry, observation: '' };
}

function unsent(span: CallSpan): CallMatch {
  return { call: span.call, raw: span.raw, sent: false, entry: null, observation: '' };
}

interface Without {
  readonly index: number;
  /** Calls in front of this piece. */
  readonly count: number;
  readonly observes: number[][];
}

/** Without entries: the observations behind the turn go to its calls in order, to well-formed ones first. */
function byObservation(spans: readonly CallSpan[], pieces: readonly Piece[], without: Without): CallMatch[] {
  const { index, count, observes } = without;
  const blocks: { piece: number; text: string }[] = [];
  for (let other = index + 1; spans.length > 0 && other < pieces.length; other++) {
    const piece = pieces[other];
    if (piece?.kind !== 'other') break;
    for (const text of observationsIn(piece.text)) blocks.push({ piece: other, text });
  }
  const wellFormed = spans.filter((span) => !span.call.malformed);
  // verl drops calls it cannot parse, so fewer answers than calls belong to those it could.
  const answered = new Set(blocks.length < spans.length && wellFormed.length > 0 ? wellFormed : spans);
  const lastAnswered = [...answered].at(-1);
  let block = 0;
  return spans.map((span, position) => {
    const own = answered.has(span) ? blocks[block] : undefined;
    if (own === undefined) return unsent(span);
    const texts = span === lastAnswered ? blocks.slice(block) : [own];
    block += texts.length;
    for (const { piece } of texts) {
      const observed = (observes[piece] ??= []);
      if (observed.at(-1) !== count + position) observed.push(count + position);
    }
    const observation = texts.map(({ text }) => text).join('\n');
    return { call: span.call, raw: span.raw, sent: true, entry: null, observation };
  });
}

/** The observations inside one turn: what its wrappers hold, else the turn as a whole. */
function observationsIn(text: string): readonly string[] {
  const found: string[] = [];
  let at = 0;
  for (let next = wrapperAt(text, at); next !== null; next = wrapperAt(text, at)) {
    const first = next.first + next.wrapper.open.length;
    const close = text.indexOf(next.wrapper.close, first);
    const end = close === -1 ? text.length : close;
    found.push(text.slice(first, end).trim());
    at = close === -1 ? end : close + next.wrapper.close.length;
  }
  return found.length > 0 ? found : [text.trim()];
}
