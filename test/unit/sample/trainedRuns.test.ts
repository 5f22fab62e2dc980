/**
 * The shipped logs are the training: every rollout is read, and the advantages that are recomputed from the log are those
 * the trainer used, which no log says.
 */
import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tmpdir } from 'node:os';
import { computeAdvantages } from '../../../src/analysis/hdpo.ts';
import { isObject } from '../../../src/base/json.ts';
import { accRewardOf } from '../../../src/engine/derive.ts';
import { unpackZip } from '../../../src/host/unpackZip.ts';
import type { Rollout } from '../../../src/model/rollout.ts';
import { claimOf } from '../readers/fixtureFolders.ts';
import { readAll } from '../readers/readAll.ts';
import { fixtures, objectOf, shipped } from './sampleFolders.ts';

const tolerance = 1e-5;
const described = objectOf(join(fixtures, 'runs.json'));
/** α of r = r_acc + α/(T+1), whose one advantage the coupled runs were trained on; null for two channels. */
const alphas = { hdpo: null, grpo: null, 'coupled-mild': 0.05, 'coupled-aggressive': 1.2 } as const;
const names = ['hdpo', 'grpo', 'coupled-mild', 'coupled-aggressive'] as const;

let unpacked = '';
beforeAll(async () => {
  unpacked = await mkdtemp(join(tmpdir(), 'rollout-lens-sample-'));
  await unpackZip(join(shipped, 'trained.zip'), unpacked);
});
afterAll(() => rm(unpacked, { recursive: true, force: true }));

/** A run of the fixture: what the packing counted. */
function expectedOf(name: string) {
  const run = described[name];
  if (!isObject(run)) throw new Error(`${name} is not described`);
  return run;
}

/** The trainer's advantages of a run by `step/row`. */
function trainersAdvantages(name: string): ReadonlyMap<string, readonly [accuracy: number, tool: number]> {
  const text = gunzipSync(readFileSync(join(fixtures, 'advantages', `${name}.csv.gz`))).toString('utf8');
  const [header, ...lines] = text.trimEnd().split('\n');
  expect(header).toBe('step,row,acc_advantage,tool_advantage,micro_batch');
  return new Map(
    lines.map((line) => {
      const [step, row, accuracy, tool] = line.split(',');
      return [`${step}/${row}`, [Number(accuracy), Number(tool)]];
    }),
  );
}

/** r_acc (or the coupled reward), T and so on of one step's rollouts, as the engine makes them of the reader's. */
function advantagesOf(rollouts: readonly Rollout[], alpha: number | null) {
  const sent = ({ calls }: Rollout): number => calls.filter((call) => call.sent).length;
  const ordinals = new Map<string, number>();
  for (const { group } of rollouts) if (!ordinals.has(group.key)) ordinals.set(group.key, ordinals.size);
  const column = (value: (rollout: Rollout) => number) => Float64Array.from(rollouts, value);
  return computeAdvantages(
    {
      count: rollouts.length,
      group: Uint32Array.from(rollouts, ({ group }) => ordinals.get(group.key) ?? 0),
      accReward: column((rollout) => {
        const { total, answer, format } = rollout.reward;
        const accReward = accRewardOf(total ?? Number.NaN, answer ?? Number.NaN, format ?? Number.NaN);
        return alpha === null ? accReward : accReward + alpha / (sent(rollout) + 1);
      }),
      correct: Uint8Array.from(rollouts, ({ reward }) => (reward.correct === null ? 2 : Number(reward.correct))),
      calls: Uint32Array.from(rollouts, sent),
    },
    { normalise: 'std' },
  );
}

const share = (rollouts: readonly Rollout[], holds: (rollout: Rollout) => boolean): number =>
  rollouts.filter(holds).length / rollouts.length;

describe.each(names)('%s', (name) => {
  test('is read whole, and its advantages are those of the trainer', async () => {
    const expected = expectedOf(name);
    const logged = trainersAdvantages(name);
    const folder = join(unpacked, String(expected.folder));
    const files = (await readdir(folder)).sort((a, b) => Number.parseInt(a) - Number.parseInt(b));
    let rollouts = 0;
    let groups = 0;
    let largest = 0;
    for (const file of files) {
      const bytes = await readFile(join(folder, file));
      const claim = await claimOf(file, bytes);
      expect(claim?.recognition.producer).toBe('Metis / verl-tool');
      if (claim === null) continue;
      const reading = await readAll(claim, bytes, { name: file });
      expect(reading.notes).toEqual([]);
      const { accAdvantage, toolAdvantage, groupSize } = advantagesOf(reading.rollouts, alphas[name]);
      const sizes = new Set(groupSize);
      expect(sizes.size).toBe(1);
      rollouts += reading.rollouts.length;
      groups += reading.rollouts.length / (groupSize[0] ?? Number.NaN);
      for (const [row, { step }] of reading.rollouts.entries()) {
        expect(step).toBe(Number.parseInt(file));
        const [accuracy = Number.NaN, tool = Number.NaN] = logged.get(`${step}/${row}`) ?? [];
        const error = Math.max(
          Math.abs((accAdvantage[row] ?? 0) - accuracy),
          Math.abs((alphas[name] === null ? (toolAdvantage[row] ?? 0) : 0) - tool),
        );
        if (!(error <= tolerance)) expect({ step, row, error }).toBe('the advantages of the trainer');
        largest = Math.max(largest, error);
      }
      for (const end of [expected.first, expected.last]) {
        if (!isObject(end) || end.step !== Number.parseInt(file)) continue;
        expect(share(reading.rollouts, ({ reward }) => reward.correct === true)).toBeCloseTo(Number(end.accuracy), 10);
        expect(share(reading.rollouts, ({ calls }) => calls.some(({ sent }) => sent))).toBeCloseTo(
          Number(end.toolRate),
          10,
        );
      }
    }
    expect({ steps: files.length, rollouts, groups }).toEqual({
      steps: expected.steps,
      rollouts: expected.rollouts,
      groups: expected.groups,
    });
    expect(logged.size).toBe(rollouts);
    expect(largest).toBeGreaterThan(0);
  });
});

test('at most 64 MB unpacked and 8 MB packed', async () => {
  const files = await readdir(unpacked, { recursive: true, withFileTypes: true });
  const sizes = await Promise.all(
    files.filter((file) => file.isFile()).map(async (file) => (await stat(join(file.parentPath, file.name))).size),
  );
  expect(sizes.length).toBeGreaterThan(200);
  expect(sizes.reduce((a, b) => a + b)).toBeLessThanOrEqual(64e6);
  expect((await stat(join(shipped, 'trained.zip'))).size).toBeLessThanOrEqual(8e6);
});
