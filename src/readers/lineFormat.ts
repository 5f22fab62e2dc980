/**
 * The reading of a JSONL format whose lines hold one rollout or several (columns of a step, a group in one line): counts
 * rows, gives each rollout its place, finds one again by its item, tells once a file what the log does not say.
 * Shared by the readers. Leaves out what a line means: `holds` and `rollout` say it.
 */
import { isObject, type Json, type JsonObject } from '../base/json.ts';
import type { RecordPlace, Rollout } from '../model/rollout.ts';
import { readJsonLines } from './jsonLines.ts';
import { readJsonAt } from './parseJson.ts';
import type { Reader, ReadSummary, Recognition } from './reader.ts';
import type { RecordsOptions } from './records.ts';
import type { Source } from './source.ts';

/** What a format knows of one line. */
export interface LineFormat {
  /** How many rollouts the line holds (at least 1), or why none, as the end of a note. */
  readonly holds: (record: JsonObject, recognition: Recognition) => number | string;
  /** The rollout at `place.item` (0 where it is absent) of a line that `holds` counted. */
  readonly rollout: (record: JsonObject, place: RecordPlace, recognition: Recognition) => Rollout;
  /** What this line shows that the log does not say, or says in another form; told once a file. */
  readonly tell?: (record: JsonObject, recognition: Recognition) => string | null;
}

/** How the records of a file are found: its lines, the items of its array, or the documents it consists of. */
export type ReadRecords = (source: Source, options: RecordsOptions) => Promise<ReadSummary>;

/** The two reading functions of a reader of such lines, or of records that `readRecords` finds. */
export function lineFormat(
  format: LineFormat,
  readRecords: ReadRecords = readJsonLines,
): Pick<Reader, 'read' | 'readOne'> {
  return {
    read: (source, options) => {
      const { recognition } = options;
      let told = options.from !== null;
      return readRecords(source, {
        from: options.from,
        signal: options.signal,
        note: options.note,
        progress: options.progress,
        record: (value, place) => {
          if (!isObject(value)) return 'the record is no object';
          const count = format.holds(value, recognition);
          if (typeof count === 'string') return count;
          for (let item = 0; item < count; item++) {
            options.rollout(format.rollout(value, placeOf(place, item, count), recognition));
          }
          const message = told ? null : (format.tell?.(value, recognition) ?? null);
          if (message !== null) {
            told = true;
            options.note({ severity: 'information', code: 'not-logged', file: source.name, line: place.line, message });
          }
          return count;
        },
      });
    },
    readOne: async (source, place, recognition) => {
      const value = await readJsonAt(source, place);
      const count = isObject(value) ? format.holds(value, recognition) : '';
      if (!isObject(value) || typeof count === 'string' || (place.item ?? 0) >= count) return null;
      return format.rollout(value, place, recognition);
    },
  };
}

/** The place of one of `count` rollouts of a record; a record that holds one needs no item. */
function placeOf(record: RecordPlace, item: number, count: number): RecordPlace {
  return count === 1 ? record : { ...record, row: record.row + item, item };
}

/** One sample of a columnar line as a record of its own; columns of another length are the whole line's and stay out. */
export function sampleOf(columns: JsonObject, item: number, count: number): JsonObject {
  const values: [string, Json][] = [];
  for (const name in columns) {
    const column = columns[name];
    if (Array.isArray(column) && column.length === count)
      values.push([name, (column[item] as Json | undefined) ?? null]);
  }
  return Object.fromEntries(values);
}

/** What a columnar line says of all its samples: everything that is no list of theirs. */
export function lineValues(columns: JsonObject, count: number): JsonObject {
  return Object.fromEntries(
    Object.entries(columns).filter(([, value]) => !(Array.isArray(value) && value.length === count)),
  );
}
