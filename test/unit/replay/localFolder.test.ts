/** Folders as people have them: which layout and variants are seen, what is missing, and that links of a Hub cache load. */
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { UserError } from '../../../src/base/errors.ts';
import { recogniseModelFolder, variantOf } from '../../../src/replay/modelFolder.ts';
import { tinyDecoder, writeModel } from '../../generate/tinyDecoder.mjs';
import { shipped } from '../sample/sampleFolders.ts';
import { opened, scored, someIds, temporaryFolder } from './tinyFolders.ts';

let folder: string;
let remove: () => Promise<void>;
beforeAll(async () => {
  [folder, remove] = await temporaryFolder();
});
afterAll(() => remove());

const ids = someIds(40, 300);

async function scoresOf(path: string, storage = join(folder, 'storage')): Promise<readonly number[]> {
  const backend = await opened(path, { storage });
  const { logprob } = await scored(backend, ids);
  await backend.dispose();
  return logprob;
}

describe('layouts', () => {
  test("the sample's, its onnx folder named instead of itself, too", () => {
    const path = join(shipped, 'checkpoints', 'hdpo');
    for (const picked of [path, join(path, 'onnx')]) {
      expect(recogniseModelFolder(picked)).toMatchObject({
        folder: path,
        name: 'hdpo',
        layout: 'transformers.js',
        variants: [{ suffix: '', sizeBytes: 1_885_319, missing: null, embedder: null }],
        contextLength: 256,
        vocabularySize: 487,
        textOnlyView: false,
        missing: null,
      });
    }
  });

  test('several precisions, nearest to the policy first, with data files in their sizes', async () => {
    const own = join(folder, 'precisions');
    await writeModel(own, tinyDecoder({ weights: 'q4' }), { suffix: '_q4' });
    await writeModel(own, tinyDecoder({ weights: 'f16' }), { suffix: '_fp16', data: true });
    await writeModel(own, tinyDecoder());
    const model = recogniseModelFolder(own);
    expect(model.variants.map(({ suffix }) => suffix)).toEqual(['', '_fp16', '_q4']);
    const [whole = 0, half = 0, quarter = 0] = model.variants.map(({ sizeBytes }) => sizeBytes);
    expect(whole).toBeGreaterThan(1.8 * half);
    expect(half).toBeGreaterThan(quarter);
    expect(variantOf(model, null).suffix).toBe('');
    expect(() => variantOf(model, '_q8')).toThrow(/no variant "_q8". There are: "", "_fp16", "_q4"/);
    const precisions = await Promise.all(
      ['', '_fp16', '_q4'].map(async (variant) => {
        const backend = await opened(own, { variant });
        await backend.dispose();
        return [backend.facts.precision, backend.facts.provenanceId];
      }),
    );
    expect(precisions.map(([precision]) => precision)).toEqual(['f32', 'f16', 'q4']);
    expect(new Set(precisions.map(([, id]) => id)).size).toBe(3);
  });

  test('optimum: model.onnx beside config.json', async () => {
    const from = join(folder, 'for-optimum');
    await writeModel(from, tinyDecoder(), { data: true });
    const own = join(folder, 'optimum');
    await mkdir(own);
    for (const name of ['model.onnx', 'model.onnx_data']) await cp(join(from, 'onnx', name), join(own, name));
    for (const name of ['config.json', 'tokenizer.json']) await cp(join(from, name), join(own, name));
    expect(recogniseModelFolder(own)).toMatchObject({ layout: 'optimum', missing: null });
    expect(await scoresOf(own)).toEqual(await scoresOf(from));
  });

  test('onnxruntime-genai: names as genai_config.json declares them', async () => {
    const from = join(folder, 'for-genai');
    const file = await writeModel(from, tinyDecoder({ attention: 'grouped' }));
    const own = join(folder, 'genai');
    await mkdir(own);
    await cp(file, join(own, 'decoder.onnx'));
    await writeFile(join(own, 'tokenizer.json'), '{}');
    const decoder = {
      filename: 'decoder.onnx',
      inputs: {
        input_ids: 'input_ids',
        attention_mask: 'attention_mask',
        past_key_names: 'past_key_values.%d.key',
        past_value_names: 'past_key_values.%d.value',
      },
      outputs: { logits: 'logits', present_key_names: 'present.%d.key', present_value_names: 'present.%d.value' },
    };
    const config = { model: { context_length: 77, vocab_size: 300, decoder } };
    await writeFile(join(own, 'genai_config.json'), JSON.stringify(config));
    expect(recogniseModelFolder(own)).toMatchObject({ layout: 'genai', contextLength: 77, missing: null });
    expect(await scoresOf(own)).toEqual(await scoresOf(from));
    const other = { ...decoder, outputs: { ...decoder.outputs, logits: 'scores' } };
    await writeFile(join(own, 'genai_config.json'), JSON.stringify({ model: { decoder: other } }));
    await expect(opened(own)).rejects.toThrow(/no output "scores"/);
  });

  test('a vision-language export, of which the text is replayed', async () => {
    const own = join(folder, 'split');
    await writeModel(own, tinyDecoder({ split: true, vocabulary: 200 }), { suffix: '_q4' });
    expect(recogniseModelFolder(own)).toMatchObject({ textOnlyView: true, missing: null });
    const backend = await opened(own);
    expect(backend.facts.warnings.join()).toContain('Pictures are replaced by their pads');
    const short = ids.map((id) => id % 200);
    const { logprob } = await scored(backend, short);
    await backend.dispose();
    await writeModel(join(folder, 'joined'), tinyDecoder({ vocabulary: 200 }));
    const joined = await opened(join(folder, 'joined'));
    expect((await scored(joined, short)).logprob).toEqual(logprob);
    await joined.dispose();
  });

  test('a Hub cache: links into blobs, the data file with another name', async () => {
    const from = join(folder, 'for-hub');
    await writeModel(from, tinyDecoder(), { data: true });
    const own = join(folder, 'models--owner--tiny');
    const snapshot = join(own, 'snapshots', 'abc');
    await mkdir(join(snapshot, 'onnx'), { recursive: true });
    await mkdir(join(own, 'refs'));
    await mkdir(join(own, 'blobs'));
    await writeFile(join(own, 'refs', 'main'), 'abc');
    for (const [index, name] of [
      'onnx/model.onnx',
      'onnx/model.onnx_data',
      'config.json',
      'tokenizer.json',
    ].entries()) {
      await cp(join(from, name), join(own, 'blobs', `blob${index}`));
      const up = name.startsWith('onnx/') ? '../../..' : '../..';
      await symlink(`${up}/blobs/blob${index}`, join(snapshot, name));
    }
    expect(recogniseModelFolder(own)).toMatchObject({ name: 'owner/tiny', folder: snapshot, missing: null });
    expect(await scoresOf(own)).toEqual(await scoresOf(from));
    // Data in another folder than the graph: the folder above both is what ONNX Runtime gets.
    await mkdir(join(own, 'elsewhere'));
    await rename(join(own, 'blobs', 'blob1'), join(own, 'elsewhere', 'weights'));
    await symlink('../elsewhere/weights', join(own, 'blobs', 'blob1'));
    expect(await scoresOf(own)).toEqual(await scoresOf(from));
  });
});

describe('what is missing or broken is said', () => {
  const broken = async (name: string, change: (own: string) => Promise<unknown>, data = true): Promise<string> => {
    const own = join(folder, `broken-${name}`);
    await writeModel(own, tinyDecoder(), { data });
    await change(own);
    return own;
  };
  test('no model at all', () => {
    expect(() => recogniseModelFolder(join(folder, 'nowhere'))).toThrow(/holds no model: neither onnx\/model.onnx/);
  });
  test('a data file', async () => {
    const own = await broken('data', (path) => rm(join(path, 'onnx', 'model.onnx_data')));
    expect(recogniseModelFolder(own).missing).toMatch(/^model.onnx needs .*model.onnx_data, which is not there\.$/);
    await expect(opened(own)).rejects.toThrow(UserError);
  });
  test('the tokenizer', async () => {
    const own = await broken('tokenizer', (path) => rm(join(path, 'tokenizer.json')));
    expect(recogniseModelFolder(own).missing).toMatch(/has no tokenizer.json: without it no text becomes tokens\.$/);
  });
  test('a configuration that is no JSON', async () => {
    const own = await broken('config', (path) => writeFile(join(path, 'config.json'), '{"vocab'));
    expect(() => recogniseModelFolder(own)).toThrow(/config.json is no JSON/);
  });
  test.each([
    ['empty', (): Uint8Array => new Uint8Array(0)],
    ['text', (): Uint8Array => new TextEncoder().encode('version https://git-lfs.github.com/spec/v1\noid sha256:0\n')],
    ['cut', (bytes: Uint8Array): Uint8Array => bytes.slice(0, bytes.length / 2)],
    ['noise', (bytes: Uint8Array): Uint8Array => bytes.map((byte, index) => (byte * 31 + index) % 256)],
  ])('a graph that is %s', async (name, damage) => {
    const { readFile } = await import('node:fs/promises');
    const own = await broken(
      name,
      async (path) => {
        const file = join(path, 'onnx', 'model.onnx');
        await writeFile(file, damage(await readFile(file)));
      },
      false,
    );
    expect(recogniseModelFolder(own).missing).toMatch(/is no ONNX model that can be read/);
    await expect(opened(own)).rejects.toThrow(/is no ONNX model that can be read/);
  });
  test('a graph that is whole as a file and wrong as a graph', async () => {
    const own = await broken('graph', async (path) => {
      const model = tinyDecoder();
      model.graph.node('NoSuchOperator', ['logits'], { output: 'nothing' });
      await writeModel(path, model);
    });
    await expect(opened(own)).rejects.toThrow(/^The CPU failed: .*NoSuchOperator/);
    await expect(opened(own)).rejects.toThrow(UserError);
  });
  test('weights that are shorter than the graph says', async () => {
    const own = await broken('short', (path) => writeFile(join(path, 'onnx', 'model.onnx_data'), 'short'));
    await expect(opened(own)).rejects.toThrow(UserError);
  });
  test('a graph without a cache', async () => {
    const own = await broken('cache', async (path) => {
      const { createGraph, types } = await import('../../generate/onnxGraph.mjs');
      const graph = createGraph();
      graph.input('input_ids', types.int64, ['batch', 'sequence']);
      graph.node('Cast', ['input_ids'], { to: types.float32, output: 'logits' });
      graph.output('logits', types.float32, ['batch', 'sequence', 3]);
      await writeFile(join(path, 'onnx', 'model.onnx'), graph.encode());
    });
    await expect(opened(own)).rejects.toThrow(/keeps no cache/);
  });
});

test('weights are neither copied nor read: storage holds hashes only', async () => {
  const own = join(folder, 'in-place');
  await writeModel(own, tinyDecoder());
  await scoresOf(own, join(own, 'storage'));
  const found = await readdir(join(own, 'storage'), { recursive: true, withFileTypes: true });
  const files = found.filter((entry) => entry.isFile()).map(({ name }) => name);
  expect(files.length).toBe(1);
  expect(files.every((name) => name.endsWith('.txt'))).toBe(true);
  expect(existsSync(join(own, 'onnx', 'model.onnx'))).toBe(true);
  expect(basename(own)).toBe('in-place');
});
