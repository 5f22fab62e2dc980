/**
 * Reads the JSONL rollout dumps of verl and its family: Metis, verl-tool, legacy and V1 trainers, validation dumps,
 * forks that keep special tokens (formats.md 1, 2 and 10.2). A record's meaning is in verlRecord.ts.
 * Leaves out old verl-tool's JSON arrays (verlArray.ts) and grouping (analysis).
 */
import { isObject } from '../base/json.ts';
import { readJsonLines } from './jsonLines.ts';
import { asBuffer, readJsonAt } from './parseJson.ts';
import type { Head, Reader, Recognition } from './reader.ts';
import { isVerlRecord, type VerlVariant, verlProducer, verlRollout } from './verlRecord.ts';

const format = 'verl';
const variants: readonly VerlVariant[] = ['metis', 'verl-tool', 'v1', 'legacy', 'unstripped'];
const toolKeys = ['tool_interact_info', 'verl_tool_metrics', 'traj_stop_reason'];
const metisMarks = ['<reason>', '"tool_avg_code_success"', '"tool_avg_search_success"'];

/** Dumps of one step, `{step}.jsonl`, one rollout a line. */
export const verlReader: Reader = {
  format,
  version: 2,
  recognise: (head) => recogniseVerl(head),
  stepOfName: (name) => {
    const digits = /^(\d{1,9})\.jsonl(\.gz|\.zst)?$/.exec(name)?.[1];
    return digits === undefined ? null : Number(digits);
  },
  read: (source, options) => {
    const variant = variantOf(options.recognition);
    return readJsonLines(source, {
      from: options.from,
      signal: options.signal,
      note: options.note,
      progress: options.progress,
      record: (value, place) => {
        if (!isVerlRecord(value)) return 'the line has no text under input and output';
        options.rollout(verlRollout(value, place, variant));
        return null;
      },
    });
  },
  readOne: async (source, place, recognition) => {
    const value = await readJsonAt(source, place);
    return isVerlRecord(value) ? verlRollout(value, place, variantOf(recognition)) : null;
  },
};

function recogniseVerl(head: Head): Recognition | null {
  const { keys } = head;
  if (head.container !== 'jsonl' || !keys.has('input') || !keys.has('output') || !keys.has('score')) return null;
  const variant = variantOfHead(head);
  return { format, producer: verlProducer(variant, keys), variant };
}

/** The first match of formats.md 10.2, rows 1 to 3. Marks are looked for in the bytes: the first record may be cut. */
function variantOfHead(head: Head): VerlVariant {
  const bytes = asBuffer(head.bytes);
  if (toolKeys.some((key) => head.keys.has(key))) {
    return metisMarks.some((mark) => bytes.includes(mark)) ? 'metis' : 'verl-tool';
  }
  const uid = isObject(head.first) ? head.first['uid'] : undefined;
  if (head.keys.has('uid') && (typeof uid !== 'string' || /_\d+_\d+$/.test(uid))) return 'v1';
  return bytes.includes('<|im_start|>') ? 'unstripped' : 'legacy';
}

function variantOf(recognition: Recognition): VerlVariant {
  return variants.find((variant) => variant === recognition.variant) ?? 'legacy';
}
