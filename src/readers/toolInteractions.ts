/**
 * What verl-tool logs of one executed call: an entry of `tool_interact_info` (formats.md 1.4). Maps it to outcome,
 * latency, facts, pictures and the observation. Numbers and flags may be strings (numpy through `default=str`).
 * Owned by the verl readers; leaves out which call of the text an entry belongs to (chatEpisode.ts).
 */
import { asArray, asString, isObject, type Json, type JsonObject } from '../base/json.ts';
import { buildImage } from '../model/builder.ts';
import type { CallOutcome, LoggedImage, NamedValue } from '../model/rollout.ts';
import { wrapperAt } from './toolRecipes.ts';

/** How an executed call went. */
export interface Interaction {
  readonly outcome: CallOutcome;
  readonly failure: string | null;
  readonly latencyMs: number | null;
  readonly facts: readonly NamedValue[];
  readonly observation: string;
  readonly images: readonly LoggedImage[];
}

/** Keys that have a place of their own in the model, or repeat what the text says. */
const placed = new Set(['obs', 'image', 'metrics', 'action', 'trajectory_id']);
const failureStarts = ['Tool server connection error', 'Tool call error'];
const failureLength = 300;
/** The shortest base64 of a picture seen is 92 characters (PNG of one pixel); a cut URI keeps 28 (formats.md 1.4). */
const shortestBase64 = 64;
const uriHeaderLimit = 100;
/** How base64 begins by the first bytes of a picture. */
const base64Starts: readonly (readonly [start: string, mime: string])[] = [
  ['iVBOR', 'image/png'],
  ['/9j/', 'image/jpeg'],
  ['R0lGOD', 'image/gif'],
  ['UklGR', 'image/webp'],
];

/** Reads one entry; `malformed` says that the text of the call could not be parsed. */
export function readInteraction(entry: JsonObject, call: { readonly malformed: boolean }): Interaction {
  const observation = asString(entry['obs']) ?? '';
  const metrics = isObject(entry['metrics']) ? entry['metrics'] : {};
  const latency = latencyOf(entry);
  const { outcome, failure } = outcomeOf(entry, { metrics, observation, malformed: call.malformed });
  const images: LoggedImage[] = [];
  for (const image of asArray(entry['image'])) images.push(readImage(asString(image) ?? ''));
  const latencyMs = latency?.milliseconds ?? null;
  return { outcome, failure, latencyMs, facts: factsOf(entry, metrics, latency?.key), observation, images };
}

/** Outcome of a call of which only the observation's text is known: unknown unless it reads like an error. */
export function outcomeOfText(observation: string): Pick<Interaction, 'outcome' | 'failure'> {
  const head = leadOf(observation);
  if (head.startsWith('Tool call timeout')) return { outcome: 'timeout', failure: firstLine(head) };
  const isError = /^(error\b|\{"error"|traceback \(most recent call last\)|tool (call|server connection) error)/i.test(
    head,
  );
  return isError ? { outcome: 'failed', failure: firstLine(head) } : { outcome: 'unknown', failure: null };
}

/** A data URI, bare base64 or a path as a picture; the payload is sliced, never decoded. */
export function readImage(uri: string): LoggedImage {
  const comma = uri.startsWith('data:') ? uri.slice(0, uriHeaderLimit).indexOf(',') : -1;
  if (comma === -1) {
    const mime = base64Starts.find(([start]) => uri.startsWith(start))?.[1] ?? null;
    if (mime === null) return buildImage({ origin: 'observation', state: uri.startsWith('data:') ? 'cut' : 'absent' });
    return payload(uri, mime);
  }
  const semicolon = uri.indexOf(';');
  return payload(uri.slice(comma + 1), uri.slice(5, semicolon > 5 && semicolon < comma ? semicolon : comma));
}

function payload(base64: string, mime: string): LoggedImage {
  const cut = base64.length < shortestBase64 || base64.length % 4 !== 0 || base64.endsWith('...');
  if (cut) return buildImage({ origin: 'observation', state: 'cut', mime });
  return buildImage({ origin: 'observation', state: 'inline', mime, base64 });
}

interface OutcomeFacts {
  readonly metrics: JsonObject;
  readonly observation: string;
  readonly malformed: boolean;
}

function outcomeOf(entry: JsonObject, facts: OutcomeFacts): Pick<Interaction, 'outcome' | 'failure'> {
  const { metrics, observation } = facts;
  const reason = asString(entry['invalid_reason']);
  if (reason?.startsWith('No valid tool') === true) return { outcome: 'malformed', failure: reason };
  if (facts.malformed) return { outcome: 'malformed', failure: reason ?? 'the call is not valid' };
  const failed = truthOf(entry['success']) === false;
  const lead = leadOf(observation);
  if (lead.startsWith('Tool call timeout') || (failed && truthOf(entry['timeout']) === true)) {
    return { outcome: 'timeout', failure: firstLine(lead) };
  }
  if (truthOf(metrics['deduplicated']) === true)
    return { outcome: 'refused', failure: 'a repeated call, not executed' };
  const error = entry['error'];
  if (error !== undefined && error !== null && error !== '') {
    return { outcome: 'failed', failure: firstLine(asString(error) ?? JSON.stringify(error)) };
  }
  if (failed || failureStarts.some((start) => lead.startsWith(start))) {
    return { outcome: 'failed', failure: reason ?? firstLine(lead) };
  }
  if (truthOf(metrics['code_success']) === false) return { outcome: 'failed', failure: lastErrorLine(observation) };
  if (truthOf(metrics['search_success']) === false) return { outcome: 'failed', failure: firstLine(observation) };
  if (reason !== null && reason !== '') return { outcome: 'failed', failure: reason };
  const invalid = truthOf(entry['valid_action']) === false && truthOf(entry['success']) !== true;
  return invalid ? { outcome: 'failed', failure: 'not a valid action' } : { outcome: 'ok', failure: null };
}

function latencyOf(entry: JsonObject): { key: string; milliseconds: number } | null {
  for (const [key, factor] of latencyKeys) {
    const milliseconds = (numberOf(entry[key]) ?? Infinity) * factor;
    if (Number.isFinite(milliseconds)) return { key, milliseconds };
  }
  return null;
}

/** Round trip as the agent loop saw it, else the server's own time, else the request's in seconds. */
const latencyKeys: readonly (readonly [key: string, factor: number])[] = [
  ['interact_time_ms', 1],
  ['processing_time_ms', 1],
  ['session_request_time', 1000],
];

function factsOf(entry: JsonObject, metrics: JsonObject, used: string | undefined): readonly NamedValue[] {
  const facts: NamedValue[] = [];
  for (const name in metrics) {
    const value = metrics[name];
    if (value !== undefined) facts.push({ name, value });
  }
  for (const name in entry) {
    const value = entry[name];
    if (value === undefined || value === null || name === used || placed.has(name)) continue;
    if (!(typeof value === 'string' && value.length > failureLength)) facts.push({ name, value });
  }
  return facts;
}

/** A finite number, also from the string a numpy scalar became; null where it is anything else. */
export function numberOf(value: Json | undefined): number | null {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value !== 'string' || value.length > 40 || value.trim() === '') return null;
  const number = Number(value);
  return Number.isFinite(number) ? number : null;
}

/** A flag, also from 0 and 1 and from the string a numpy scalar became; null where it is anything else. */
export function truthOf(value: Json | undefined): boolean | null {
  if (typeof value === 'boolean') return value;
  if (value === 'True' || value === 'true') return true;
  if (value === 'False' || value === 'false') return false;
  const number = numberOf(value);
  return number === 1 ? true : number === 0 ? false : null;
}

/** Beginning of an observation behind the wrapper of its tool server. */
function leadOf(observation: string): string {
  const wrapped = wrapperAt(observation, 0);
  const first = wrapped === null ? 0 : wrapped.first + wrapped.wrapper.open.length;
  return observation.slice(first, first + failureLength).trimStart();
}

function firstLine(text: string): string | null {
  const line = text.slice(0, failureLength).trim().split('\n', 1)[0] ?? '';
  return line === '' ? null : line;
}

/** The last line Python printed to stderr says what went wrong; the fence and blank lines around it do not. */
function lastErrorLine(observation: string): string | null {
  const tail = observation.slice(-2000);
  const stderr = tail.lastIndexOf('stderr:');
  const images = tail.indexOf('\n\nImages:', Math.max(stderr, 0));
  const lines = tail.slice(stderr === -1 ? 0 : stderr + 7, images === -1 ? tail.length : images).split('\n');
  const line = lines.findLast((candidate) => candidate.trim() !== '' && !candidate.startsWith('```'));
  return line === undefined ? null : line.trim().slice(0, failureLength);
}
