/**
 * Cuts the text after a prompt into pieces by who wrote them: policy, tool, others. Besides role turns it knows recipes
 * that put observations inline, found by the logged actions or by their wrappers (formats.md 1.3, last fact).
 * Owned by chatEpisode.ts; leaves out which call an observation answers.
 */
import { asString, type JsonObject } from '../base/json.ts';
import { type ChatPrompt, type ChatTurn, isPolicyRole, isToolRole, splitOutput } from './chatText.ts';
import { parseJsonCall } from './toolCallDialects.ts';
import { type PolicySpan, type PolicyTurnContext, scanPolicyTurn } from './toolCalls.ts';
import { wrapperAt } from './toolRecipes.ts';

/** One piece of what was generated. */
export type Piece =
  | { readonly kind: 'policy'; readonly role: string; readonly text: string; readonly spans: readonly PolicySpan[] }
  /** `sure`: its role or its wrapper says that it is an observation. */
  | { readonly kind: 'other'; readonly role: string; readonly text: string; readonly sure: boolean };

/** Role word of an observation that stands inside the assistant turn. */
const inlineRole = 'inline';
const pythonTag = '<|python_tag|>';
const observationLead = 64;
const wrapperEnds = ['</information>', '</tool_response>', '</result>', '</output>', '</interpreter>', '```'];

/** The pieces of an output in order; `entries` is the logged `tool_interact_info`, empty where there is none. */
export function piecesOf(output: string, prompt: ChatPrompt, entries: readonly JsonObject[]): readonly Piece[] {
  const split = splitOutput(output, prompt.template);
  const turns = entries.length === 0 ? split : cutAtActions(split, entries);
  const pieces: Piece[] = [];
  let entry = 0;
  let recipeSeen = false;
  for (const [index, turn] of turns.entries()) {
    if (!isPolicyRole(turn.role)) {
      pieces.push({ kind: 'other', role: turn.role, text: turn.text, sure: isSure(turn) });
      continue;
    }
    const next = turns[index + 1];
    const logged = sameText(asString(entries[entry]?.['action'] ?? null), turn.text);
    if (logged) entry++;
    const endsInCall = logged || (next === undefined ? recipeSeen : isSure(next));
    if (endsInCall && next !== undefined) recipeSeen = true;
    const prefill = index === 0 ? prompt.prefill : '';
    pushPolicy(pieces, turn, spansOf(turn.text, { prefill, endsInCall }));
  }
  return pieces;
}

/** The pieces of one message that the policy wrote: itself, or its parts and the observations that stand inside it. */
export function policyPieces(turn: ChatTurn, context: PolicyTurnContext): readonly Piece[] {
  const pieces: Piece[] = [];
  pushPolicy(pieces, turn, spansOf(turn.text, context));
  return pieces;
}

function spansOf(text: string, context: PolicyTurnContext): readonly PolicySpan[] {
  return (context.endsInCall ? bareJsonCall(text) : null) ?? scanPolicyTurn(text, context);
}

/** Llama 3 writes a call as JSON without any tag; it is one where a tool answered. */
function bareJsonCall(text: string): readonly PolicySpan[] | null {
  const first = text.startsWith(pythonTag) ? pythonTag.length : 0;
  const raw = text.slice(first).trim();
  const call = raw.startsWith('{') && raw.endsWith('}') ? parseJsonCall(raw) : null;
  return call === null || call.malformed ? null : [{ kind: 'call', call, raw, first: 0, end: text.length }];
}

/** True where an action as logged is what the turn says, blanks around it apart. */
export function sameText(action: string | null, text: string): boolean {
  if (action === null || action === '') return false;
  return action === text || (Math.abs(action.length - text.length) < 64 && action.trim() === text.trim());
}

function isSure(turn: ChatTurn): boolean {
  return (
    isToolRole(turn.role) || turn.role === inlineRole || (!isPolicyRole(turn.role) && wrapperAt(turn.text, 0) !== null)
  );
}

/** One policy turn, or several with the observations between them where a recipe put those inline. */
function pushPolicy(pieces: Piece[], turn: ChatTurn, spans: readonly PolicySpan[]): void {
  let first = 0;
  let from = 0;
  const push = (end: number, to: number): void => {
    const own = spans.slice(from, to);
    if (own.length > 0) pieces.push({ kind: 'policy', role: turn.role, text: turn.text.slice(first, end), spans: own });
  };
  for (const [index, span] of spans.entries()) {
    if (span.kind !== 'observation') continue;
    push(span.first, index);
    pieces.push({ kind: 'other', role: inlineRole, text: turn.text.slice(span.first, span.end), sure: true });
    first = span.end;
    from = index + 1;
  }
  if (from === 0) pieces.push({ kind: 'policy', role: turn.role, text: turn.text, spans });
  else push(turn.text.length, spans.length);
}

/** Cuts assistant turns at the logged actions, for recipes whose observations are inline without any wrapper. */
function cutAtActions(split: readonly ChatTurn[], entries: readonly JsonObject[]): readonly ChatTurn[] {
  const turns: ChatTurn[] = [];
  let entry = 0;
  for (const turn of split) {
    const logged = asString(entries[entry]?.['action'] ?? null);
    const whole = isPolicyRole(turn.role) && sameText(logged, turn.text);
    const action = whole ? '' : actionOf(entries[entry]);
    if (whole) entry++;
    if (!isPolicyRole(turn.role) || action === '' || !turn.text.includes(action)) turns.push(turn);
    else entry = cutTurn(turns, turn, { entries, entry });
  }
  return turns;
}

/** Adds the pieces of one turn that holds the action of `entry`; returns the first entry behind it. */
function cutTurn(
  turns: ChatTurn[],
  turn: ChatTurn,
  from: { readonly entries: readonly JsonObject[]; readonly entry: number },
): number {
  const { role, text } = turn;
  let { entry } = from;
  let at = 0;
  for (let start = text.indexOf(actionOf(from.entries[entry])); start !== -1;) {
    const end = start + actionOf(from.entries[entry]).length;
    const next = actionOf(from.entries[entry + 1]);
    const nextStart = next === '' ? -1 : text.indexOf(next, end);
    const observation = asString(from.entries[entry]?.['obs'] ?? null) ?? '';
    const observed = nextStart === -1 ? endOfObservation(text, end, observation) : nextStart;
    entry++;
    // Nothing came back here: what follows the action is its turn's own.
    if (nextStart === -1 && observed === end) break;
    turns.push({ role, text: text.slice(at, end) });
    if (text.slice(end, observed).trim() !== '') turns.push({ role: inlineRole, text: text.slice(end, observed) });
    at = observed;
    start = nextStart;
  }
  if (at === 0 || text.slice(at).trim() !== '') turns.push({ role, text: text.slice(at) });
  return entry;
}

function actionOf(entry: JsonObject | undefined): string {
  return asString(entry?.['action'] ?? null)?.trim() ?? '';
}

/** Where the observation behind an action ends; `end` itself where none of it stands there. */
function endOfObservation(text: string, end: number, observation: string): number {
  const logged = observation.trim();
  const lead = logged.slice(0, observationLead);
  const found = lead === '' ? -1 : text.slice(end, end + 4 * observationLead).indexOf(lead);
  if (found === -1) return end;
  const first = end + found;
  if (text.startsWith(logged, first)) return endOfWrapper(text, first + logged.length);
  const cut = text.indexOf('(truncated)', first);
  return cut === -1 ? end : cut + '(truncated)'.length;
}

function endOfWrapper(text: string, at: number): number {
  let first = at;
  while (first < text.length && ' \n\r\t'.includes(text.charAt(first))) first++;
  const wrapper = wrapperEnds.find((close) => text.startsWith(close, first));
  return wrapper === undefined ? at : first + wrapper.length;
}
