/**
 * The labelled corpus as data: the cases of test/fixtures/redundancy/*.json and the rollout that a case describes.
 * Leaves out what a case looks like in a log (caseLogs.ts) and what the rules must say of it (the tests).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Json, JsonObject } from '../../../../src/base/json.ts';
import { buildCall, buildImage, buildRollout, buildTurn, callPart, textPart } from '../../../../src/model/builder.ts';
import type { Call, CallOutcome, LoggedImage, Rollout, Turn, TurnPart } from '../../../../src/model/rollout.ts';

const folder = join(import.meta.dirname, '../../../fixtures/redundancy');
/** Files with another shape, or about all rules at once. */
const otherFiles = new Set(['sibling', 'never-flagged']);

/** A call of a case. */
export interface CaseCall {
  readonly tool: string | null;
  readonly code?: string;
  readonly arguments?: JsonObject;
  readonly raw?: string;
  readonly observation?: string;
  readonly outcome?: CallOutcome;
  readonly failure?: string;
  readonly images?: readonly string[];
  readonly control?: boolean;
}

/** One piece of a turn: a text, a call, or a committed answer. */
export type CaseItem = string | CaseCall | { readonly answer: string };

/** A short rollout and the calls that its rule must flag. */
export interface Case {
  readonly name: string;
  readonly flagged: Readonly<Record<string, string>>;
  readonly question?: string;
  readonly system?: string;
  readonly producer?: string;
  readonly promptImages?: number;
  readonly turns: readonly (string | readonly CaseItem[])[];
}

/** A group written "✓2 ✓0" (right with two calls, right without any) and the members that `sibling` flags. */
export interface SiblingCase {
  readonly name: string;
  /** Index of the member → "likely t=0 3/3 saves 2". */
  readonly flagged: Readonly<Record<string, string>>;
  readonly group: string;
}

/** Cases by rule, for the rules on one rollout. */
export const corpus: readonly { readonly rule: string; readonly cases: readonly Case[] }[] = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .map((name) => basename(name, '.json'))
  .filter((rule) => !otherFiles.has(rule))
  .map((rule) => ({ rule, cases: jsonOf(rule) as readonly Case[] }));

/** One case for each thing that no rule may flag as certain or likely. */
export const neverFlagged = jsonOf('never-flagged') as readonly Case[];

/** The cases of rule `sibling`. */
export const siblingCases = jsonOf('sibling') as readonly SiblingCase[];

/** What a case asks. */
export function questionOf({ question }: Case): string {
  return question ?? 'What is asked?';
}

/** The pieces of every turn of a case. */
export function itemsOf({ turns }: Case): readonly (readonly CaseItem[])[] {
  return turns.map((turn) => (typeof turn === 'string' ? [turn] : turn));
}

/** True for a call among the pieces of a turn. */
export function isCall(item: CaseItem): item is CaseCall {
  return typeof item === 'object' && 'tool' in item;
}

/** The arguments of a call as JSON. */
export function argumentsOf(given: CaseCall): Json {
  return given.code === undefined ? (given.arguments ?? null) : { code: given.code, ...given.arguments };
}

/** The rollout that a case describes, as a reader would have built it. */
export function rolloutOf(one: Case): Rollout {
  const calls: Call[] = [];
  const turns: Turn[] = [];
  const images: LoggedImage[] = Array.from({ length: one.promptImages ?? 0 }, () =>
    buildImage({ origin: 'prompt', pads: 4 }),
  );
  const pictures: TurnPart[] = images.map((_, image) => ({ kind: 'image', image }));
  if (one.system !== undefined) turns.push(buildTurn({ role: 'system', prompt: true, parts: [textPart(one.system)] }));
  turns.push(buildTurn({ role: 'user', prompt: true, parts: [textPart(questionOf(one)), ...pictures] }));
  for (const items of itemsOf(one)) {
    const index = turns.length;
    const first = calls.length;
    const parts: TurnPart[] = [];
    for (const item of items) {
      if (typeof item === 'string') parts.push(textPart(item));
      else if ('answer' in item) parts.push({ kind: 'answer', text: item.answer });
      else {
        parts.push(callPart(calls.length));
        calls.push(callOf(item, index, images));
      }
    }
    turns.push(buildTurn({ role: 'policy', parts }));
    calls.slice(first).forEach((call, at) => {
      turns.push(buildTurn({ role: 'tool', parts: [textPart(call.observation)], observes: [first + at] }));
    });
  }
  return buildRollout({
    place: { row: 0, line: 0, bytes: { first: 0, count: 0 } },
    producer: one.producer ?? 'test',
    group: { key: 'g', source: 'logged' },
    question: questionOf(one),
    turns,
    calls,
    images,
  });
}

function callOf(given: CaseCall, turn: number, images: LoggedImage[]): Call {
  const values = argumentsOf(given);
  const shown = (given.images ?? []).map((base64) => {
    images.push(
      buildImage({ origin: 'observation', ...(base64 === '' ? { pads: 4 } : { base64, mime: 'image/png' }) }),
    );
    return images.length - 1;
  });
  return buildCall({
    turn,
    tool: given.tool,
    arguments: values,
    raw: given.raw ?? JSON.stringify({ name: given.tool, arguments: values }),
    outcome: given.outcome ?? 'ok',
    failure: given.failure ?? null,
    observation: given.observation ?? '',
    images: shown,
    control: given.control ?? false,
  });
}

function jsonOf(name: string): unknown {
  return JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8'));
}
