// Logs that NeMo Gym and RLLoggingBoard published; where the folder is absent this says so and passes. The numbers were
// counted by another program (Python's json over the same files), not by the readers.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bytesSource } from '../../../src/readers/source.ts';
import { claimOf } from './fixtureFolders.ts';
import { readAll } from './readAll.ts';
import { brokenRule } from './shape.ts';

const folder = join(import.meta.dirname, '../../../../shared/data/real');
const isThere = existsSync(folder);
if (!isThere) console.log(`skipped: no real logs at ${folder}`);

interface Counted {
  readonly file: string;
  readonly format: string;
  readonly rollouts: number;
  readonly groups: number;
  readonly steps: number;
  readonly calls: number;
  readonly unanswered: number;
  readonly images: number;
  readonly rewardSum: number;
  /** Characters of text, reasoning and answers in all turns, without blanks and line ends. */
  readonly characters: number;
}

const counted: readonly Counted[] = [
  {
    file: 'nemo-gym/circle_click.jsonl',
    format: 'nemo-gym',
    rollouts: 5,
    groups: 5,
    steps: 1,
    calls: 5,
    unanswered: 0,
    images: 5,
    rewardSum: 2.0,
    characters: 1888,
  },
  {
    file: 'nemo-gym/reasoning_gym.jsonl',
    format: 'nemo-gym',
    rollouts: 5,
    groups: 5,
    steps: 1,
    calls: 0,
    unanswered: 0,
    images: 0,
    rewardSum: 2.0,
    characters: 26265,
  },
  {
    file: 'nemo-gym/workplace_assistant.jsonl',
    format: 'nemo-gym',
    rollouts: 5,
    groups: 5,
    steps: 1,
    calls: 8,
    unanswered: 0,
    images: 0,
    rewardSum: 4.0,
    characters: 2859,
  },
  {
    file: 'rl-logging-board/eval_poem_task.jsonl',
    format: 'rl-logging-board',
    rollouts: 3000,
    groups: 3000,
    steps: 24,
    calls: 0,
    unanswered: 0,
    images: 0,
    rewardSum: -228.867262,
    characters: 132825,
  },
];

describe.skipIf(!isThere)('real logs of trainers', () => {
  test.each(counted)('$file', async (expected) => {
    const bytes = readFileSync(join(folder, expected.file));
    const claim = await claimOf('log.jsonl', bytes);
    if (claim === null) throw new Error('claimed by nobody');
    const { rollouts, notes } = await readAll(claim, bytes);
    expect(notes).toEqual([]);
    for (const rollout of rollouts) expect(brokenRule(rollout)).toBeNull();
    const calls = rollouts.flatMap((rollout) => rollout.calls);
    let characters = 0;
    for (const turn of rollouts.flatMap((rollout) => rollout.turns)) {
      for (const part of turn.parts) if ('text' in part) characters += part.text.replaceAll(/[ \n\r\t]/g, '').length;
    }
    const found: Counted = {
      file: expected.file,
      format: claim.recognition.format,
      rollouts: rollouts.length,
      groups: new Set(rollouts.map((rollout) => `${rollout.step} ${rollout.group.key}`)).size,
      steps: new Set(rollouts.map((rollout) => rollout.step)).size,
      calls: calls.length,
      unanswered: calls.filter((call) => call.observation === '').length,
      images: rollouts.flatMap((rollout) => rollout.images).filter((image) => image.state === 'inline').length,
      rewardSum: Number(rollouts.reduce((sum, rollout) => sum + (rollout.reward.total ?? 0), 0).toFixed(6)),
      characters,
    };
    expect(found).toEqual(expected);
    const last = rollouts.at(-1);
    if (last === undefined) throw new Error('no rollouts');
    expect(await claim.reader.readOne(bytesSource('x', bytes), last.place, claim.recognition)).toEqual(last);
  });
});
