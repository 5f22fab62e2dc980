/**
 * Finds calls, reasoning and answers in what a policy wrote in one turn, and observations that a recipe put inline
 * behind a call. One pass over the `<` of the text; every search remembers where it was, so hostile text costs linear
 * time. Owned by the verl readers; leaves out the dialects' insides (toolCallDialects.ts) and what the log says of a call.
 */
import { type ForwardSearch, forwardSearch, forwardSearches } from './forwardSearch.ts';
import { type Recipe, recipes, wrapperAt } from './toolRecipes.ts';
import { type Dialect, dialects, parseHarmonyCall, type WrittenCall } from './toolCallDialects.ts';

/** A piece of a policy turn, `[first, end)` with its tags; `text` is what stands inside them. Pieces leave no gaps but tags. */
export type PolicySpan =
  | {
      readonly kind: 'text' | 'reasoning' | 'answer';
      readonly text: string;
      readonly first: number;
      readonly end: number;
    }
  | {
      readonly kind: 'call';
      readonly call: WrittenCall;
      readonly raw: string;
      readonly first: number;
      readonly end: number;
    }
  | { readonly kind: 'observation'; readonly text: string; readonly first: number; readonly end: number };

/** What is known about a turn before it is read. */
export interface PolicyTurnContext {
  /** What the prompt already wrote of the turn: `<think>` or ''. */
  readonly prefill: string;
  /** True where something was executed at the end of the turn: a recipe's tag there is a call. */
  readonly endsInCall: boolean;
}

interface Tag {
  readonly open: string;
  readonly close: string;
}

const reasoningTags: readonly Tag[] = [
  { open: '<think>', close: '</think>' },
  { open: '<reason>', close: '</reason>' },
  { open: '<reasoning>', close: '</reasoning>' },
];
const answerTag: Tag = { open: '<answer>', close: '</answer>' };
const harmonyHeaders = ['<|channel|>', '<|start|>assistant'];
const harmonyHeaderLimit = 240;

/** What may stand at a `<`, by the character after it, so that most of them cost one look-up. */
type Marker =
  | { readonly kind: 'dialect'; readonly open: string; readonly dialect: Dialect }
  | { readonly kind: 'recipe'; readonly open: string; readonly recipe: Recipe }
  | { readonly kind: 'reasoning' | 'reasoning-end'; readonly open: string; readonly tag: Tag }
  | { readonly kind: 'answer' | 'harmony'; readonly open: string };

const markers = new Map<string, Marker[]>();
function addMarker(marker: Marker): void {
  const key = marker.open.charAt(1);
  markers.set(key, [...(markers.get(key) ?? []), marker]);
}
for (const dialect of dialects) addMarker({ kind: 'dialect', open: dialect.open, dialect });
for (const tag of reasoningTags) {
  addMarker({ kind: 'reasoning', open: tag.open, tag });
  addMarker({ kind: 'reasoning-end', open: tag.close, tag });
}
addMarker({ kind: 'answer', open: answerTag.open });
for (const open of harmonyHeaders) addMarker({ kind: 'harmony', open });
for (const recipe of recipes) if (recipe.open.startsWith('<')) addMarker({ kind: 'recipe', open: recipe.open, recipe });
const fences = recipes.filter((recipe) => recipe.open.startsWith('`'));

/** A turn being read. */
interface Scan {
  readonly text: string;
  readonly context: PolicyTurnContext;
  readonly spans: PolicySpan[];
  readonly search: (needle: string, at: number) => number;
  /** Beginning of the text that belongs to no span yet. */
  pending: number;
  /** The tag whose reasoning is open, null outside reasoning. */
  reasoning: Tag | null;
  /** True once there was reasoning: a further closing tag without an opening one is content. */
  reasoned: boolean;
}

/** Splits one policy turn into spans, in order. Never throws; what is not recognised is text. */
export function scanPolicyTurn(text: string, context: PolicyTurnContext): readonly PolicySpan[] {
  const search = forwardSearches(text);
  const scan: Scan = { text, context, spans: [], search, pending: 0, reasoning: null, reasoned: false };
  scan.reasoning = reasoningTags.find((tag) => tag.open === context.prefill) ?? null;
  const angle = forwardSearch(text, '<');
  const fence: ForwardSearch = context.endsInCall || hasInlineObservation(text) ? forwardSearch(text, '```') : () => -1;
  let at = 0;
  for (;;) {
    const nextAngle = angle(at);
    const nextFence = fence(at);
    const isFence = nextFence !== -1 && (nextAngle === -1 || nextFence < nextAngle);
    const next = isFence ? nextFence : nextAngle;
    if (next === -1) break;
    at = isFence ? takeFence(scan, next) : takeMarker(scan, next);
  }
  flush(scan, text.length);
  return scan.spans;
}

const inlineObservations = ['```output', '<interpreter>', '<output>', '<result>', '<information>'];

function hasInlineObservation(text: string): boolean {
  return inlineObservations.some((open) => text.includes(open));
}

/** Ends the pending text at `end` as text or, inside reasoning, as reasoning; blanks alone are dropped. */
function flush(scan: Scan, end: number): void {
  const { text, pending: first } = scan;
  let start = first;
  let last = end;
  while (start < last && isBlank(text.charCodeAt(start))) start++;
  while (last > start && isBlank(text.charCodeAt(last - 1))) last--;
  if (start < last) {
    scan.spans.push({
      kind: scan.reasoning === null ? 'text' : 'reasoning',
      text: text.slice(start, last),
      first,
      end,
    });
  }
}

/** Handles the `<` at `at`; returns where to look on. */
function takeMarker(scan: Scan, at: number): number {
  const { text } = scan;
  const candidates = markers.get(text.charAt(at + 1));
  const marker = candidates?.find((candidate) => text.startsWith(candidate.open, at));
  if (marker === undefined) return at + 1;
  switch (marker.kind) {
    case 'dialect':
      return takeCall(scan, at, marker.dialect);
    case 'recipe':
      return takeRecipe(scan, at, marker.recipe);
    case 'reasoning':
      return openReasoning(scan, at, marker.tag);
    case 'reasoning-end':
      return endReasoning(scan, at, marker.tag);
    case 'answer':
      return takeAnswer(scan, at);
    case 'harmony':
      return takeHarmony(scan, at, marker.open);
  }
}

function openReasoning(scan: Scan, at: number, tag: Tag): number {
  const first = at + tag.open.length;
  if (scan.reasoning !== null) return first;
  // A turn may be cut inside its reasoning, but a tag quoted in the middle of an answer opens nothing.
  const closes = scan.search(tag.close, first) !== -1;
  if (!closes && (scan.spans.length > 0 || scan.text.slice(scan.pending, at).trim() !== '')) return first;
  flush(scan, at);
  scan.pending = first;
  scan.reasoning = tag;
  return first;
}

function endReasoning(scan: Scan, at: number, tag: Tag): number {
  const end = at + tag.close.length;
  if (scan.reasoning === null) {
    // Templates that end the prompt with <think> leave only the closing tag: all before it was reasoning.
    if (scan.reasoned) return end;
    for (const [index, span] of scan.spans.entries()) {
      if (span.kind === 'text') scan.spans[index] = { ...span, kind: 'reasoning' };
    }
    scan.reasoning = tag;
  } else if (scan.reasoning !== tag) return end;
  scan.reasoned = true;
  flush(scan, at);
  scan.pending = end;
  scan.reasoning = null;
  return end;
}

function takeAnswer(scan: Scan, at: number): number {
  const first = at + answerTag.open.length;
  const close = scan.search(answerTag.close, first);
  const quoted = scan.reasoning !== null && scan.search(scan.reasoning.close, first) !== -1;
  if (close === -1 || quoted) return first;
  flush(scan, at);
  scan.reasoning = null;
  const end = close + answerTag.close.length;
  scan.spans.push({ kind: 'answer', text: scan.text.slice(first, close).trim(), first: at, end });
  scan.pending = end;
  return end;
}

function takeCall(scan: Scan, at: number, dialect: Dialect): number {
  const { text, search } = scan;
  const first = at + dialect.open.length;
  const close = search(dialect.close, first);
  if (close === -1) return takeCutCall(scan, at, dialect);
  const end = close + dialect.close.length;
  // Inside reasoning that closes later a call is a quotation, unless something was executed behind it.
  const quoted = scan.reasoning !== null && search(scan.reasoning.close, end) !== -1;
  if (quoted && wrapperAt(text, end) === null) return end;
  let open = at;
  if (!startsObject(text, first)) {
    const last = text.lastIndexOf(dialect.open, close - 1);
    if (last > at) open = last;
  }
  flush(scan, open);
  const raw = text.slice(open, end);
  for (const call of dialect.parse(text.slice(open + dialect.open.length, close))) {
    scan.spans.push({ kind: 'call', call, raw, first: open, end });
  }
  scan.pending = end;
  return takeObservations(scan, end);
}

/** A call that the end of the turn cut: malformed, and it holds the rest of the turn. */
function takeCutCall(scan: Scan, at: number, dialect: Dialect): number {
  const { text } = scan;
  const first = at + dialect.open.length;
  const isCall = startsObject(text, first) && text.indexOf(dialect.open, first) === -1;
  const quoted = scan.reasoning !== null && scan.search(scan.reasoning.close, first) !== -1;
  if (!isCall || quoted) return first;
  flush(scan, at);
  const named = dialect.parse(text.slice(first))[0]?.tool ?? null;
  const call = { tool: named, arguments: null, malformed: true };
  scan.spans.push({ kind: 'call', call, raw: text.slice(at), first: at, end: text.length });
  scan.pending = text.length;
  return text.length;
}

function startsObject(text: string, first: number): boolean {
  let at = first;
  while (at < text.length && isBlank(text.charCodeAt(at))) at++;
  return text[at] === '{' || text.startsWith('<function=', at);
}

function takeRecipe(scan: Scan, at: number, recipe: Recipe): number {
  const first = at + recipe.open.length;
  const close = scan.search(recipe.close, first);
  return close === -1 ? first : takeExecuted(scan, at, { recipe, first, close });
}

function takeFence(scan: Scan, at: number): number {
  const { text } = scan;
  const recipe = fences.find((candidate) => text.startsWith(candidate.open, at));
  if (recipe === undefined || (at > 0 && text[at - 1] !== '\n')) return at + 3;
  const first = at + recipe.open.length;
  const close = scan.search(recipe.close, first - 1);
  return close === -1 ? first : takeExecuted(scan, at, { recipe, first: Math.min(first, close), close });
}

/** A recipe's tag is a call only where it was executed: an observation follows, or the turn ends here and says so. */
function takeExecuted(scan: Scan, at: number, found: { recipe: Recipe; first: number; close: number }): number {
  const { text } = scan;
  const { recipe, first, close } = found;
  const end = close + recipe.close.length;
  const executed = wrapperAt(text, end) !== null || (scan.context.endsInCall && text.slice(end).trim() === '');
  if (!executed) return recipe.open.startsWith('`') ? end : first;
  flush(scan, at);
  const call = recipe.parse(text.slice(first, close));
  scan.spans.push({ kind: 'call', call, raw: text.slice(at, end), first: at, end });
  scan.pending = end;
  return takeObservations(scan, end);
}

/** Takes the observations that stand inline behind a call. */
function takeObservations(scan: Scan, from: number): number {
  let at = from;
  for (let found = wrapperAt(scan.text, at); found !== null; found = wrapperAt(scan.text, at)) {
    const { wrapper, first: start } = found;
    const first = start + wrapper.open.length;
    let close = scan.search(wrapper.close, first);
    let end = close === -1 ? scan.text.length : close + wrapper.close.length;
    // A truncated observation lost its closing tag: the next one belongs to a later observation.
    const cut = scan.search('(truncated)', first);
    if (cut !== -1 && (close === -1 || (cut < close && isBetween(scan.search(wrapper.open, cut), cut, close)))) {
      close = cut + '(truncated)'.length;
      end = close;
    }
    const inner = scan.text.slice(first, close === -1 ? end : close);
    // A stop string such as ```output ends the action; the observation itself is the next turn.
    if (scan.context.endsInCall && end === scan.text.length && inner.trim() === '') break;
    scan.spans.push({ kind: 'observation', text: inner, first: start, end });
    scan.pending = end;
    at = end;
  }
  return at;
}

function isBetween(position: number, low: number, high: number): boolean {
  return position > low && position < high;
}

/** Harmony channels: a header that names a function is a call, `analysis` is reasoning, `final` is text. */
function takeHarmony(scan: Scan, at: number, open: string): number {
  const { text } = scan;
  const first = at + open.length;
  const message = text.slice(first, first + harmonyHeaderLimit).indexOf('<|message|>');
  if (message === -1) return first;
  const header = text.slice(first, first + message);
  if (!isHarmonyHeader(header)) return first;
  const body = first + message + '<|message|>'.length;
  const isCall = header.includes('to=');
  const close = scan.search(isCall ? '<|call|>' : '<|end|>', body);
  flush(scan, at);
  scan.pending = body;
  if (!isCall && !header.includes('analysis')) return body;
  const last = close === -1 ? text.length : close;
  const end = close === -1 ? last : close + (isCall ? '<|call|>'.length : '<|end|>'.length);
  const inner = text.slice(body, last);
  if (isCall) {
    const call = parseHarmonyCall(header, inner);
    scan.spans.push({ kind: 'call', call, raw: text.slice(at, end), first: at, end });
  } else scan.spans.push({ kind: 'reasoning', text: inner.trim(), first: at, end });
  scan.pending = end;
  return isCall ? takeObservations(scan, end) : end;
}

const harmonyWords = new Set(['', 'analysis', 'commentary', 'final', 'json', 'code']);

/** True for a header as the template writes it; anything else in front of `<|message|>` is content. */
function isHarmonyHeader(header: string): boolean {
  const words = header.replaceAll('<|channel|>', ' ').replaceAll('<|constrain|>', ' ').split(/\s/);
  return words.every((word) => harmonyWords.has(word) || /^to=[\w.-]+$/.test(word));
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}
