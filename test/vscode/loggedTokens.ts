// A log with token ids and log-probs in the form of prime-rl: rollouts of the sample's dump with what its trainer wrote down
// of their tokens (test/fixtures/sample/logProbs.json), so that a replay has something to agree or disagree with.
//
// Leaves out the episodes' other fields: nothing here looks at them.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { objectOf } from '../unit/sample/sampleFolders.ts';
import { fixtures, numbersIn, objectsOf } from '../unit/sample/sampleFolders.ts';

/** Writes `FOLDER/train_rollouts.jsonl` from step 110 of `hdpo` in an unpacked sample. */
export async function writeLoggedTokens(sample: string, folder: string): Promise<void> {
  const dump = await readFile(path.join(sample, 'rollout_data', 'hdpo', '110.jsonl'), 'utf8');
  const lines = dump.split('\n');
  const rows = objectsOf(path.join(fixtures, 'logProbs.json'))
    .filter(({ run, step }) => run === 'hdpo' && step === 110)
    .map((entry) => {
      const record = recordOf(lines[Number(entry.row)] ?? '');
      const messages = messagesOf(record.input + record.output);
      return {
        example_id: record.input,
        env_name: 'sums',
        group_id: record.input,
        rollout_id: `r${String(entry.row)}`,
        policy_version: 110,
        prompt: messages.slice(0, 2),
        completion: messages.slice(2),
        trajectory: spansOf(entry).map((tokens) => ({ tokens })),
        answer: record.answer,
        reward: record.reward,
        metrics: {},
        is_truncated: false,
        step: 110,
      };
    });
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'train_rollouts.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
}

function recordOf(line: string) {
  const value: unknown = JSON.parse(line);
  const { input, output, gts, score } = Object.fromEntries(Object.entries(value ?? {}));
  return { input: String(input), output: String(output), answer: String(gts), reward: Number(score) };
}

function messagesOf(text: string): readonly { readonly role: string; readonly content: string }[] {
  const found = text.matchAll(/<\|im_start\|>(\w+)\n([^]*?)(?:<\|im_end\|>|$)/g);
  return [...found].map(([, role = '', content = '']) => ({ role, content }));
}

/** The tokens of each turn of the policy. */
function spansOf(entry: ReturnType<typeof objectOf>) {
  const [tokens, said, logps] = [entry.tokens, entry.said, entry.logps].map(numbersIn);
  const spans: { completion_ids: number[]; completion_mask: number[]; completion_logprobs: number[] }[] = [];
  for (const [at, flag] of (said ?? []).entries()) {
    if (flag !== 1) continue;
    if (said?.[at - 1] !== 1) spans.push({ completion_ids: [], completion_mask: [], completion_logprobs: [] });
    const last = spans.at(-1);
    last?.completion_ids.push(tokens?.[at] ?? 0);
    last?.completion_mask.push(1);
    last?.completion_logprobs.push(logps?.[at] ?? 0);
  }
  return spans;
}
