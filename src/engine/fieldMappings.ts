/**
 * The field mappings that users made, one a folder, in a JSON file of our storage (never in the workspace), and the look
 * at heads that uses them: a log that only the generic reader claims, or none, is read by the mapping of its folder.
 * Several windows may share the file: it is read again before each change. Leaves out the form (mappingHandlers.ts).
 */
import { mkdir, readFile, realpath, rename, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { messageOf, UserError } from '../base/errors.ts';
import { isObject } from '../base/json.ts';
import { isUsableMapping, parseMapping, printMapping, valueAt, type FieldMapping } from '../readers/fieldMapping.ts';
import { genericReader, mappedRecognition } from '../readers/generic.ts';
import type { Head } from '../readers/reader.ts';
import { logLook, type FileHeads, type FileLook } from './fileHeads.ts';
import { rankFolderOf } from './rankOfPath.ts';
import { stepOfPath } from './stepOfPath.ts';
import { plainName } from './wrapper.ts';

/** The mappings that are kept. */
export interface FieldMappings {
  /** The mapping of a folder; null where none is kept. */
  of(folder: string): Promise<FieldMapping | null>;
  /** Keeps a mapping for a folder; null removes it. */
  set(folder: string, mapping: FieldMapping | null): Promise<void>;
}

const fileName = 'fieldMappings.json';
/** Folders kept; the ones mapped longest ago are forgotten. */
const mostFolders = 1_000;

/** Opens the mappings of a storage folder, which need not exist. A damaged file counts as empty. */
export async function openFieldMappings(storage: string): Promise<FieldMappings> {
  const path = join(storage, fileName);
  let folders = await readFolders(path);
  return {
    of: async (folder) => (folders.size === 0 ? null : (folders.get(await realOf(folder)) ?? null)),
    set: async (folder, mapping) => {
      const real = await realOf(folder);
      folders = await readFolders(path);
      folders.delete(real);
      if (mapping !== null) folders.set(real, mapping);
      const kept = [...folders]
        .slice(-mostFolders)
        .map(([name, one]) => [name, JSON.parse(printMapping(one)) as unknown]);
      const content = `${JSON.stringify({ version: 1, folders: Object.fromEntries(kept) }, null, 2)}\n`;
      await writeWhole(path, content).catch((error: unknown) => {
        const message = `The mapping is used until this window is closed; it could not be kept: ${messageOf(error)}.`;
        throw new UserError(message, 'Check the rights and the free space of that disk.');
      });
    },
  };
}

/** One mapping for all folders, kept nowhere. */
export function oneMapping(mapping: FieldMapping): FieldMappings {
  let one: FieldMapping | null = mapping;
  return {
    of: () => Promise.resolve(one),
    set: (_, next) => {
      one = next;
      return Promise.resolve();
    },
  };
}

/** The mapping that "Export…" wrote to a file, or bare fields; null where the text gives no conversation. */
export function mappingOfFile(text: string): FieldMapping | null {
  const value = parsed(text);
  if (!isObject(value)) return null;
  const mapping = parseMapping(JSON.stringify(isObject(value['fields']) ? value['fields'] : value));
  return mapping !== null && isUsableMapping(mapping) ? mapping : null;
}

async function writeWhole(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}`;
  await writeFile(temporary, text);
  await rename(temporary, path);
}

/** What is kept; a file that is not there, cannot be read or is damaged counts as empty. */
async function readFolders(path: string): Promise<Map<string, FieldMapping>> {
  const text = await readFile(path, 'utf8').catch(() => '{}');
  const folders = new Map<string, FieldMapping>();
  const value = parsed(text);
  const stored = isObject(value) && isObject(value['folders']) ? value['folders'] : {};
  for (const [folder, fields] of Object.entries(stored)) {
    const mapping = isObject(fields) ? parseMapping(JSON.stringify(fields)) : null;
    if (mapping !== null) folders.set(folder, mapping);
  }
  return folders;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

async function realOf(folder: string): Promise<string> {
  return realpath(folder).catch(() => folder);
}

/** The folder whose mapping a log is read by: its own, or the one of all steps and ranks where its folder is one of them. */
export function mappingFolderOf(path: string): string {
  const step = stepOfPath(path, plainName(basename(path)), genericReader).folder;
  const rank = rankFolderOf(path);
  if (step === null || rank === null) return dirname(step ?? rank ?? path);
  return dirname(step.length < rank.length ? step : rank);
}

/** Looks by mapping that are remembered; the oldest go first. */
const remembered = 5_000;

/** Heads that are looked at with the mappings of their folders. */
export function mappedHeads(heads: FileHeads, mappings: FieldMappings): FileHeads {
  const looks = new Map<string, FileLook>();
  return {
    head: (path) => heads.head(path),
    look: async (path, stamp) => {
      const look = await heads.look(path, stamp);
      if (!isMappable(look)) return look;
      const mapping = await mappings.of(mappingFolderOf(path));
      if (mapping === null) return look;
      const key = [path, stamp.sizeBytes, stamp.mtimeMs, printMapping(mapping)].join('\0');
      const known = looks.get(key);
      if (known) return known;
      // What cannot be read now is looked at again next time.
      const mapped = mappedLook(path, await heads.head(path).catch(() => null), mapping);
      if (mapped === null) return look;
      looks.set(key, mapped);
      const oldest = looks.keys().next();
      if (looks.size > remembered && !oldest.done) looks.delete(oldest.value);
      return mapped;
    },
  };
}

/** True for a file that a mapping may claim: one that is unknown, or that the generic reader guessed at. */
export function isMappable(look: FileLook): boolean {
  if (look.kind === 'log') return look.recognition.format === genericReader.format;
  return look.kind === 'other' && !look.known;
}

/** The file as its folder's mapping has it; null where its first record lacks what the mapping needs. */
function mappedLook(path: string, head: Head | null, mapping: FieldMapping): FileLook | null {
  if (head === null || !isUsableMapping(mapping) || !holds(head, mapping)) return null;
  return logLook(path, head, { recognition: mappedRecognition(mapping, head), reader: genericReader });
}

/** Whether the first record of a file has what the mapping needs: other files of the folder are not its logs. */
function holds({ container, first, keys }: Head, { messages, prompt, response }: FieldMapping): boolean {
  if (container === 'other') return false;
  const needed = (messages === null ? [prompt, response] : [messages]).filter((path) => path !== null);
  if (isObject(first)) return needed.every((path) => valueAt(first, path) !== undefined);
  // A first record that is longer than the head is known by its keys alone.
  return first === null && needed.every((path) => keys.has(path) || keys.has(path.split('.')[0] ?? ''));
}
