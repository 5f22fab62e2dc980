// What is recognised but not read: one small file each in test/fixtures/unread, and the sentence a user gets for it.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { recognise } from '../../../src/readers/all.ts';
import { readHead } from '../../../src/readers/head.ts';
import { otherFormats } from '../../../src/readers/otherFormats.ts';
import { bytesSource } from '../../../src/readers/source.ts';

const folder = join(import.meta.dirname, '../../fixtures/unread');
const pickle = 'refused, since reading one can run code';

const expected: { readonly [file: string]: string } = {
  'areal.jsonl': 'an AReaL rollout log: not read yet',
  'atif.trajectory.json': 'an ATIF trajectory: not read yet',
  'atropos.jsonl': 'an Atropos group log: not read yet',
  'blank.jsonl': 'unknown',
  'chat-array.json': 'a chat: not read yet',
  'chat.json': 'a chat: not read yet',
  'chat.jsonl': 'a chat log: not read yet',
  'chat.parquet': 'a chat parquet: not read yet',
  'claude-code-summary.jsonl': 'a Claude Code session: a coding session, not rollouts',
  'claude-code.jsonl': 'a Claude Code session: a coding session, not rollouts',
  'codex.jsonl': 'a Codex session: a coding session, not rollouts',
  'completions_00040.parquet': 'a TRL parquet: not read yet',
  'empty.jsonl': 'an empty file',
  'empty.zip': 'an empty zip archive: not rollouts',
  'events.out.tfevents.1767225600.host': 'a TensorBoard event file: not rollouts',
  'generations.log': 'an EasyR1 generations log: not read yet',
  'hf-session.jsonl': 'an agent session (Hugging Face trace): not read yet',
  'inspect-header.eval': 'an Inspect .eval log: not read yet',
  'inspect.eval': 'an Inspect .eval log: not read yet',
  'inspect.json': 'an Inspect .json log: not read yet',
  'log.jsonl.gz': 'a gzip file: not read yet (decompress it first)',
  'log.jsonl.zst': 'a zstd file: not read yet (decompress it first)',
  'mini.traj.json': 'a mini-swe-agent trajectory: not read yet',
  'ms-swift.jsonl': 'an ms-swift completions log: not read yet',
  'nemo-gym.jsonl': 'a NeMo Gym rollout log: not read yet',
  'nemo-rl.jsonl': 'a NeMo RL log: not read yet',
  'notes.zip': 'a zip archive: not read yet',
  'open-instruct.jsonl': 'an open-instruct rollout log: not read yet',
  'openhands-event.json': 'an OpenHands event: not read yet',
  'openhands-output.jsonl': 'an OpenHands evaluation: not read yet',
  'openhands.json': 'an OpenHands event log: not read yet',
  'package.json': 'unknown',
  'pointer.jsonl': 'a Git LFS pointer: the file itself is not here yet (run "git lfs pull")',
  'preference.jsonl': 'a prompt and completion log: not read yet',
  'prime-rl-metrics.jsonl': 'prime-rl metrics: not rollouts',
  'random.bin': 'unknown',
  'readme.txt': 'unknown',
  'rl-logging-board-short.jsonl': 'an RLLoggingBoard log: not read yet',
  'rl-logging-board.jsonl': 'an RLLoggingBoard log: not read yet',
  'rllm-chat.jsonl': 'an rLLM chat log: not read yet',
  'rllm-eval.json': 'an rLLM episode: not read yet',
  'rllm-train.json': 'an rLLM episode: not read yet',
  'roll.jsonl': 'a ROLL rollout dump: not read yet',
  'sharegpt.jsonl': 'a chat log: not read yet',
  'skyrl.jsonl': 'a SkyRL evaluation: not read yet',
  'slime-0.pt': `a torch save: ${pickle}`,
  'sweagent-demonstration.traj': 'a SWE-agent demonstration: not read yet',
  'sweagent-truncated.traj': 'a SWE-agent trajectory: not read yet',
  'sweagent.traj': 'a SWE-agent trajectory: not read yet',
  'table.parquet': 'a Parquet table: not read yet',
  'tau2.json': 'a tau2-bench result: not read yet',
  'tinker.jsonl': 'a tinker rollout summary: not read yet',
  'training_input.pkl': `a pickle: ${pickle}`,
  'utf16.jsonl': 'UTF-16 text: not read yet (save it as UTF-8)',
  'verifiers-old.jsonl': 'a verifiers result: not read yet',
  'verifiers-results.jsonl': 'a verifiers result: not read yet',
  'verifiers-trace.jsonl': 'a verifiers trace log: not read yet',
  'verifiers-traces.jsonl': 'a verifiers episode log: not read yet',
  'verl-metrics.jsonl': 'verl file logger metrics: not rollouts',
  'wandb.sqlite': 'a SQLite database: not rollouts',
  'wandb.table.json': 'a wandb table: not read yet',
};

describe('files that are not read', () => {
  test.each(Object.entries(expected))('%s is %s', async (file, description) => {
    const bytes = readFileSync(join(folder, file));
    const found = recognise(await readHead(bytesSource(file, bytes)));
    expect(found.reader).toBeNull();
    expect(found).toMatchObject({ description });
    const isUnknown = description === 'unknown' || description === 'an empty file';
    expect(found.kind).toBe(isUnknown ? 'unknown' : 'named');
  });

  test('every file here is in the table, and every row of the product table has a file', () => {
    expect(readdirSync(folder).sort()).toEqual(Object.keys(expected).sort());
    const named = new Set(Object.values(expected).map((description) => description.split(':')[0]));
    expect(otherFormats.map((format) => format.name).filter((name) => !named.has(name))).toEqual([]);
  });
});
