/**
 * An episode while an agent's log is read message by message: turns, calls and pictures, and which call an observation
 * belongs to. Shared by the readers of agent trajectories (ATIF, SWE-agent, OpenHands, tau2-bench, rLLM).
 * Leaves out how a format names things: a reader says who speaks, what was called and what came back.
 */
import { asArray, asNumber, type Json, type JsonObject } from '../base/json.ts';
import { buildCall, buildTurn, callPart, imagePart, textPart } from '../model/builder.ts';
import type { Call, LoggedImage, NamedValue, Role, SubAgent, TokenValues, Turn, TurnPart } from '../model/rollout.ts';
import { isControlTool } from './chatEpisode.ts';
import { imageFrom, readMessage, type LoggedCall } from './messageParts.ts';
import { outcomeOfText } from './toolInteractions.ts';

/** An episode being built; `answer` is the last thing the main agent said. */
export interface EpisodeDraft {
  readonly turns: Turn[];
  readonly calls: Call[];
  readonly images: LoggedImage[];
  /** Index of the last call with an id. */
  readonly callOfId: Map<string, number>;
  /** URLs and paths of pictures that are not in the log, by their index; they are never fetched. */
  readonly absentImages: NamedValue[];
  answer: string | null;
}

/** A turn as a reader knows it; what is left out is not logged. */
export interface SaidTurn {
  readonly role: Role;
  readonly loggedRole: string;
  /** A text or a list of parts in any dialect messageParts.ts knows. */
  readonly content: Json;
  readonly prompt?: boolean;
  readonly reasoning?: string | null;
  readonly calls?: readonly SaidCall[];
  readonly tokens?: number | null;
  readonly latencyMs?: number | null;
  readonly tokenValues?: TokenValues | null;
  readonly agent?: SubAgent | null;
  /** Characters as logged, where `content` is only a part of it. */
  readonly characters?: number;
  /** False for a text that is no answer whatever follows (it only carries calls). */
  readonly answers?: boolean;
}

/** A call as a reader knows it. */
export interface SaidCall extends LoggedCall {
  /** True for a call that ends or only steers the episode; decided by its name unless given. */
  readonly control?: boolean;
  readonly facts?: readonly NamedValue[];
}

/** What came back for calls. */
export interface Observed {
  readonly calls: readonly number[];
  readonly loggedRole: string;
  readonly content: Json;
  /** Whether it failed as logged; null where the log does not say and the text has to tell. */
  readonly failed?: boolean | null;
  /** True where the call was killed by a time limit. */
  readonly timedOut?: boolean;
  /** True where the call could not be understood. */
  readonly malformed?: boolean;
  /** True where a person or a policy did not allow the call. */
  readonly refused?: boolean;
  readonly failure?: string | null;
  readonly latencyMs?: number | null;
  readonly facts?: readonly NamedValue[];
  readonly agent?: SubAgent | null;
}

/** A draft with nothing in it. */
export function newEpisode(): EpisodeDraft {
  return { turns: [], calls: [], images: [], callOfId: new Map(), absentImages: [], answer: null };
}

/** Adds a turn; gives the indexes of its calls. */
export function addTurn(draft: EpisodeDraft, said: SaidTurn): readonly number[] {
  const prompt = said.prompt ?? false;
  const parts: TurnPart[] = [];
  const reasoning = said.reasoning ?? '';
  if (reasoning !== '') parts.push({ kind: 'reasoning', text: reasoning });
  const content = addContent(draft, said.content, prompt ? 'prompt' : 'observation');
  for (const part of content.parts) parts.push(part);
  let characters = reasoning.length + content.characters;
  const indexes: number[] = [];
  for (const call of said.calls ?? []) {
    const index = addCall(draft, call, draft.turns.length);
    indexes.push(index);
    parts.push(callPart(index));
    characters += (call.tool ?? '').length + call.raw.length;
  }
  const { role, loggedRole, tokens = null, latencyMs = null, tokenValues = null, agent = null } = said;
  const answers = said.answers ?? (role === 'policy' && !prompt && agent === null);
  if (answers && content.text !== '') draft.answer = content.text;
  const facts = { characters: said.characters ?? characters, tokens, latencyMs, tokenValues, agent };
  draft.turns.push(buildTurn({ role, loggedRole, parts, prompt, ...facts }));
  return indexes;
}

function addCall(draft: EpisodeDraft, call: SaidCall, turn: number): number {
  const { id, tool, malformed, raw, facts = [] } = call;
  const control = call.control ?? (tool !== null && isControlTool(tool));
  const outcome = malformed ? 'malformed' : 'unknown';
  const index =
    draft.calls.push(buildCall({ turn, tool, arguments: call.arguments, raw, control, outcome, facts })) - 1;
  if (id !== null && id !== '') draft.callOfId.set(id, index);
  return index;
}

/** Adds the observation of calls as a tool turn; several calls that share one text have it on the last of them. */
export function addObservation(draft: EpisodeDraft, observed: Observed): void {
  const { calls, loggedRole, agent = null } = observed;
  const firstImage = draft.images.length;
  const firstAbsent = draft.absentImages.length;
  const { parts, text, characters } = addContent(draft, observed.content, 'observation');
  const images = Array.from({ length: draft.images.length - firstImage }, (_, index) => firstImage + index);
  const absent = draft.absentImages.slice(firstAbsent);
  const latencyMs = observed.latencyMs ?? null;
  const last = calls.at(-1);
  for (const index of calls) {
    const call = draft.calls[index];
    if (call === undefined) continue;
    const facts = [...call.facts, ...(observed.facts ?? []), ...absent];
    const own = index === last ? { observation: text, images, latencyMs, facts } : {};
    draft.calls[index] = { ...call, ...own, ...outcomeOf(call, observed, text) };
  }
  draft.turns.push(buildTurn({ role: 'tool', loggedRole, parts, observes: calls, characters, latencyMs, agent }));
}

function outcomeOf(call: Call, observed: Observed, text: string): Pick<Call, 'outcome' | 'failure'> {
  const said = outcomeOfText(text);
  const failure = observed.failure ?? said.failure;
  const lead = failure ?? firstLine(text);
  if (observed.refused === true) return { outcome: 'refused', failure: lead };
  if (observed.timedOut === true) return { outcome: 'timeout', failure: lead };
  if (call.outcome === 'malformed' || observed.malformed === true) return { outcome: 'malformed', failure: lead };
  if (observed.failed === true) return { outcome: 'failed', failure: failure ?? lastLine(text) };
  if (observed.failed === false) return { outcome: 'ok', failure: null };
  return said;
}

function firstLine(text: string): string | null {
  const line = text.slice(0, 2000).trimStart().split('\n', 1)[0]?.trim() ?? '';
  return line === '' ? null : line.slice(0, 300);
}

/** The last line with text, where a shell writes what went wrong; null where there is none. */
function lastLine(text: string): string | null {
  const line = text.slice(-2000).trimEnd().split('\n').at(-1)?.trim() ?? '';
  return line === '' ? null : line.slice(0, 300);
}

/** Texts and pictures of a content in any dialect; calls and results inside it are texts here. */
function addContent(
  draft: EpisodeDraft,
  content: Json,
  origin: LoggedImage['origin'],
): { readonly parts: readonly TurnPart[]; readonly text: string; readonly characters: number } {
  const parts: TurnPart[] = [];
  const texts: string[] = [];
  let characters = 0;
  for (const segment of readMessage({ role: 'user', content }).segments) {
    if (segment.kind === 'image') {
      const index = draft.images.push(imageFrom(segment.image, origin)) - 1;
      parts.push(imagePart(index));
      if (segment.source !== null) draft.absentImages.push({ name: `image ${index}`, value: segment.source });
    } else if (segment.kind === 'text' || segment.kind === 'reasoning') {
      parts.push(segment.kind === 'text' ? textPart(segment.text) : segment);
      if (segment.kind === 'text') texts.push(segment.text);
      characters += segment.text.length;
    }
  }
  return { parts, text: texts.join('\n'), characters };
}

/** A call of a tool with arguments that are data. */
export function callOf(tool: string | null, given: Json, id: string | null = null): SaidCall {
  return { id, tool, arguments: given, malformed: false, raw: JSON.stringify(given) };
}

/** A call that was written as text (a shell command). */
export function textCall(tool: string | null, text: string, key = 'command'): SaidCall {
  return { id: null, tool, arguments: { [key]: text }, malformed: false, raw: text };
}

/** Sub-objects by key; {} where there is none. */
export function objectAt(value: JsonObject, key: string): JsonObject {
  const found = value[key];
  return typeof found === 'object' && found !== null && !Array.isArray(found) ? (found as JsonObject) : {};
}

/** A list of numbers, NaN for what is none; null where the value is no list. */
export function numbersOf(value: Json | undefined): readonly number[] | null {
  return Array.isArray(value) ? asArray(value).map((item) => asNumber(item) ?? Number.NaN) : null;
}
