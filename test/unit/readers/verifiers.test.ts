// What verifiers and prime-rl say outside the record: metadata.json beside the log, the step in the folder's name.
import { expect, test } from 'vitest';
import type { Rollout } from '../../../src/model/rollout.ts';
import { arealReader } from '../../../src/readers/areal.ts';
import { genericReader } from '../../../src/readers/generic.ts';
import { rollReader } from '../../../src/readers/roll.ts';
import { skyrlReader } from '../../../src/readers/skyrl.ts';
import { bytesSource, type Source } from '../../../src/readers/source.ts';
import { verifiersReader } from '../../../src/readers/verifiers.ts';
import { verifiersTraceReader } from '../../../src/readers/verifiersTrace.ts';
import { bytesOf } from './readAll.ts';

const record = { example_id: 1, prompt: 'q', completion: 'a', reward: 1, model: 'own' };
const recognition = { format: 'verifiers', producer: 'verifiers', variant: 'results' };

function sourceWith(metadata: string | null): Source {
  const found = metadata === null ? null : bytesOf(metadata);
  return {
    ...bytesSource('results.jsonl', bytesOf(`${JSON.stringify(record)}\n`)),
    beside: () => Promise.resolve(found),
  };
}

test.each([
  ['of a run', '{"env_id":"wordle","model":"m","avg_reward":0.5}', { env_id: 'wordle', model: 'own' }],
  ['that is broken', '{"env_id":', { model: 'own' }],
  ['that is no object', '[1]', { model: 'own' }],
  ['that is not there', null, { model: 'own' }],
])('metadata.json %s', async (_, metadata, expected) => {
  const source = sourceWith(metadata);
  const rollouts: Rollout[] = [];
  await verifiersReader.read(source, {
    recognition,
    from: null,
    signal: new AbortController().signal,
    rollout: (rollout) => rollouts.push(rollout),
    note: () => undefined,
  });
  const [rollout] = rollouts;
  if (rollout === undefined) throw new Error('nothing was read');
  expect(Object.fromEntries(rollout.extras.map(({ name, value }) => [name, value]))).toEqual(expected);
  expect(await verifiersReader.readOne(source, rollout.place, recognition)).toEqual(rollout);
});

test.each([
  [verifiersReader, 'rollouts/step_12/train_rollouts.jsonl', 12],
  [verifiersReader, 'train_rollouts.jsonl', null],
  [verifiersTraceReader, 'step_7/train/all/traces.jsonl', 7],
  [skyrlReader, 'global_step_40_evals/gsm8k.jsonl', 40],
  [skyrlReader, 'eval_only/gsm8k.jsonl', null],
  [arealReader, '3/17.jsonl', 3],
  [arealReader, '17.jsonl', null],
  [rollReader, 'rollout_dump_data.step_9.jsonl', 9],
  [genericReader, 'samples_step-0042.jsonl', 42],
  [genericReader, '17.jsonl', 17],
  [genericReader, 'chat.jsonl', null],
])('$format: the step of %s', (reader, name, step) => {
  expect(reader.stepOfName(name)).toBe(step);
});
