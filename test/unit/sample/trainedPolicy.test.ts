/**
 * The shipped policies are the trained ones: the ONNX graphs give the trainer's log-probs for what was sampled, in one
 * pass and through the cache, and tokenizer and chat template write the very tokens that the policy read.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Template } from '@huggingface/jinja';
import { Tokenizer } from '@huggingface/tokenizers';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { fixtures, numbersIn, objectOf, objectsOf, shipped } from './sampleFolders.ts';

/** A sampled rollout with the log-prob of each of its tokens; `said` is 1 where the policy sampled. */
interface Sequence {
  readonly checkpoint: string;
  readonly tokens: readonly number[];
  readonly said: readonly number[];
  readonly logProbs: readonly number[];
}

const tolerance = 1e-4;
const sequences: readonly Sequence[] = objectsOf(join(fixtures, 'logProbs.json')).map((entry) => ({
  checkpoint: String(entry.checkpoint),
  tokens: numbersIn(entry.tokens),
  said: numbersIn(entry.said),
  logProbs: numbersIn(entry.logps),
}));
const checkpoints = ['start', 'hdpo', 'grpo'] as const;

/** The cache between two runs: `present.N.key` and so on by their names. */
type Outputs = InferenceSession.OnnxValueMapType;

async function openPolicy(name: string) {
  const folder = join(shipped, 'checkpoints', name);
  const config = objectOf(join(folder, 'config.json'));
  // 4: an error is thrown, and need not be printed as well.
  const session = await InferenceSession.create(join(folder, 'onnx', 'model.onnx'), { logSeverityLevel: 4 });
  const empty = new Tensor('float32', [], [1, Number(config.num_key_value_heads), 0, Number(config.head_dim)]);
  const cacheNames = session.inputNames.filter((input) => input.startsWith('past_key_values.'));
  const integers = (values: readonly number[]): Tensor =>
    new Tensor('int64', BigInt64Array.from(values, BigInt), [1, values.length]);
  /** Runs tokens behind a past of `first` tokens. */
  const run = (tokens: readonly number[], first: number, past: Outputs | null): Promise<Outputs> => {
    const positions = tokens.map((_, index) => first + index);
    const cache = cacheNames.map((input) => [input, past?.[input.replace('past_key_values', 'present')] ?? empty]);
    const inputs = {
      input_ids: integers(tokens),
      attention_mask: integers(Array.from({ length: first + tokens.length }, () => 1)),
      position_ids: integers(positions),
      ...Object.fromEntries(cache),
    };
    return session.run(inputs, { logSeverityLevel: 4 });
  };
  return { session, config, run };
}

/** log softmax of each row at the token that follows it. */
function logProbsOf(logits: unknown, following: readonly number[]): readonly number[] {
  if (!(logits instanceof Tensor) || !(logits.data instanceof Float32Array)) throw new Error('no logits');
  const { data } = logits;
  const width = Number(logits.dims.at(-1));
  return following.map((token, row) => {
    const scores = data.subarray(row * width, (row + 1) * width);
    const top = scores.reduce((a, b) => Math.max(a, b));
    const sum = scores.reduce((total, score) => total + Math.exp(score - top), 0);
    return (scores[token] ?? Number.NaN) - top - Math.log(sum);
  });
}

/** The largest difference from the trainer over the tokens that were sampled. */
function errorOf({ said, logProbs }: Sequence, found: readonly number[]): number {
  const differences = found.flatMap((value, index) =>
    said[index + 1] === 1 ? [Math.abs(value - (logProbs[index + 1] ?? Number.NaN))] : [],
  );
  expect(differences.length).toBeGreaterThan(0);
  return Math.max(...differences);
}

describe.each(checkpoints)('the policy %s', (name) => {
  const own = sequences.filter(({ checkpoint }) => checkpoint === name);

  test('gives the log-probs of the trainer', async () => {
    const { run } = await openPolicy(name);
    expect(own.length).toBeGreaterThan(3);
    for (const sequence of own) {
      const { logits } = await run(sequence.tokens, 0, null);
      expect(errorOf(sequence, logProbsOf(logits, sequence.tokens.slice(1)))).toBeLessThan(tolerance);
    }
  });

  test('gives them through the cache, too', async () => {
    const { run } = await openPolicy(name);
    for (const sequence of own.slice(0, 2)) {
      const found: number[] = [];
      let past: Outputs | null = null;
      for (let first = 0; first < sequence.tokens.length;) {
        const count = first === 0 ? 17 : 1 + (first % 3);
        const tokens = sequence.tokens.slice(first, first + count);
        past = await run(tokens, first, past);
        found.push(...logProbsOf(past.logits, sequence.tokens.slice(first + 1, first + 1 + tokens.length)));
        first += tokens.length;
      }
      expect(errorOf(sequence, found)).toBeLessThan(tolerance);
    }
  });

  test('has the inputs and outputs of models on the Hub, and a context that is an error to leave', async () => {
    const { session, config, run } = await openPolicy(name);
    const cache = Array.from({ length: Number(config.num_hidden_layers) }, (_, layer) =>
      ['key', 'value'].map((part) => `${layer}.${part}`),
    ).flat();
    expect(session.inputNames).toEqual([
      'input_ids',
      'attention_mask',
      'position_ids',
      ...cache.map((entry) => `past_key_values.${entry}`),
    ]);
    expect(session.outputNames).toEqual(['logits', ...cache.map((entry) => `present.${entry}`)]);
    const tooLong = Array.from({ length: Number(config.max_position_embeddings) + 1 }, () => 1);
    await expect(run(tooLong, 0, null)).rejects.toThrow(/out of (data )?bounds/);
  });

  test('has a tokenizer and a chat template that write what it read', () => {
    const folder = join(shipped, 'checkpoints', name);
    const tokenizerConfig = objectOf(join(folder, 'tokenizer_config.json'));
    const tokenizer = new Tokenizer(objectOf(join(folder, 'tokenizer.json')), tokenizerConfig);
    const template = new Template(String(tokenizerConfig.chat_template));
    for (const id of ['<|im_start|>', '<|im_end|>', '<tool_call>', '</tool_call>', '7']) {
      expect(tokenizer.encode(id).ids, id).toHaveLength(1);
    }
    for (const { tokens, said } of own) {
      const text = tokenizer.decode([...tokens], { skip_special_tokens: false });
      const prompt = [...tokens.slice(0, said.indexOf(1))];
      const promptText = tokenizer.decode(prompt, { skip_special_tokens: false });
      const turns = [...promptText.matchAll(/<\|im_start\|>(\w+)\n(.*?)<\|im_end\|>\n/gs)];
      const messages = turns.map(([, role = '', content = '']) => ({ role, content }));
      expect(messages.map(({ role }) => role)).toEqual(['system', 'user']);
      expect(template.render({ messages, add_generation_prompt: true })).toBe(promptText);
      expect(text.startsWith(promptText)).toBe(true);
      expect(tokenizer.encode(promptText).ids).toEqual(prompt);
    }
  });
});

test('a policy is at most 2 MB', () => {
  for (const name of checkpoints) {
    const files = [
      'config.json',
      'generation_config.json',
      'tokenizer.json',
      'tokenizer_config.json',
      'onnx/model.onnx',
    ];
    const sizes = files.map((file) => readFileSync(join(shipped, 'checkpoints', name, file)).length);
    expect(sizes.reduce((a, b) => a + b)).toBeLessThanOrEqual(2_000_000);
  }
});
