/**
 * What the engine answers to the field mapping form: the first record and its fields, the guess beside the mapping that
 * is kept, the first rollout as a mapping reads it, and keeping a mapping for a folder.
 * Leaves out where mappings are kept and how they claim files (fieldMappings.ts).
 */
import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { UserError } from '../base/errors.ts';
import { asArray, isObject, type Json, type JsonObject } from '../base/json.ts';
import { numberText } from '../base/numberText.ts';
import type { FieldMapping as WireMapping } from '../model/fieldMapping.ts';
import type { Rollout } from '../model/rollout.ts';
import type { EngineApi } from '../protocol/engine.ts';
import type { MappingPreview, RecordField } from '../protocol/fieldMapping.ts';
import type { Handlers } from '../protocol/rpc.ts';
import {
  guessMapping,
  isUsableMapping,
  mappingFields,
  parseMapping,
  type FieldMapping,
} from '../readers/fieldMapping.ts';
import { genericReader, mappedRecognition } from '../readers/generic.ts';
import type { Head } from '../readers/reader.ts';
import { bytesSource } from '../readers/source.ts';
import { isMappable, mappingFolderOf } from './fieldMappings.ts';
import { fileError } from './fileSource.ts';
import type { Library } from './library.ts';
import { hasRank } from './rankOfPath.ts';
import { plainName } from './wrapper.ts';

/** Characters of the first record, of one value, and fields in the form. */
const recordCharacters = 60_000;
const sampleCharacters = 120;
const mostFields = 300;
const deepestField = 6;
const previewCharacters = 600;

type MappingApi = Pick<EngineApi, 'mappingForm' | 'previewMapping' | 'saveMapping'>;

/** The handlers of the form over a library. */
export function mappingHandlers(library: Library): Handlers<MappingApi> {
  /** The log that a path means: itself, the first one of the run whose folder it is, or the first below that needs one. */
  const logAt = async (path: string): Promise<string> => {
    const found = await stat(path).catch((error: unknown) => {
      throw fileError(path, error);
    });
    if (!found.isDirectory()) return path;
    const first = library
      .runs()
      .map((run) => run.found())
      .find((run) => run.path === path)?.files[0]?.path;
    const log = first ?? (await library.mappableLog(path));
    if (log !== null) return log;
    throw new UserError(`${path} is a folder without a log whose fields could be mapped.`, 'Choose one of its logs.');
  };

  return {
    mappingForm: async ({ path }) => {
      const file = await logAt(path);
      const { size, mtimeMs } = await stat(file);
      const look = await library.heads.look(file, { sizeBytes: size, mtimeMs });
      if (look.kind === 'unreadable') throw look.error;
      if (!isMappable(look)) {
        const what = look.kind === 'log' ? look.recognition.producer : look.description;
        throw new UserError(`${file} is known (${what}), so its fields need no mapping.`, 'Open it as it is.');
      }
      const head = await library.heads.head(file);
      const folder = mappingFolderOf(file);
      const first = firstRecord(file, head);
      return {
        file,
        folder,
        names: mappingFields,
        fields: fieldsOf(first),
        record: recordText(first),
        guess: { ...guessMapping(first, new Set(Object.keys(first))) },
        saved: wireOf(await library.mappings.of(folder)),
      };
    },
    previewMapping: async ({ path, mapping }, signal) => {
      const checked = checkedMapping(mapping);
      if (!isUsableMapping(checked)) {
        return problem('choose the messages, or a prompt and a response.');
      }
      const file = await logAt(path);
      return previewed(firstRecord(file, await library.heads.head(file)), checked, signal);
    },
    saveMapping: async ({ path, mapping }) => {
      const file = await logAt(path);
      const folder = mappingFolderOf(file);
      const checked = mapping === null ? null : checkedMapping(mapping);
      if (checked !== null && !isUsableMapping(checked)) {
        throw new UserError('This mapping has no conversation.', 'Choose the messages, or a prompt and a response.');
      }
      await library.mappings.set(folder, checked);
      const changed = library.runs().filter((run) => {
        const found = run.found();
        return found.folder === folder && found.format === genericReader.format;
      });
      const paths = changed.map((run) => run.found().path);
      for (const run of changed) await library.close(run.id);
      if (paths.length > 0) return { folder, reopen: [...new Set(paths)] };
      // A log of step files or ranks is a run together with its siblings.
      const name = plainName(basename(file));
      const isPart = folder !== dirname(file) || genericReader.stepOfName(name) !== null || hasRank(name);
      return { folder, reopen: checked === null ? [] : [isPart ? folder : file] };
    },
  };
}

/** What crossed as a mapping, checked. */
function checkedMapping(mapping: WireMapping): FieldMapping {
  const checked = parseMapping(JSON.stringify(mapping));
  if (checked === null) throw new UserError('This is no mapping of fields.');
  return checked;
}

function wireOf(mapping: FieldMapping | null): WireMapping | null {
  return mapping === null ? null : { ...mapping };
}

/** The first record of a log; UserError where it has none that is an object. */
function firstRecord(file: string, head: Head | null): JsonObject {
  if (isObject(head?.first)) return head.first;
  const why = head === null || head.container === 'other' ? 'has no JSON records' : 'has no first record to be shown';
  throw new UserError(
    `${file} ${why}, so its fields cannot be mapped.`,
    'Choose a log of JSON lines or a Parquet table.',
  );
}

/** The fields of a record with dotted paths, objects and lists of objects opened. */
function fieldsOf(record: JsonObject): readonly RecordField[] {
  const fields: RecordField[] = [];
  const walk = (value: Json, path: string, depth: number): void => {
    if (fields.length >= mostFields) return;
    if (path !== '') fields.push({ path, sample: sampleOf(value) });
    if (depth >= deepestField) return;
    if (isObject(value)) {
      for (const [key, inner] of Object.entries(value)) {
        if (inner !== undefined) walk(inner, path === '' ? key : `${path}.${key}`, depth + 1);
      }
    } else if (Array.isArray(value) && asArray(value).length > 0) {
      const [first] = asArray(value);
      // Messages are mapped as a list; only what is wrapped in a list of one is looked into.
      if (first !== undefined && isObject(first) && asArray(value).length === 1) walk(first, `${path}.0`, depth + 1);
    }
  };
  walk(record, '', 0);
  return fields;
}

function sampleOf(value: Json): string {
  return cut(typeof value === 'string' ? value : jsonText(value, 0), sampleCharacters).replaceAll(/\s+/gu, ' ');
}

function recordText(record: JsonObject): string {
  return cut(jsonText(record, 2), recordCharacters);
}

function jsonText(value: Json, indent: number): string {
  try {
    return JSON.stringify(value, null, indent);
  } catch {
    return '(nested too deep to be shown)';
  }
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

/** The first record, read with a mapping as a log of one line. */
async function previewed(record: JsonObject, mapping: FieldMapping, signal: AbortSignal): Promise<MappingPreview> {
  const source = bytesSource('record.jsonl', new TextEncoder().encode(`${JSON.stringify(record)}\n`));
  const rollouts: Rollout[] = [];
  const reasons: string[] = [];
  await genericReader.read(source, {
    recognition: mappedRecognition(mapping, { container: 'jsonl' }),
    from: null,
    signal,
    rollout: (rollout) => rollouts.push(rollout),
    note: ({ message }) => reasons.push(message),
  });
  const [first] = rollouts;
  return first === undefined ? problem(reasons[0] ?? 'the first record gives none.') : previewOf(first);
}

function problem(text: string): MappingPreview {
  const none = { question: '', response: '', reward: '', step: '', group: '', turns: 0, calls: 0 };
  return { problem: text, ...none };
}

function previewOf(rollout: Rollout): MappingPreview {
  const said = rollout.turns.filter(({ role, prompt }) => role === 'policy' && !prompt);
  const response = said
    .flatMap(({ parts }) => parts.map((part) => ('text' in part ? part.text : '')))
    .filter((text) => text !== '')
    .join('\n');
  const { reward, step, group } = rollout;
  return {
    problem: null,
    question: rollout.question,
    response: cut(response, previewCharacters),
    reward: rewardText(reward.total, reward.correct),
    step: step === null ? 'none: all rollouts are one step' : String(step),
    group: group.source === 'inferred' ? 'rollouts with the same prompt' : cut(group.key, sampleCharacters),
    turns: rollout.turns.length,
    calls: rollout.calls.length,
  };
}

function rewardText(total: number | null, correct: boolean | null): string {
  const verdict = correct === null ? '' : correct ? ', right' : ', wrong';
  return total === null ? `none${verdict}` : `${numberText(total)}${verdict}`;
}
