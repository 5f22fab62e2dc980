/**
 * A list of messages in any of the shapes messageParts.ts knows → turns, calls, pictures and answer of a rollout.
 * A result goes to its call by id, else to the first call that has none yet; where a message logs no calls as data,
 * those written inside its text count (toolCallDialects.ts), matched with what follows them by callMatching.ts.
 * Shared by every reader of messages. Never throws. Leaves out reward, group and everything outside the messages.
 */
import type { Json } from '../base/json.ts';
import { buildCall, buildImage, buildTurn, callPart, imagePart, textPart } from '../model/builder.ts';
import type { Call, LoggedImage, NamedValue, Turn, TurnPart } from '../model/rollout.ts';
import { markBoxedAnswer } from './boxedAnswer.ts';
import { type CallMatch, matchCalls } from './callMatching.ts';
import { isControlTool } from './chatEpisode.ts';
import { cutAtImages } from './imagePads.ts';
import { border, entriesOf, type Entry, type Part, partsOfMessages, textOf } from './messageEntries.ts';
import { imageFrom, type LoggedCall, type LoggedMessage, readMessage, type Segment } from './messageParts.ts';
import { outcomeOfText } from './toolInteractions.ts';
import { type PolicySpan, scanPolicyTurn } from './toolCalls.ts';

/** A conversation as a rollout has it; `facts` are things the turns have no place for (where an absent picture is). */
export interface Conversation {
  readonly turns: readonly Turn[];
  readonly calls: readonly Call[];
  readonly images: readonly LoggedImage[];
  readonly answer: string | null;
  readonly facts: readonly NamedValue[];
}

/** What a log says of one message besides its content. */
export type MessageFacts = Partial<Pick<Turn, 'tokens' | 'latencyMs' | 'tokenValues' | 'agent'>>;

/** How a list of messages is read. */
export interface MessagesOptions {
  /** Which messages are the prompt: none, all before the first one of the policy, or the first so many. */
  readonly prompt: 'none' | 'before-first-assistant' | number;
  /** What is known of the message at an index; goes to the first turn that the message gives. */
  readonly about?: (index: number) => MessageFacts | null;
}

/** Reads messages in order; see MessagesOptions for which are the prompt. */
export function turnsOfMessages(messages: readonly Json[], options: MessagesOptions): Conversation {
  const read = messages.map(readMessage);
  const parts = partsOfMessages(read, promptEndOf(read, options.prompt));
  const entries = entriesOf(parts);
  const matched = matchCalls(
    entries.map((entry) => entry.piece),
    null,
  );
  const draft: Draft = {
    turns: [],
    calls: [],
    images: [],
    facts: [],
    callOfId: new Map(),
    textCalls: [],
    open: 0,
    answer: null,
  };
  const lastPolicy = entries.findLastIndex((entry) => entry.part.role === 'policy' && !entry.part.prompt);
  let last = -1;
  for (const [index, entry] of entries.entries()) {
    const facts = entry.part.index === last ? null : (options.about?.(entry.part.index) ?? null);
    last = entry.part.index;
    if (entry.part.prompt) addPrompt(draft, entry.part, facts);
    else if (entry.part.role === 'policy') {
      addPolicy(draft, entry, { matches: matched.calls[index] ?? [], isLast: index === lastPolicy, facts });
    } else addOther(draft, entry.part, { observes: matched.observes[index] ?? [], facts });
  }
  const { turns, images, answer, facts } = draft;
  return { turns, calls: draft.calls.map(closedCall), images, answer, facts };
}

function promptEndOf(messages: readonly LoggedMessage[], prompt: MessagesOptions['prompt']): number {
  if (prompt === 'none') return 0;
  if (typeof prompt === 'number') return prompt;
  const first = messages.findIndex((message) => message.role === 'policy');
  return first < 0 ? messages.length : first;
}

/** A call while its conversation is read: the result comes with a later message. */
interface OpenCall {
  readonly turn: number;
  readonly tool: string | null;
  readonly arguments: Json;
  readonly malformed: boolean;
  readonly raw: string;
  readonly sent: boolean;
  readonly images: number[];
  readonly facts: NamedValue[];
  observation: string | null;
  failed: boolean | null;
  latencyMs: number | null;
}

/** A conversation while it is read. */
interface Draft {
  readonly turns: Turn[];
  readonly calls: OpenCall[];
  readonly images: LoggedImage[];
  readonly facts: NamedValue[];
  readonly callOfId: Map<string, number>;
  /** Index of the n-th call written in text. */
  readonly textCalls: number[];
  /** No call before this one waits for a result without an id. */
  open: number;
  answer: string | null;
}

/** What the policy said in the prompt (examples, earlier turns) is context: its calls are not this rollout's. */
function addPrompt(draft: Draft, part: Part, facts: MessageFacts | null): void {
  const parts: TurnPart[] = [];
  pushShown(draft, parts, { segments: part.segments, origin: 'prompt', call: null });
  const { role, loggedRole } = part;
  draft.turns.push(
    buildTurn({ role, loggedRole, parts, prompt: true, characters: charactersOf(part.segments), ...facts }),
  );
}

interface PolicyFacts {
  readonly matches: readonly CallMatch[];
  readonly isLast: boolean;
  readonly facts: MessageFacts | null;
}

function addPolicy(draft: Draft, entry: Entry, known: PolicyFacts): void {
  const { part, piece, lead } = entry;
  const parts: TurnPart[] = [];
  const before = draft.answer;
  draft.answer = null;
  const firstCall = draft.calls.length;
  const isText = piece !== border;
  for (const segment of lead) {
    if (segment.kind === 'call') parts.push(callPart(addLogged(draft, segment.call)));
    else if (segment.kind !== 'text')
      pushShown(draft, parts, { segments: [segment], origin: 'observation', call: null });
    else pushSpans(draft, parts, { text: segment.text, spans: scanned(segment.text), matches: null });
  }
  if (isText && piece.kind === 'policy') {
    pushSpans(draft, parts, { text: piece.text, spans: piece.spans, matches: known.matches });
  }
  const characters = charactersOf(lead) + (isText ? piece.text.length : 0);
  if (known.isLast && draft.answer === null && before === null) draft.answer = markBoxedAnswer(parts);
  draft.answer ??= before;
  if (draft.calls.length > firstCall) draft.open = firstCall;
  draft.turns.push(buildTurn({ role: 'policy', loggedRole: part.loggedRole, parts, characters, ...known.facts }));
}

function scanned(text: string): readonly PolicySpan[] {
  return scanPolicyTurn(text, { prefill: '', endsInCall: false });
}

interface Spans {
  readonly text: string;
  readonly spans: readonly PolicySpan[];
  /** Null where the message logs its calls as data: a call in its text is a quotation. */
  readonly matches: readonly CallMatch[] | null;
}

function pushSpans(draft: Draft, parts: TurnPart[], { text, spans, matches }: Spans): void {
  let call = 0;
  for (const span of spans) {
    if (span.kind === 'text') pushText(draft, parts, { text: span.text, origin: 'observation' });
    else if (span.kind === 'reasoning') parts.push({ kind: 'reasoning', text: span.text });
    else if (span.kind === 'answer') {
      draft.answer = span.text;
      parts.push({ kind: 'answer', text: span.text });
    } else if (span.kind === 'observation' || matches === null) parts.push(textPart(text.slice(span.first, span.end)));
    else {
      const match = matches[call++];
      if (match !== undefined) parts.push(callPart(addMatch(draft, match)));
    }
  }
}

function addMatch(draft: Draft, { call, raw, sent, observation }: CallMatch): number {
  const index = addCall(draft, { ...call, raw, sent });
  draft.textCalls.push(index);
  const added = draft.calls[index];
  if (added !== undefined && sent) added.observation = observation;
  return index;
}

function addLogged(draft: Draft, call: LoggedCall): number {
  const index = addCall(draft, { ...call, sent: true });
  if (call.id !== null) draft.callOfId.set(call.id, index);
  return index;
}

type NewCall = Pick<OpenCall, 'tool' | 'arguments' | 'malformed' | 'raw' | 'sent'>;

function addCall(draft: Draft, call: NewCall): number {
  const { tool, malformed, raw, sent } = call;
  const open = {
    tool,
    arguments: call.arguments,
    malformed,
    raw,
    sent,
    turn: draft.turns.length,
    images: [],
    facts: [],
  };
  return draft.calls.push({ ...open, observation: null, failed: null, latencyMs: null }) - 1;
}

interface OtherFacts {
  /** Calls written in text (counted among these) that the part answers. */
  readonly observes: readonly number[];
  readonly facts: MessageFacts | null;
}

function addOther(draft: Draft, part: Part, known: OtherFacts): void {
  const parts: TurnPart[] = [];
  const observed = new Set<number>();
  let lastText: number | null = null;
  for (const call of known.observes) {
    const index = draft.textCalls[call];
    if (index === undefined) continue;
    observed.add(index);
    lastText = index;
  }
  const answered = lastText === null ? null : (draft.calls[lastText] ?? null);
  for (const segment of part.segments) {
    if (segment.kind !== 'result') {
      pushShown(draft, parts, { segments: [segment], origin: 'observation', call: answered });
      continue;
    }
    const { id, segments, failed, latencyMs } = segment.result;
    const index = (id === null ? null : draft.callOfId.get(id)) ?? lastText ?? firstOpen(draft);
    const call = index === null ? undefined : draft.calls[index];
    if (index !== null && call !== undefined) {
      observed.add(index);
      if (lastText === null) call.observation = joined(call.observation, textOf(segments));
      call.failed = failed ?? call.failed;
      call.latencyMs = latencyMs ?? call.latencyMs;
    }
    pushShown(draft, parts, { segments, origin: 'observation', call: call ?? null });
  }
  const observes = [...observed];
  const role = observes.length > 0 ? 'tool' : part.role;
  const characters = charactersOf(part.segments);
  draft.turns.push(buildTurn({ role, loggedRole: part.loggedRole, parts, observes, characters, ...known.facts }));
}

/** The first call of the last turn with calls that has no result yet; the search goes on where the last one ended. */
function firstOpen(draft: Draft): number | null {
  while (draft.open < draft.calls.length && draft.calls[draft.open]?.observation !== null) draft.open++;
  return draft.open < draft.calls.length ? draft.open : null;
}

function joined(before: string | null, text: string): string {
  return before === null || before === '' ? text : `${before}\n${text}`;
}

/** Whose segment is shown: pictures go to the call that brought them. */
interface Shown {
  readonly origin: LoggedImage['origin'];
  readonly call: OpenCall | null;
}

/** Shows segments as they are, a call as its text. */
function pushShown(draft: Draft, parts: TurnPart[], shown: Shown & { readonly segments: readonly Segment[] }): void {
  const { origin, call } = shown;
  for (const segment of shown.segments) {
    if (segment.kind === 'text') pushText(draft, parts, { text: segment.text, origin });
    else if (segment.kind === 'reasoning') parts.push({ kind: 'reasoning', text: segment.text });
    else if (segment.kind === 'call') parts.push(textPart(`${segment.call.tool ?? ''}(${segment.call.raw})`));
    else if (segment.kind === 'result') pushShown(draft, parts, { segments: segment.result.segments, origin, call });
    else {
      const index = draft.images.push(imageFrom(segment.image, origin)) - 1;
      parts.push(imagePart(index));
      call?.images.push(index);
      const facts = call?.facts ?? draft.facts;
      if (segment.source !== null) facts.push({ name: `image ${index}`, value: segment.source });
    }
  }
}

/** Text with its runs of image pads as pictures without data. */
function pushText(draft: Draft, parts: TurnPart[], of: { text: string; origin: LoggedImage['origin'] }): void {
  cutAtImages(of.text, {
    text: (piece) => parts.push(textPart(piece)),
    image: (pads) => parts.push(imagePart(draft.images.push(buildImage({ origin: of.origin, pads })) - 1)),
  });
}

function charactersOf(segments: readonly Segment[]): number {
  let sum = 0;
  for (const segment of segments) {
    if (segment.kind === 'text' || segment.kind === 'reasoning') sum += segment.text.length;
    else if (segment.kind === 'call') sum += (segment.call.tool ?? '').length + segment.call.raw.length;
    else if (segment.kind === 'result') sum += charactersOf(segment.result.segments);
  }
  return sum;
}

function closedCall(call: OpenCall): Call {
  const { turn, tool, raw, sent, images, facts, observation, latencyMs } = call;
  return buildCall({
    turn,
    tool,
    arguments: call.arguments,
    raw,
    sent,
    control: tool !== null && isControlTool(tool),
    ...outcomeOf(call),
    observation: observation ?? '',
    images,
    latencyMs,
    facts,
  });
}

/** A logged flag first, then what the observation reads like. */
function outcomeOf({ malformed, failed, observation }: OpenCall): Pick<Call, 'outcome' | 'failure'> {
  const said = outcomeOfText(observation ?? '');
  if (malformed) return { outcome: 'malformed', failure: said.failure };
  if (failed === null || (failed && said.outcome !== 'unknown')) return said;
  return failed ? { outcome: 'failed', failure: firstLine(observation ?? '') } : { outcome: 'ok', failure: null };
}

function firstLine(text: string): string | null {
  const line = text.slice(0, 300).trim().split('\n', 1)[0] ?? '';
  return line === '' ? null : line;
}
