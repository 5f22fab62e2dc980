// Logs that real producers published lie beside the clone on some machines; where they do not, this says so and passes.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Note } from '../../../src/model/note.ts';
import type { Rollout } from '../../../src/model/rollout.ts';
import { recognise } from '../../../src/readers/all.ts';
import { readHead } from '../../../src/readers/head.ts';
import { bytesSource, type Source } from '../../../src/readers/source.ts';
import { claimOf } from './fixtureFolders.ts';
import { readAll } from './readAll.ts';
import { brokenRule } from './shape.ts';

const folder = join(import.meta.dirname, '../../../../shared/data/real');
const isThere = existsSync(folder);
if (!isThere) console.log(`skipped: no real logs at ${folder}`);

/** Counts of one log, as test/real/count.py writes them. */
interface Counts {
  readonly rollouts: number;
  readonly groups: number;
  readonly calls: number;
  readonly rewarded: number;
  readonly rewardSum: number;
  readonly tokensLogged: number;
  readonly tokens: number;
}

/** Written by an independent script: python3 test/real/count.py FOLDER --write. */
const counts = JSON.parse(readFileSync(join(import.meta.dirname, 'realLogs.json'), 'utf8')) as Readonly<
  Record<string, Counts>
>;

/** A log and what lies near it, as the engine hands it to a reader. */
function sourceOf(path: string): Source {
  return {
    ...bytesSource(basename(path), readFileSync(path)),
    beside: (name) => {
      const file = join(dirname(path), name);
      return Promise.resolve(existsSync(file) ? readFileSync(file) : null);
    },
  };
}

function countsOf(rollouts: readonly Rollout[]): Counts {
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const rewards = rollouts.flatMap(({ reward }) => reward.total ?? []);
  const tokens = rollouts.flatMap(({ modelTokens }) => modelTokens ?? []);
  return {
    rollouts: rollouts.length,
    groups: new Set(rollouts.map(({ step, group }) => `${step} ${group.key}`)).size,
    calls: sum(rollouts.map(({ calls }) => calls.filter((call) => call.sent).length)),
    rewarded: rewards.length,
    rewardSum: Number(sum(rewards).toFixed(6)),
    tokensLogged: tokens.length,
    tokens: sum(tokens),
  };
}

describe.skipIf(!isThere)('real logs', () => {
  test('tau-bench: all rollouts, groups, calls and rewards', async () => {
    const bytes = readFileSync(join(folder, 'tau-bench/gpt-4o-airline.json'));
    const claim = await claimOf('gpt-4o-airline.json', bytes);
    if (claim === null) throw new Error('claimed by nobody');
    const { rollouts, notes, summary } = await readAll(claim, bytes);
    expect(claim.recognition.format).toBe('tau-bench');
    expect(notes).toEqual([]);
    expect(summary).toMatchObject({ lines: 200, read: 200 });
    expect(new Set(rollouts.map((rollout) => rollout.group.key)).size).toBe(50);
    expect(rollouts.filter((rollout) => rollout.reward.total === 1).length).toBe(84);
    const calls = rollouts.flatMap((rollout) => rollout.calls);
    expect(calls.length).toBe(1164);
    expect(calls.filter((call) => call.outcome === 'failed').length).toBe(73);
    expect(calls.filter((call) => call.outcome !== 'failed' && call.outcome !== 'ok')).toEqual([]);
    expect(
      calls.filter((call) => call.control && call.tool !== 'think' && call.tool !== 'transfer_to_human_agents'),
    ).toEqual([]);
    for (const rollout of rollouts) expect(brokenRule(rollout)).toBeNull();
    for (const rollout of [rollouts[0], rollouts[137]]) {
      if (rollout === undefined) throw new Error('missing');
      const again = await claim.reader.readOne(bytesSource('x', bytes), rollout.place, claim.recognition);
      expect(again).toEqual(rollout);
    }
  });

  test('Inspect: all rollouts, groups, calls and rewards', async () => {
    const logs = await Promise.all(
      ['docent-sample.eval', 'log_streaming.eval'].map(async (name) => {
        const bytes = readFileSync(join(folder, 'inspect', name));
        const claim = await claimOf(name, bytes);
        if (claim === null) throw new Error('claimed by nobody');
        const { rollouts, notes, summary } = await readAll(claim, bytes);
        expect(claim.recognition.format).toBe('inspect');
        for (const rollout of rollouts) {
          expect(brokenRule(rollout)).toBeNull();
          expect(await claim.reader.readOne(bytesSource('x', bytes), rollout.place, claim.recognition)).toEqual(
            rollout,
          );
        }
        const calls = rollouts.flatMap((rollout) => rollout.calls);
        const outcomes = ['ok', 'failed', 'timeout'].map((outcome) => calls.filter((call) => call.outcome === outcome));
        return {
          notes,
          read: [summary.lines, summary.read, rollouts.length],
          groups: new Set(rollouts.map((rollout) => rollout.group.key)).size,
          right: rollouts.filter((rollout) => rollout.reward.correct && rollout.reward.total === 1).length,
          wrong: rollouts.filter((rollout) => rollout.reward.correct === false && rollout.reward.total === 0).length,
          calls: [calls.length, ...outcomes.map((list) => list.length)],
          modelTokens: rollouts.reduce((sum, rollout) => sum + (rollout.modelTokens ?? 0), 0),
          turns: rollouts.reduce((sum, rollout) => sum + rollout.turns.length, 0),
          limited: rollouts.filter((rollout) => rollout.stopReason === 'message limit').length,
        };
      }),
    );
    expect(logs).toEqual([
      {
        notes: [],
        read: [15, 15, 15],
        groups: 15,
        right: 9,
        wrong: 6,
        calls: [121, 115, 1, 5],
        modelTokens: 30_038,
        turns: 332,
        limited: 3,
      },
      {
        notes: [],
        read: [4, 4, 4],
        groups: 2,
        right: 3,
        wrong: 1,
        calls: [0, 0, 0, 0],
        modelTokens: 6,
        turns: 12,
        limited: 0,
      },
    ]);
  });

  test('every log is counted', () => {
    const files = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.name.endsWith('.md'))
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll('\\', '/'));
    expect(files.sort()).toEqual(Object.keys(counts).sort());
  });

  test.each(Object.entries(counts))(
    '%s: the rollouts, groups, calls, rewards and tokens of it',
    async (file, counted) => {
      const source = sourceOf(join(folder, file));
      const found = recognise(await readHead(source));
      if (found.kind !== 'read') throw new Error(`${file} is not read: ${found.description}`);
      const { reader, recognition } = found;
      const rollouts: Rollout[] = [];
      const notes: Note[] = [];
      const summary = await reader.read(source, {
        recognition,
        from: null,
        signal: new AbortController().signal,
        rollout: (rollout) => rollouts.push(rollout),
        note: (note) => notes.push(note),
      });
      expect(countsOf(rollouts)).toEqual(counted);
      expect(summary.read + summary.skipped + summary.noted).toBe(summary.lines);
      expect(notes.filter(({ severity }) => severity !== 'information')).toEqual([]);
      for (const rollout of rollouts) expect(brokenRule(rollout)).toBeNull();
      for (const rollout of [rollouts[0], rollouts.at(-1)]) {
        if (rollout === undefined) throw new Error(`${file} holds no rollout`);
        expect(await reader.readOne(source, rollout.place, recognition)).toEqual(rollout);
      }
    },
  );
});
