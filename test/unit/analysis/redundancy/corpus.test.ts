/**
 * The labelled corpus: every case of test/fixtures/redundancy through the rule its file is named after. Prints precision and
 * recall by rule; a case that is judged wrongly fails by name. A rule without a file fails too.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { rules } from '../../../../src/analysis/redundancy/all.ts';
import { callFacts } from '../../../../src/analysis/redundancy/callFacts.ts';
import type { Json, JsonObject } from '../../../../src/base/json.ts';
import { buildCall, buildImage, buildRollout, buildTurn, callPart, textPart } from '../../../../src/model/builder.ts';
import type { Call, CallOutcome, LoggedImage, Rollout, Turn, TurnPart } from '../../../../src/model/rollout.ts';

const folder = join(import.meta.dirname, '../../../fixtures/redundancy');

interface CaseCall {
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

interface Case {
  readonly name: string;
  readonly flagged: Readonly<Record<string, string>>;
  readonly question?: string;
  readonly producer?: string;
  readonly promptImages?: number;
  readonly turns: readonly (string | readonly (string | CaseCall | { readonly answer: string })[])[];
}

const files = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .map((name) => ({ rule: basename(name, '.json'), cases: casesOf(name) }));

const tally = new Map<string, { flagged: number; right: number; wanted: number; nearMisses: number }>();

it('covers every rule', () => {
  expect(files.map(({ rule }) => rule).sort()).toEqual(rules.map(({ id }) => id).sort());
});

describe.each(files)('$rule', ({ rule: id, cases }) => {
  const rule = rules.find((one) => one.id === id);

  it.each(cases.map((one) => [one.name, one] as const))('%s', (_, one) => {
    const flags = rule?.flag(callFacts(rolloutOf(one))) ?? [];
    const found = Object.fromEntries(flags.map(({ call, confidence }) => [String(call), confidence]));
    const sums = tally.get(id) ?? { flagged: 0, right: 0, wanted: 0, nearMisses: 0 };
    const right = Object.keys(found).filter((call) => one.flagged[call] !== undefined).length;
    tally.set(id, {
      flagged: sums.flagged + flags.length,
      right: sums.right + right,
      wanted: sums.wanted + Object.keys(one.flagged).length,
      nearMisses: sums.nearMisses + (Object.keys(one.flagged).length === 0 ? 1 : 0),
    });
    expect(found).toEqual(one.flagged);
    for (const { refersTo, call } of flags) if (refersTo !== null) expect(refersTo).toBeLessThan(call);
  });
});

it('prints precision and recall by rule', () => {
  const lines = files.map(({ rule, cases }) => {
    const { flagged, right, wanted, nearMisses } = tally.get(rule) ?? {
      flagged: 0,
      right: 0,
      wanted: 0,
      nearMisses: 0,
    };
    return `${rule.padEnd(20)} cases ${cases.length} (${nearMisses} near misses)  precision ${right}/${flagged}  recall ${right}/${wanted}`;
  });
  console.log(lines.join('\n'));
  expect(tally.size).toBe(files.length);
});

function casesOf(name: string): readonly Case[] {
  return JSON.parse(readFileSync(join(folder, name), 'utf8')) as readonly Case[];
}

function rolloutOf(one: Case): Rollout {
  const calls: Call[] = [];
  const turns: Turn[] = [];
  const images: LoggedImage[] = Array.from({ length: one.promptImages ?? 0 }, () =>
    buildImage({ origin: 'prompt', pads: 4 }),
  );
  const pictures: TurnPart[] = images.map((_, image) => ({ kind: 'image', image }));
  turns.push(
    buildTurn({ role: 'user', prompt: true, parts: [textPart(one.question ?? 'What is asked?'), ...pictures] }),
  );
  for (const turn of one.turns) {
    const items = typeof turn === 'string' ? [turn] : turn;
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
    question: one.question ?? 'What is asked?',
    turns,
    calls,
    images,
  });
}

function callOf(given: CaseCall, turn: number, images: LoggedImage[]): Call {
  const values: Json = given.code === undefined ? (given.arguments ?? null) : { code: given.code, ...given.arguments };
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
