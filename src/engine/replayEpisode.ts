/**
 * A rollout as a model can be given it: exact text and chat markers where the log keeps them, else turns put together from
 * their parts; logged ids and log-probs; siblings with a call in their first turn; recorded answers of its group with what
 * the run's own grader said. Leaves out tokens (src/replay) and where the run is found (engine.ts).
 */
import { UserError } from '../base/errors.ts';
import type { Json } from '../base/json.ts';
import { countText, pluralText } from '../base/numberText.ts';
import type { Rollout, Turn } from '../model/rollout.ts';
import type { RolloutRef } from '../protocol/engine.ts';
import type { RecordedAnswer, ReplayCall, ReplayEpisode, ReplayTurn } from '../protocol/replay.ts';
import { replayTexts } from '../protocol/replayTexts.ts';
import type { StoredRollout } from '../store/questions.ts';
import { exactTurns, type ExactTurns } from './exactTurns.ts';
import { flagReport } from './flagReport.ts';
import { entryOf, placeOfStored, type Episode } from './readEpisode.ts';
import type { RolloutReader } from './rolloutReader.ts';
import type { RunIndex } from './runIndex.ts';

/** Characters, ids and log-probs of one episode: it crosses in one message of at most 1 MB. */
const mostUnits = 900_000;
/** Siblings that are read again for their answers, and bytes of their records. */
const mostSiblings = 64;
const mostSiblingBytes = 32 * 1024 * 1024;
/** An answer is shown and compared, not kept whole. */
const longestAnswer = 1_000;
const longestRecorded = 100_000;

/** What the episode is made of. */
export interface ReplaySource {
  readonly run: RunIndex;
  readonly ref: RolloutRef;
  readonly episode: Episode;
  readonly reader: RolloutReader;
  readonly signal: AbortSignal;
}

/** The episode of a rollout; UserError where it is too long. */
export async function replayEpisode(source: ReplaySource): Promise<ReplayEpisode> {
  const { rollout, stored, report, explanation } = source.episode;
  const exact = exactTurns(rollout);
  const turns = rollout.turns.map((_, turn) => replayTurn(rollout, turn, exact));
  const gaps = exact?.gaps ?? null;
  checkSize(turns, gaps);
  const siblings = await readSiblings(source);
  const flags = flagReport(rollout, report).flags;
  const row = explanation?.row ?? null;
  return {
    ref: source.ref,
    title: replayTexts.title({
      // A log without steps is read as one step, which is not the log's.
      step: source.run.summary().hasSteps ? (stored?.step ?? rollout.step) : null,
      question: rollout.question,
      member: row?.member ?? null,
      size: row?.groupSize ?? null,
    }),
    step: stored?.step ?? rollout.step,
    turns,
    calls: rollout.calls.map((call, index): ReplayCall => ({
      call: index,
      turn: call.turn,
      tool: call.tool,
      arguments: call.arguments,
      latencyMs: call.latencyMs,
      redundant: flags
        .filter(({ call: flagged, confidence }) => flagged === index && confidence !== 'hint')
        .map(({ rule }) => rule),
    })),
    exactText: gaps === null ? null : { gaps },
    tools: toolsOf(rollout, turns),
    answer: rollout.answer === null ? null : rollout.answer.slice(0, longestRecorded),
    groundTruth: textOfTruth(rollout.groundTruth),
    correct: stored?.correct ?? rollout.reward.correct,
    temperature: settingOf(rollout, temperatureNames),
    topP: settingOf(rollout, topPNames),
    siblings: siblings.calledFirst,
    recorded: siblings.recorded,
    notes: notesOf(rollout, exact),
  };
}

function checkSize(turns: readonly ReplayTurn[], gaps: readonly string[] | null): void {
  const own = turns.reduce((sum, { text, content, reasoning, ids, logprobs }) => {
    const numbers = (ids?.length ?? 0) + (logprobs?.length ?? 0);
    return sum + text.length + content.length + reasoning.length + 4 * numbers;
  }, 0);
  const units = (gaps ?? []).reduce((sum, gap) => sum + gap.length, own);
  if (units > mostUnits) throw new UserError(replayTexts.tooLong(units, mostUnits), replayTexts.chooseShorter);
}

/** Ids and log-probs as logged: all-zero log-probs are a trainer's placeholder. */
function replayTurn(rollout: Rollout, index: number, exact: ExactTurns | null): ReplayTurn {
  const turn = rollout.turns[index];
  if (turn === undefined) throw new Error(`no turn ${index}`);
  const { tokenValues } = turn;
  const text = exact?.texts[index] ?? wholeText(turn);
  const logprobs = tokenValues?.logprobs ?? null;
  const isLogged = logprobs?.some((value) => value !== 0 && !Number.isNaN(value)) === true;
  return {
    turn: index,
    role: turn.role,
    loggedRole: turn.loggedRole,
    prompt: turn.prompt,
    text: text ?? textOfParts(rollout, turn),
    exact: text !== undefined,
    content: text === undefined ? contentOf(turn) : '',
    reasoning: text === undefined ? reasoningOf(turn) : '',
    ids: tokenValues?.ids ?? null,
    logprobs: isLogged ? Float32Array.from(logprobs) : null,
    calls: turn.parts.flatMap((part) => (part.kind === 'call' ? [part.call] : [])),
    observes: turn.observes,
    images: turn.parts.flatMap((part) => (part.kind === 'image' ? [part.image] : [])),
    latencyMs: turn.latencyMs,
  };
}

/** The text of a message that is nothing but text, as many characters as were logged; undefined where parts were cut out. */
function wholeText({ parts, characters }: Turn): string | undefined {
  let text = '';
  for (const part of parts) {
    if (part.kind !== 'text' && part.kind !== 'answer') return undefined;
    text += part.text;
  }
  return text.length === characters ? text : undefined;
}

function textOfParts(rollout: Rollout, turn: Turn): string {
  const pieces = turn.parts.map((part) => {
    switch (part.kind) {
      case 'text':
      case 'answer':
        return part.text;
      case 'reasoning':
        return `<think>\n${part.text.trim()}\n</think>\n\n`;
      case 'call':
        return rollout.calls[part.call]?.raw ?? '';
      case 'image':
        return '';
    }
  });
  return pieces.join('');
}

function contentOf(turn: Turn): string {
  return turn.parts.map((part) => (part.kind === 'text' || part.kind === 'answer' ? part.text : '')).join('');
}

function reasoningOf(turn: Turn): string {
  return turn.parts.map((part) => (part.kind === 'reasoning' ? part.text : '')).join('\n');
}

/** A ground truth as text: strings as they are, the rest as JSON; lists stay lists, for the check tries each. */
function textOfTruth(truth: Json): string | null {
  if (truth === null) return null;
  const text = typeof truth === 'string' ? truth : JSON.stringify(truth);
  return text.length > longestRecorded ? null : text;
}

const temperatureNames = ['temperature', 'sampling_temperature'];
const topPNames = ['top_p', 'topP'];

function settingOf({ extras }: Rollout, names: readonly string[]): number | null {
  for (const { name, value } of extras) {
    const last = name.split(/[./]/u).at(-1) ?? name;
    if (names.includes(last) && typeof value === 'number' && Number.isFinite(value)) return value;
  }
  return null;
}

/** Tools offered, as a JSON list: logged ones, else those that stand between `<tools>` tags in the prompt. */
export function toolsOf({ extras }: Rollout, turns: readonly Pick<ReplayTurn, 'prompt' | 'text'>[]): string {
  const logged = extras.find(({ name }) => name === 'tools')?.value;
  if (Array.isArray(logged) && logged.every((tool) => typeof tool === 'object')) return JSON.stringify(logged);
  for (const { prompt, text } of turns) {
    const written = prompt ? /<tools>\n(?<list>[\s\S]*?)\n<\/tools>/u.exec(text)?.groups?.['list'] : undefined;
    if (written === undefined) continue;
    try {
      const tools: unknown[] = written
        .split('\n')
        .filter((line) => line.trim() !== '')
        .map((line): unknown => JSON.parse(line));
      return JSON.stringify(tools);
    } catch {
      // Not JSON lines: the tools are described in words.
    }
  }
  return '';
}

function notesOf(rollout: Rollout, exact: ExactTurns | null): readonly string[] {
  const notes: string[] = [];
  if (exact === null) notes.push(replayTexts.putTogether);
  else if (exact.gaps === null) notes.push(replayTexts.noMarkers);
  if (rollout.images.length > 0) notes.push(replayTexts.pictures(pluralText(rollout.images.length, 'picture')));
  const agents = new Set(rollout.turns.flatMap(({ agent }) => (agent === null ? [] : [agent.name])));
  if (agents.size > 0) notes.push(replayTexts.subAgents(countText(agents.size)));
  return notes;
}

interface Siblings {
  readonly calledFirst: ReplayEpisode['siblings'];
  readonly recorded: readonly RecordedAnswer[];
}

/** The group read again: only the log knows answers, and in which turn a call stands. */
async function readSiblings({ run, episode, reader, signal }: ReplaySource): Promise<Siblings> {
  const { report } = episode;
  if (report.group === null) return { calledFirst: null, recorded: recordedOf(episode.rollout, episode.stored) };
  const recorded: RecordedAnswer[] = [];
  let count = 0;
  let called = 0;
  let bytes = 0;
  for (const member of nearest(report.group.members, report.group.own)) {
    signal.throwIfAborted();
    const own = member.file === report.group.own.file && member.row === report.group.own.row;
    bytes += own ? 0 : member.byteCount;
    if (!own && bytes > mostSiblingBytes) break;
    const rollout = own
      ? episode.rollout
      : await reader.at(entryOf(run, member.file).found, placeOfStored(member)).catch(() => null);
    if (rollout === null) continue;
    count += 1;
    if (callsFirst(rollout)) called += 1;
    recorded.push(...recordedOf(rollout, member));
  }
  return { calledFirst: { count, calledFirst: called }, recorded };
}

/** Itself first, then at most so many of the others, in log order. */
function nearest(members: readonly StoredRollout[], own: StoredRollout): readonly StoredRollout[] {
  return [own, ...members.filter(({ file, row }) => file !== own.file || row !== own.row)].slice(0, mostSiblings);
}

function callsFirst({ turns, calls }: Rollout): boolean {
  const first = turns.findIndex(({ role, prompt }) => role === 'policy' && !prompt);
  return calls.some(({ turn }) => turn === first);
}

function recordedOf(rollout: Rollout, stored: StoredRollout | null): readonly RecordedAnswer[] {
  const correct = stored?.correct ?? rollout.reward.correct;
  const groundTruth = textOfTruth(rollout.groundTruth);
  if (rollout.answer === null || groundTruth === null || correct === null) return [];
  if (groundTruth.length > longestAnswer) return [];
  return [{ answer: rollout.answer.slice(0, longestAnswer), groundTruth, correct }];
}
