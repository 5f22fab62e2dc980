/**
 * A chunked Inspect sample (log version 3, since July 2026: `samples/<id>_epoch_<n>/sample.json` and sequences beside it
 * named by the index of their first item) → the sample that one member would have held. Owned by inspect.ts.
 * Leaves out `calls` (raw API requests), `skeleton.json` and the statistics, which nothing here shows.
 */
import { asArray, isObject, type Json, type JsonObject } from '../base/json.ts';
import { expandRefs } from './inspectEvents.ts';
import { parseJsonBytes } from './parseJson.ts';
import type { Source } from './source.ts';
import { openMember, type ZipMember } from './zipMembers.ts';

/** A member's name without what the shell and its sequences share, by that prefix ("samples/7_epoch_1/"). */
export type ChunksOfSample = ReadonlyMap<string, readonly ZipMember[]>;

const chunkName = /^(samples\/.+_epoch_\d+\/)(?:(?:messages|events|attachments)\/\d+|metadata)\.json$/su;
const shellName = /^(samples\/.+_epoch_\d+\/)sample\.json$/su;
const mostMessages = 1_000_000;

/** The prefix of a chunked sample by the name of its shell; null for any other name. */
export function shellPrefix(name: string): string | null {
  return shellName.exec(name)?.[1] ?? null;
}

/** The chunks of all samples of an archive. */
export function chunksOf(members: readonly ZipMember[]): ChunksOfSample {
  const chunks = new Map<string, ZipMember[]>();
  for (const member of members) {
    const prefix = chunkName.exec(member.name)?.[1];
    if (prefix === undefined) continue;
    const list = chunks.get(prefix);
    if (list === undefined) chunks.set(prefix, [member]);
    else list.push(member);
  }
  return chunks;
}

/** The whole sample of a shell, or why a part of it cannot be read. */
export async function joinChunks(
  source: Source,
  shell: JsonObject,
  parts: { readonly prefix: string; readonly chunks: readonly ZipMember[]; readonly maximumBytes: number },
): Promise<JsonObject | string> {
  const { prefix, chunks, maximumBytes } = parts;
  // A name that is there twice counts once, and the later one wins.
  const byName = new Map(chunks.map((chunk) => [chunk.name.slice(prefix.length), chunk]));
  let left = maximumBytes;
  const valueOf = async (name: string, member: ZipMember): Promise<{ readonly value: Json } | string> => {
    const opened = await openMember(source, member, left);
    if (!opened.ok) return `${name}: ${opened.reason}`;
    left -= opened.bytes.length;
    const parsed = parseJsonBytes(opened.bytes, 0, opened.bytes.length);
    return parsed.ok ? { value: parsed.value } : `${name}: ${parsed.reason}`;
  };
  const sequences: { [name: string]: Json[] } = { messages: [], events: [], attachments: [] };
  for (const [sequence, items] of Object.entries(sequences)) {
    const starts = [...byName.keys()].filter((name) => name.startsWith(`${sequence}/`)).sort(byStart);
    for (const name of starts) {
      const member = byName.get(name);
      const found = member === undefined ? `${name} is missing` : await valueOf(name, member);
      if (typeof found === 'string') return found;
      for (const item of asArray(found.value)) items.push(item);
    }
  }
  const { messages = [], events = [], attachments = [] } = sequences;
  const member = byName.get('metadata.json');
  const metadata = member === undefined ? null : await valueOf('metadata.json', member);
  if (typeof metadata === 'string') return metadata;
  return {
    ...shell,
    ...(metadata !== null && isObject(metadata.value) ? { metadata: metadata.value } : {}),
    messages: expandRefs(shell['message_refs'], messages, mostMessages),
    events,
    events_data: { messages },
    attachments: Object.fromEntries(attachments.entries()),
  };
}

function byStart(one: string, other: string): number {
  return startOf(one) - startOf(other);
}

function startOf(name: string): number {
  return Number(/\d+/u.exec(name)?.[0] ?? 0);
}
