/** Logs that say right or wrong but log no reward: r_acc is taken from it, in steps where nothing else is logged. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { testEngine } from './engineOfTests.ts';
import { temporaryFolder, write } from './logs.ts';

interface Attempt {
  readonly step?: number;
  readonly calls?: number;
  readonly correct?: boolean;
  readonly reward?: number;
}

function record({ step = 1, calls = 0, correct, reward }: Attempt): string {
  const call = { type: 'function', function: { name: 'search', arguments: '{"q":"x"}' } };
  const turns = Array.from({ length: calls }, (_, i) => [
    { role: 'assistant', content: '', tool_calls: [{ id: `c${i}`, ...call }] },
    { role: 'tool', tool_call_id: `c${i}`, content: `nothing ${i}` },
  ]).flat();
  const messages = [{ role: 'user', content: '3 + 5?' }, ...turns, { role: 'assistant', content: '8' }];
  return JSON.stringify({ step, group_id: 'g', messages, correct, reward });
}

async function opened(attempts: readonly Attempt[]) {
  const folder = await temporaryFolder();
  const path = await write(join(folder, 'log.jsonl'), `${attempts.map(record).join('\n')}\n`);
  const engine = await testEngine();
  const run = await engine.openAndRead(path);
  const textOf = async (row: number): Promise<string> => {
    const { bytes } = await engine.ask('transcript', {
      ref: { run: run.id, file: 'log.jsonl', row },
      path,
      rest: null,
    });
    return new TextDecoder().decode(bytes);
  };
  return { ...engine, run, textOf };
}

it('has both channels where only right or wrong is logged, and says what the reward is', async () => {
  const attempts = [
    { correct: true, calls: 1 },
    { correct: true, calls: 3 },
    { correct: false, calls: 2 },
    { correct: false },
  ];
  const { run, rows, ask, textOf } = await opened(attempts);
  const all = await rows(run.id);
  // r_acc 1, 1, 0, 0: mean 1/2, sample std 1/√3; r_tool 1/2 and 1/4 in Q: ±1/√2.
  const acc = 0.5 / (1 / Math.sqrt(3) + 1e-6);
  expect(all.map(({ accAdvantage }) => accAdvantage?.toFixed(5))).toEqual(
    [acc, acc, -acc, -acc].map((value) => value.toFixed(5)),
  );
  expect(all.map(({ toolAdvantage }) => toolAdvantage?.toFixed(4))).toEqual(['0.7071', '-0.7071', '0.0000', '0.0000']);
  // What is not logged is never shown as logged.
  expect(all.map(({ reward }) => reward)).toEqual([null, null, null, null]);
  const [step] = (await ask('steps', { run: run.id, first: 0, count: 1 })).rows;
  expect(step).toMatchObject({ accuracy: 0.5, reward_mean: null, qualifying_share: 1, efficiency_signal_share: 1 });
  const { findings } = await ask('doctor', { run: run.id });
  const finding = findings.find(({ code }) => code === 'reward-from-verdict');
  expect(finding?.sentence).toContain('No reward is logged: r_acc is taken from right or wrong');
  expect(finding?.fix.join()).toContain('"reward"');
  expect(findings.map(({ code }) => code)).not.toContain('reward-not-logged');
  expect(await textOf(0)).toContain('r_acc = 1.0: no reward is logged, it is taken from right or wrong');
});

it('keeps a rollout without a reward apart where others of its step have one', async () => {
  const attempts = [
    { correct: true, reward: 7.5 },
    { correct: false, reward: -2 },
    { correct: true },
    { step: 2, correct: true },
    { step: 2, correct: false },
  ];
  const { run, rows, ask, textOf } = await opened(attempts);
  const all = await rows(run.id);
  expect(all.map(({ accReward }) => accReward)).toEqual([7.5, -2, null, 1, 0]);
  expect(all[2]).toMatchObject({ correct: true, accAdvantage: null, toolAdvantage: null });
  const { findings } = await ask('doctor', { run: run.id });
  expect(findings.find(({ code }) => code === 'reward-not-logged')?.sentence).toContain(
    '1 of 5 rollouts have no reward',
  );
  expect(findings.find(({ code }) => code === 'reward-from-verdict')?.sentence).toContain(
    '2 rollouts of steps without any reward',
  );
  const text = await textOf(2);
  expect(text).toContain('A_tool: not known, since the log has no reward here');
  expect(text).not.toContain('right or wrong is not known');
});
