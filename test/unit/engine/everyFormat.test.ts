/**
 * Every fixture through the whole engine: it opens, holds the rollouts that its golden file has, and every question that a
 * view asks is answered, also where a log names no step and has no reward: then it is one step, and says what it lacks.
 */
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { asArray, isObject, type JsonObject } from '../../../src/base/json.ts';
import { noFilter, type RunSummary } from '../../../src/protocol/engine.ts';
import { stepOfPath } from '../../../src/engine/stepOfPath.ts';
import { readerOf } from '../../../src/readers/all.ts';
import { fixtures, type Fixture } from '../readers/fixtureFolders.ts';
import { testEngine, type TestEngine } from './engineOfTests.ts';

interface Golden {
  readonly format: string;
  readonly rollouts: readonly JsonObject[];
}

function goldenOf({ expectedPath }: Fixture): Golden {
  const golden = JSON.parse(readFileSync(expectedPath, 'utf8')) as JsonObject;
  const recognition = golden['recognition'];
  const format = isObject(recognition) ? String(recognition['format']) : '';
  return { format, rollouts: asArray(golden['rollouts']).filter(isObject) };
}

/** Asks all that the views ask of a run. */
async function askEverything({ ask }: TestEngine, run: RunSummary, path: string): Promise<readonly number[]> {
  const { rows } = await ask('steps', { run: run.id, first: 0, count: 500 });
  const page = { run: run.id, first: 0, count: 500 };
  const all = await ask('rollouts', { ...page, step: null, group: null, filter: noFilter });
  for (const { step } of rows) {
    const groups = await ask('groups', { run: run.id, step, first: 0, count: 500 });
    expect(groups.total).toBeGreaterThan(0);
  }
  for (const { ref } of all.rows) {
    const { members } = await ask('explain', { ref });
    expect(members.map((member) => member.ref)).toContainEqual(ref);
    const { bytes } = await ask('transcript', { ref, path, rest: null });
    expect(bytes.length).toBeGreaterThan(0);
  }
  expect((await ask('curves', { run: run.id, first: 0 })).step.length).toBe(run.steps);
  expect((await ask('notes', { run: run.id, first: 0, count: 500 })).total).toBe(run.notes);
  return rows.map(({ step }) => step);
}

describe('opens, and answers what views ask:', () => {
  it.each(fixtures())('$id', async (fixture) => {
    const { format, rollouts } = goldenOf(fixture);
    const path = `${dirname(fixture.expectedPath)}/${fixture.name}`;
    const reader = readerOf(format);
    if (!reader) throw new Error(format);
    const named = stepOfPath(path, fixture.name, reader).step;
    const engine = await testEngine();
    const run = await engine.openAndRead(path);
    expect(run).toMatchObject({ format, rollouts: rollouts.length });
    const steps = [...new Set(rollouts.map(({ step }) => Number(step ?? named ?? 0)))].sort((a, b) => a - b);
    expect(await askEverything(engine, run, path)).toEqual(steps);
    const logsSteps = named !== null || steps.some((step) => step !== 0);
    expect(run.hasSteps).toBe(logsSteps || steps.length > 1);
    const rewards = rollouts.map(({ reward }) =>
      isObject(reward) ? (reward['total'] ?? reward['correct'] ?? null) : null,
    );
    expect(run.hasRewards).toBe(rewards.length === 0 || rewards.some((reward) => reward !== null));
  });
});
