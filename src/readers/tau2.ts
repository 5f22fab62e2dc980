/**
 * tau2-bench results (formats.md 6.6): `{timestamp, info, tasks, simulations}`, one document rewritten after every
 * simulation, and since the folder layout one simulation a file beside a results.json without them. Simulations are
 * streamed: a document may have hundreds of megabytes. Group = task, rollout = trial; the task tells what was asked.
 * The simulated user may call tools too (`requestor`): that is text of its turn, never a call of the policy.
 * Leaves out `ticks` (full-duplex audio), `raw_data` and audio.
 */
import { asArray, asNumber, asString, isObject, type Json, type JsonObject } from '../base/json.ts';
import type { RecordPlace } from '../model/rollout.ts';
import { readJsonArray } from './jsonArray.ts';
import { isDocument, objectBeside, readJsonDocuments } from './jsonDocument.ts';
import { objectMembers } from './objectMembers.ts';
import { asBuffer, parseJsonBytes, readJsonAt } from './parseJson.ts';
import type { Head, Reader, ReadOptions, ReadSummary } from './reader.ts';
import { recordStream, finish, noteForeign, notePartial } from './records.ts';
import type { Source } from './source.ts';
import { simulationOf } from './tau2Simulation.ts';

const producer = 'tau2-bench';
const refusal = 'not a tau2-bench simulation: it has no task_id or no messages';
/** How much of a document is looked at for its tasks, which stand before the simulations. */
const preambleSizes = [1024 * 1024, 8 * 1024 * 1024, 64 * 1024 * 1024] as const;

/** The tau2-bench reader. */
export const tau2Reader: Reader = {
  format: 'tau2-bench',
  version: 1,
  recognise: (head) => {
    if (isResults(head)) return { format: 'tau2-bench', producer, variant: 'results' };
    if (isSimulation(head)) return { format: 'tau2-bench', producer, variant: 'simulation', holds: 'episode' };
    return null;
  },
  stepOfName: () => null,
  read: (source, options) =>
    options.recognition.variant === 'simulation' ? readOneSimulation(source, options) : readResults(source, options),
  readOne: async (source, place, recognition) => {
    const tasks = recognition.variant === 'simulation' ? await tasksBeside(source) : (await preambleOf(source)).tasks;
    return simulationOf(await readJsonAt(source, place), place, tasks);
  },
};

function isResults(head: Head): boolean {
  if (!isDocument(head) || !head.keys.has('simulations')) {
    // Tasks with long policies can fill the head: `info` and `tasks` are then all it shows.
    return (
      isDocument(head) && head.first === null && head.keys.has('info') && head.keys.has('tasks') && head.keys.size <= 3
    );
  }
  return ['info', 'tasks'].every((key) => head.keys.has(key));
}

function isSimulation(head: Head): boolean {
  if (!isDocument(head)) return false;
  const telling = ['task_id', 'termination_reason', 'reward_info', 'messages'];
  if (isObject(head.first)) return telling.every((key) => head.keys.has(key)) && 'trial' in head.first;
  return ['task_id', 'start_time', 'end_time', 'termination_reason'].every((key) => head.keys.has(key));
}

/** What stands before the simulations. */
interface Preamble {
  /** File offset behind the bracket of the simulations, null where none was found. */
  readonly simulationsFirst: number | null;
  readonly line: number;
  readonly tasks: ReadonlyMap<string, JsonObject>;
  /** Why there are no simulations, where the document has something else in their place. */
  readonly why: string | null;
}

async function preambleOf(source: Source): Promise<Preamble> {
  let tasks: ReadonlyMap<string, JsonObject> = new Map();
  for (const size of preambleSizes) {
    const bytes = asBuffer(await source.read(0, size));
    const members = objectMembers(bytes);
    const held = members.find((member) => member.key === 'tasks');
    if (held !== undefined && held.end >= 0) tasks = tasksOf(parsedAt(bytes, held.first, held.end));
    const simulations = members.find((member) => member.key === 'simulations');
    if (simulations !== undefined) {
      const { first, line } = simulations;
      const isArray = bytes[first] === 0x5b;
      const why = isArray ? null : 'the simulations are no array';
      return { simulationsFirst: isArray ? first + 1 : null, line, tasks, why };
    }
    if (bytes.length < size) break;
  }
  return { simulationsFirst: null, line: 0, tasks, why: null };
}

function parsedAt(bytes: Buffer, first: number, end: number): Json {
  const parsed = parseJsonBytes(bytes, first, end);
  return parsed.ok ? parsed.value : null;
}

function tasksOf(value: Json): ReadonlyMap<string, JsonObject> {
  const tasks = new Map<string, JsonObject>();
  for (const task of asArray(value)) {
    if (!isObject(task)) continue;
    const id = asString(task['id']) ?? asNumber(task['id']);
    if (id !== null) tasks.set(String(id), task);
  }
  return tasks;
}

async function readResults(source: Source, options: ReadOptions): Promise<ReadSummary> {
  const { simulationsFirst, line, tasks, why } = await preambleOf(source);
  const record = recordOf(options, tasks);
  if (simulationsFirst === null) {
    const stream = recordStream(source.name, { ...options, record: () => null });
    const start = options.from?.bytes.first ?? 0;
    if (why !== null) noteForeign(stream, why);
    else notePartial(stream, 'the simulations are not written yet; they are read when the file grows');
    return finish(stream, start);
  }
  const { from, signal, note, progress } = options;
  const first: RecordPlace = { row: 0, line, bytes: { first: simulationsFirst, count: 0 } };
  const isFurther = from !== null && from.bytes.first >= simulationsFirst;
  const summary = await readJsonArray(source, {
    from: isFurther ? from : first,
    signal,
    note,
    progress,
    behind: 'ignored',
    record,
  });
  // Nothing read: the next reading starts at the beginning of the file, since the tasks may still change.
  const isUntouched =
    summary.next.bytes.first === simulationsFirst && summary.lines === summary.skipped + summary.noted;
  return isUntouched ? { ...summary, next: { row: 0, line: 0, bytes: { first: 0, count: 0 } } } : summary;
}

function recordOf(
  options: ReadOptions,
  tasks: ReadonlyMap<string, JsonObject>,
): (value: Json, place: RecordPlace) => string | null {
  return (value, place) => {
    const rollout = simulationOf(value, place, tasks);
    if (rollout === null) return refusal;
    options.rollout(rollout);
    return null;
  };
}

async function readOneSimulation(source: Source, options: ReadOptions): Promise<ReadSummary> {
  const tasks = await tasksBeside(source);
  const { from, signal, note, progress } = options;
  return readJsonDocuments(source, { from, signal, note, progress, record: recordOf(options, tasks) });
}

/** The tasks of the results.json one folder up. */
async function tasksBeside(source: Source): Promise<ReadonlyMap<string, JsonObject>> {
  const results = await objectBeside(source, '../results.json');
  return tasksOf(isObject(results) ? (results['tasks'] ?? null) : null);
}
