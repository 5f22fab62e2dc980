/**
 * ATIF, the Agent Trajectory Interchange Format (Harbor RFC 0001, versions 1.4 to 1.7; formats.md 6.4): one document an
 * episode, written by Harbor's agents, OpenHands, Copilot Chat and others. The reward is not in it: Harbor's
 * `result.json` one folder up has it, and the task's name, which is the group. What a trajectory refers to by file
 * (continuations, sub-agents) is read from beside it, so those files are no rollouts of their own.
 * Leaves out prompt token ids (every step repeats the whole context) and pictures, which are relative paths.
 */
import { asArray, asNumber, asString, isObject, type Json, type JsonObject } from '../base/json.ts';
import { buildRollout } from '../model/builder.ts';
import type { NamedValue, Reward, Rollout } from '../model/rollout.ts';
import { type AtifSession, readAtifSteps } from './atifSteps.ts';
import { newEpisode, objectAt } from './episodeDraft.ts';
import { extrasOf } from './extras.ts';
import { inferredGroupKey } from './groupKey.ts';
import { documentFormat, isDocument, objectBeside } from './jsonDocument.ts';
import { asBuffer } from './parseJson.ts';
import type { Head, Reader } from './reader.ts';
import type { Source } from './source.ts';

const producer = 'ATIF';
const placedKeys: ReadonlySet<string> = new Set([
  'schema_version',
  'session_id',
  'agent',
  'steps',
  'subagent_trajectories',
  'continued_trajectory_ref',
]);
/** Continuations that are followed at most: a file that continues itself must end. */
const mostContinuations = 100;

/** The ATIF reader. */
export const atifReader: Reader = {
  format: 'atif',
  version: 1,
  recognise: (head) => {
    const version = atifVersion(head);
    if (version === null || isAtifPart(head)) return null;
    return { format: 'atif', producer, variant: '', holds: 'episode' };
  },
  stepOfName: () => null,
  ...documentFormat({
    refusal: 'not an ATIF trajectory: it has no schema_version or no steps',
    rollout: async (document, { place, source }) => {
      if (!isObject(document) || !isAtif(document) || !Array.isArray(document['steps'])) return null;
      return rolloutOf(document, { place, source });
    },
  }),
};

/** The version an ATIF document says it is of; null where it is none. */
function atifVersion(head: Head): string | null {
  if (!isDocument(head) || !head.keys.has('schema_version')) return null;
  if (isObject(head.first)) return isAtif(head.first) ? asString(head.first['schema_version']) : null;
  return /"schema_version"\s*:\s*"(ATIF-[^"]*)"/.exec(headText(head))?.[1] ?? null;
}

/** True for a continuation or a sub-agent of another trajectory (Terminus 2 writes them beside it). */
export function isAtifPart(head: Head): boolean {
  if (!head.keys.has('schema_version')) return false;
  if (isObject(head.first)) {
    const extra = objectAt(objectAt(head.first, 'agent'), 'extra');
    return (asNumber(extra['continuation_index']) ?? 0) > 0 || typeof extra['parent_session_id'] === 'string';
  }
  const beforeSteps = headText(head).split('"steps"')[0] ?? '';
  return /"continuation_index"\s*:\s*[1-9]|"parent_session_id"\s*:\s*"/.test(beforeSteps);
}

function headText(head: Head): string {
  return asBuffer(head.bytes).toString('latin1', 0, 64 * 1024);
}

function isAtif(document: JsonObject): boolean {
  return asString(document['schema_version'])?.startsWith('ATIF-') === true;
}

interface At {
  readonly place: Rollout['place'];
  readonly source: Source;
}

async function rolloutOf(document: JsonObject, { place, source }: At): Promise<Rollout> {
  const session: AtifSession = { draft: newEpisode(), files: filesBeside(source), completionTokens: 0 };
  await readAtifSteps(session, document, null);
  const metrics = [objectAt(document, 'final_metrics')];
  const missing: string[] = [];
  let part = document;
  for (let count = 0; count < mostContinuations; count++) {
    const name = asString(part['continued_trajectory_ref']);
    if (name === null) break;
    const next = await session.files(name);
    if (next === null) {
      missing.push(name);
      break;
    }
    await readAtifSteps(session, next, null);
    metrics.push(objectAt(next, 'final_metrics'));
    part = next;
  }
  const trial = await harborTrial(source);
  const { draft } = session;
  const prompt = draft.turns.filter((turn) => turn.prompt);
  const promptText = prompt.map((turn) => turn.parts.map((piece) => ('text' in piece ? piece.text : '')).join('\n'));
  const task = trial === null ? null : asString(trial['task_name']);
  const logged = sumOf(metrics, 'total_completion_tokens');
  return buildRollout({
    place,
    producer: producerOf(document),
    group:
      task === null
        ? { key: inferredGroupKey(promptText.join('\0'), null), source: 'inferred' }
        : { key: task, source: 'logged' },
    id: asString(trial?.['trial_name']) ?? asString(document['trajectory_id']) ?? asString(document['session_id']),
    turns: draft.turns,
    calls: draft.calls,
    images: draft.images,
    answer: draft.answer,
    reward: trial === null ? {} : rewardOf(trial),
    modelTokens: logged ?? (session.completionTokens > 0 ? session.completionTokens : null),
    stopReason: stopReasonOf(trial, missing),
    extras: [...extrasOfTrajectory(document, { trial, missing, metrics }), ...draft.absentImages],
  });
}

/** "ATIF (terminus-2)": who wrote it is what people look for. */
function producerOf(document: JsonObject): string {
  const agent = asString(objectAt(document, 'agent')['name']);
  return agent === null ? producer : `${producer} (${agent})`;
}

/** Reads ATIF documents beside a log, each once; only plain names, so that a log cannot make us read elsewhere. */
function filesBeside(source: Source): (name: string) => Promise<JsonObject | null> {
  const seen = new Set<string>([source.name]);
  return async (name) => {
    const isPlain = /^[^/\\]+\.json$/.test(name) && !name.startsWith('..');
    if (!isPlain || seen.has(name)) return null;
    seen.add(name);
    const found = await objectBeside(source, name);
    return isObject(found) && isAtif(found) ? found : null;
  };
}

/** Harbor's result of the trial this trajectory is of; null where there is none. */
async function harborTrial(source: Source): Promise<JsonObject | null> {
  for (const name of ['../result.json', 'result.json']) {
    const found = await objectBeside(source, name);
    if (isObject(found) && ('trial_name' in found || 'verifier_result' in found)) return found;
  }
  return null;
}

/** `verifier_result.rewards` is a dict of names: the one called reward, else the only one, is the total. */
function rewardOf(trial: JsonObject): Partial<Reward> {
  const result = objectAt(trial, 'verifier_result');
  const rewards = objectAt(result, 'rewards');
  const parts: NamedValue[] = [];
  for (const [name, value] of Object.entries(rewards)) if (value !== undefined) parts.push({ name, value });
  const only = parts.length === 1 ? asNumber(parts[0]?.value) : null;
  return { total: asNumber(rewards['reward']) ?? only ?? asNumber(result['reward']), parts };
}

function stopReasonOf(trial: JsonObject | null, missing: readonly string[]): string | null {
  const exception = trial === null ? null : asString(objectAt(trial, 'exception_info')['exception_type']);
  return exception ?? (missing.length > 0 ? 'continued elsewhere' : null);
}

interface TrajectoryFacts {
  readonly trial: JsonObject | null;
  readonly missing: readonly string[];
  readonly metrics: readonly JsonObject[];
}

function extrasOfTrajectory(document: JsonObject, { trial, missing, metrics }: TrajectoryFacts): readonly NamedValue[] {
  const extras: NamedValue[] = [];
  const add = (name: string, value: Json | undefined): void => {
    if (value !== undefined && value !== null) extras.push({ name, value });
  };
  const agent = objectAt(document, 'agent');
  add('schema_version', document['schema_version']);
  add('session_id', document['session_id']);
  for (const name of ['name', 'version', 'model_name']) add(`agent ${name}`, agent[name]);
  for (const extra of extrasOf(objectAt(agent, 'extra'), new Set())) add(`agent ${extra.name}`, extra.value);
  const tools = asArray(agent['tool_definitions']);
  if (tools.length > 0) add('tools', tools.length);
  for (const name of ['total_prompt_tokens', 'total_cached_tokens', 'total_cost_usd']) add(name, sumOf(metrics, name));
  for (const extra of extrasOf(document, new Set([...placedKeys, 'final_metrics']))) add(extra.name, extra.value);
  if (missing.length > 0) add('continued in (not found)', missing.join(', '));
  if (trial !== null) {
    for (const name of ['task_name', 'source', 'started_at', 'finished_at']) add(name, trial[name]);
    add('exception', objectAt(trial, 'exception_info')['exception_message']);
  }
  return extras;
}

/** The sum over the parts of a trajectory; null where none logs it. */
function sumOf(metrics: readonly JsonObject[], name: string): number | null {
  const values = metrics.flatMap((metric) => asNumber(metric[name]) ?? []);
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0);
}
