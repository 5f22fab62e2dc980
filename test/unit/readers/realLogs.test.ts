// Logs that real producers published lie beside the clone on some machines; where they do not, this says so and passes.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { recognise } from '../../../src/readers/all.ts';
import { readHead } from '../../../src/readers/head.ts';
import { bytesSource } from '../../../src/readers/source.ts';
import { claimOf } from './fixtureFolders.ts';
import { readAll } from './readAll.ts';
import { brokenRule } from './shape.ts';

const folder = join(import.meta.dirname, '../../../../shared/data/real');
const isThere = existsSync(folder);
if (!isThere) console.log(`skipped: no real logs at ${folder}`);

const names: { readonly [folderName: string]: string } = {
  atif: 'an ATIF trajectory: not read yet',
  inspect: 'an Inspect .eval log: not read yet',
  'nemo-gym': 'a NeMo Gym rollout log: not read yet',
  'rl-logging-board': 'an RLLoggingBoard log: not read yet',
  'swe-agent/function_calling_simple.traj': 'a SWE-agent demonstration: not read yet',
  'swe-agent/marshmallow-1867.traj': 'a SWE-agent trajectory: not read yet',
  verifiers: 'a verifiers result: not read yet',
};

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

  test('the others are named', async () => {
    for (const producer of readdirSync(folder).filter((name) => names[name] !== undefined || name === 'swe-agent')) {
      for (const file of readdirSync(join(folder, producer))) {
        const bytes = readFileSync(join(folder, producer, file));
        const found = recognise(await readHead(bytesSource(file, bytes)));
        expect({ file, found }).toMatchObject({
          file,
          found: { kind: 'named', description: names[`${producer}/${file}`] ?? names[producer] },
        });
      }
    }
  });
});
