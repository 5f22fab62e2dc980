/**
 * The catch-all: any JSONL, JSON array, JSON document or Parquet table whose records hold a conversation, read by a field
 * mapping (fieldMapping.ts) that is guessed from the first record or saved by the user. Chat logs (`messages`, ShareGPT),
 * prompt and response pairs, preference pairs. The mapping is `recognition.variant`.
 * Asked last, by all.ts: it claims what no other reader does. Leaves out metrics and tables without text.
 */
import { isObject } from '../base/json.ts';
import {
  emptyMapping,
  type FieldMapping,
  guessMapping,
  isUsableMapping,
  parseMapping,
  printMapping,
} from './fieldMapping.ts';
import { readHead } from './head.ts';
import { readJsonArray } from './jsonArray.ts';
import { readJsonDocuments } from './jsonDocument.ts';
import { readJsonLines } from './jsonLines.ts';
import { type LineFormat, lineFormat, type ReadRecords } from './lineFormat.ts';
import { countMapped, mappedRollout, summedRewards } from './mappedRecord.ts';
import { isMessage } from './messageParts.ts';
import { summedNotice } from './namedRewards.ts';
import type { Head, Reader, Recognition } from './reader.ts';
import { stepOfFileName } from './stepOfFileName.ts';

const format = 'generic';

/** The reader of everything that has a prompt and a response. */
export const genericReader: Reader = {
  format,
  version: 2,
  recognise: (head) => {
    if (head.container === 'other' || (head.first !== null && !isObject(head.first))) return null;
    // A list of messages is one conversation (chatLists.ts), not one a message.
    if (head.container === 'json-array' && isObject(head.first) && isMessage(head.first)) return null;
    const mapping = guessMapping(isObject(head.first) ? head.first : null, head.keys);
    if (!isUsableMapping(mapping)) return null;
    // Configuration files have an "input" and an "output" too.
    if (head.container === 'json-object' && mapping.messages === null) return null;
    return mappedRecognition(mapping, head);
  },
  stepOfName: stepOfFileName,
  read: async (source, options) => {
    const { recognition } = options;
    const container = recognition.holds === 'episode' ? 'json-object' : (await readHead(source)).container;
    return lineFormat(recordsBy(recognition), recordsOf(container)).read(source, options);
  },
  readOne: (source, place, recognition) => lineFormat(recordsBy(recognition)).readOne(source, place, recognition),
};

function recordsOf(container: Head['container']): ReadRecords {
  if (container === 'json-array') return readJsonArray;
  return container === 'json-object' ? readJsonDocuments : readJsonLines;
}

/** The mapping is parsed once a reading, not once a record. */
function recordsBy(recognition: Recognition): LineFormat {
  const mapping = parseMapping(recognition.variant) ?? emptyMapping;
  const { producer } = recognition;
  return {
    holds: (record) => countMapped(record, mapping),
    rollout: (record, place) => mappedRollout({ record, mapping, place, producer }),
    tell: (record) => summedNotice(summedRewards(record, mapping) ?? [], 'its trainer'),
  };
}

function producerOf(mapping: FieldMapping): string {
  if (mapping.rejected !== null) return 'preference pairs';
  return mapping.messages === null ? 'prompts and responses' : 'chat log';
}

/** The recognition of a file that is read by a mapping: a guessed one, or one a user saved. */
export function mappedRecognition(mapping: FieldMapping, head: Pick<Head, 'container'>): Recognition {
  const recognition = { format, producer: producerOf(mapping), variant: printMapping(mapping) };
  return head.container === 'json-object' ? { ...recognition, holds: 'episode' } : recognition;
}
