// Numbers in the names of home-made logs: which are a step, and which are not.
import { expect, test } from 'vitest';
import { stepOfFileName } from '../../../src/readers/stepOfFileName.ts';

test.each<[string, number | null]>([
  ['12.jsonl', 12],
  ['global_step_40.jsonl', 40],
  ['step=7.parquet', 7],
  ['rollouts_000001.jsonl', 1],
  ['epoch_1.jsonl', 1],
  ['batch_1.jsonl', 1],
  ['samples-1.jsonl', 1],
  ['samples.3.jsonl', 3],
  ['train_rollouts_12.jsonl', 12],
  ['train_000012.parquet', 12],
  ['epoch_1_step_20.jsonl', 20],
  ['epoch_1_batch_5.jsonl', 5],
  ['step_3/own.jsonl', null],
  ['gpt4.jsonl', null],
  ['llama-3.jsonl', null],
  ['gsm8k.jsonl', null],
  ['part_00003.jsonl', null],
  ['train-00000-of-00008.parquet', null],
  ['rank_0.jsonl', null],
  ['seed_0042.jsonl', null],
  ['rollouts_20261123.jsonl', null],
  ['rollouts-2026-11-23.jsonl', null],
  ['chat.jsonl', null],
])('%s: %s', (name, step) => {
  expect(stepOfFileName(name)).toBe(step);
});
