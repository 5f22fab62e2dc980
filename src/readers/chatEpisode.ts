/**
 * Builds turns, calls and pictures of one rollout out of the decoded text of prompt and output and, where logged, the
 * entries of `tool_interact_info` (formats.md 1.3 and 1.4). T counts entries where there are any, else the calls that
 * an observation follows. Owned by the verl readers; leaves out reward, group and everything else of the record.
 */
import type { JsonObject } from '../base/json.ts';
import { buildCall, buildImage, buildTurn, callPart, imagePart, textPart } from '../model/builder.ts';
import type { Call, LoggedImage, Role, Turn, TurnPart } from '../model/rollout.ts';
import { type CallMatch, matchCalls } from './callMatching.ts';
import { isPolicyRole, isToolRole, splitPrompt } from './chatText.ts';
import { cutAtImages } from './imagePads.ts';
import { type Piece, piecesOf } from './outputPieces.ts';
import { markBoxedAnswer } from './boxedAnswer.ts';
import { outcomeOfText, readInteraction } from './toolInteractions.ts';

/** The conversation of a rollout. */
export interface Episode {
  readonly turns: readonly Turn[];
  readonly calls: readonly Call[];
  readonly images: readonly LoggedImage[];
  readonly answer: string | null;
}

/** What a record logs of its conversation; `entries` is null where it has no `tool_interact_info`. */
export interface LoggedText {
  readonly input: string;
  readonly output: string;
  readonly entries: readonly JsonObject[] | null;
}

/** Names that end or only steer an episode: counted in T as logged, never judged redundant (hdpo.md 3). */
const controlTools = new Set([
  'submit',
  'finish',
  'think',
  'done',
  'final_answer',
  'terminate',
  'hand_over',
  'handoff',
]);

/** An episode being built. */
interface Draft {
  readonly turns: Turn[];
  readonly calls: Call[];
  readonly images: LoggedImage[];
  answer: string | null;
}

/** Reads the conversation; never throws. */
export function buildEpisode(logged: LoggedText): Episode {
  const draft: Draft = { turns: [], calls: [], images: [], answer: null };
  const prompt = splitPrompt(logged.input);
  for (const { role, text } of prompt.turns) {
    const parts = partsOf(draft, text, 'prompt');
    draft.turns.push(
      buildTurn({ role: promptRole(role), loggedRole: role, parts, prompt: true, characters: text.length }),
    );
  }
  const pieces = piecesOf(logged.output, prompt, logged.entries ?? []);
  const matched = matchCalls(pieces, logged.entries);
  const lastPolicy = pieces.findLastIndex((piece) => piece.kind === 'policy');
  for (const [index, piece] of pieces.entries()) {
    if (piece.kind === 'policy')
      addPolicy(draft, piece, { matches: matched.calls[index] ?? [], last: index === lastPolicy });
    else addOther(draft, piece, matched.observes[index] ?? []);
  }
  addMissing(draft, matched.missing);
  return draft;
}

type PolicyPiece = Extract<Piece, { kind: 'policy' }>;
type OtherPiece = Extract<Piece, { kind: 'other' }>;

function addPolicy(draft: Draft, piece: PolicyPiece, known: { matches: readonly CallMatch[]; last: boolean }): void {
  const parts: TurnPart[] = [];
  const turn = draft.turns.length;
  let call = 0;
  let answered = false;
  for (const span of piece.spans) {
    switch (span.kind) {
      case 'text':
        for (const part of partsOf(draft, span.text, 'observation')) parts.push(part);
        break;
      case 'reasoning':
        parts.push({ kind: 'reasoning', text: span.text });
        break;
      case 'answer':
        draft.answer = span.text;
        answered = true;
        parts.push({ kind: 'answer', text: span.text });
        break;
      case 'call':
        parts.push(callPart(draft.calls.length));
        addCall(draft, turn, known.matches[call]);
        call++;
        break;
      case 'observation':
        break;
    }
  }
  // Calls that only the log knows (a tag no dialect has) stand at the end of their turn.
  for (; call < known.matches.length; call++) {
    parts.push(callPart(draft.calls.length));
    addCall(draft, turn, known.matches[call]);
  }
  if (known.last && !answered && draft.answer === null) draft.answer = markBoxedAnswer(parts);
  draft.turns.push(buildTurn({ role: 'policy', loggedRole: piece.role, parts, characters: piece.text.length }));
}

function addCall(draft: Draft, turn: number, match: CallMatch | undefined): void {
  if (match === undefined) return;
  const { call, raw, sent, entry } = match;
  const said = entry === null ? outcomeOfText(match.observation) : null;
  const logged = entry === null ? null : readInteraction(entry, call);
  const images: number[] = [];
  for (const image of logged?.images ?? []) images.push(draft.images.push(image) - 1);
  // Named one by one: spreading drafts here was a fifth of the time of a record.
  draft.calls.push(
    buildCall({
      turn,
      tool: call.tool,
      arguments: call.arguments,
      raw,
      sent,
      control: call.tool !== null && isControlTool(call.tool),
      outcome: logged?.outcome ?? (call.malformed ? 'malformed' : (said?.outcome ?? 'unknown')),
      failure: logged?.failure ?? said?.failure ?? null,
      observation: logged?.observation ?? match.observation,
      images,
      latencyMs: logged?.latencyMs ?? null,
      facts: logged?.facts ?? [],
    }),
  );
}

/** True for a tool that ends or only steers an episode. */
export function isControlTool(tool: string): boolean {
  return controlTools.has(tool) || tool.startsWith('transfer_to_');
}

/** An observation, or a turn of somebody else; pads in it stand for the pictures its calls brought, in order. */
function addOther(draft: Draft, piece: OtherPiece, observes: readonly number[]): void {
  const observed = observes.flatMap((call) => draft.calls[call]?.images ?? []);
  const parts = partsOf(draft, piece.text, 'observation', observed);
  const latencies = observes.flatMap((call) => draft.calls[call]?.latencyMs ?? []);
  const latencyMs = latencies.reduce((sum, latency) => sum + latency, 0);
  draft.turns.push(
    buildTurn({
      role: observes.length > 0 ? 'tool' : otherRole(piece.role),
      loggedRole: piece.role,
      parts,
      observes,
      characters: piece.text.length,
      latencyMs: latencies.length > 0 && Number.isFinite(latencyMs) ? latencyMs : null,
    }),
  );
}

/** Entries whose turn is not in the text (cut by the response length) were sent all the same. */
function addMissing(draft: Draft, missing: readonly CallMatch[]): void {
  if (missing.length === 0) return;
  let turn = draft.turns.findLastIndex((candidate) => candidate.role === 'policy' && !candidate.prompt);
  if (turn === -1) turn = draft.turns.push(buildTurn({ role: 'policy', loggedRole: 'assistant', parts: [] })) - 1;
  for (const match of missing) addCall(draft, turn, match);
}

/** Text with its pad runs as pictures: first those in `known`, then new ones without data. */
function partsOf(draft: Draft, text: string, origin: LoggedImage['origin'], known: readonly number[] = []): TurnPart[] {
  const parts: TurnPart[] = [];
  let used = 0;
  cutAtImages(text, {
    text: (piece) => parts.push(textPart(piece)),
    image: (pads) => {
      const index = known[used++];
      const image = index === undefined ? undefined : draft.images[index];
      if (index === undefined || image === undefined) {
        parts.push(imagePart(draft.images.push(buildImage({ origin, pads })) - 1));
      } else {
        draft.images[index] = { ...image, pads };
        parts.push(imagePart(index));
      }
    },
  });
  return parts;
}

function promptRole(role: string): Role {
  return role === 'prompt' ? 'user' : otherRole(role);
}

function otherRole(role: string): Role {
  if (role === 'system' || role === 'user') return role;
  if (isPolicyRole(role)) return 'policy';
  return isToolRole(role) || role === 'inline' ? 'tool' : 'other';
}
