/** Folders as people pick them: every layout, several precisions, exports below one folder, links of a Hub cache. */
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultModel, folderName, modelsIn, modelsOf } from '../../../src/host/modelsInFolder.ts';
import { recogniseModelFolder } from '../../../src/replay/modelFolder.ts';
import { tinyDecoder, writeModel } from '../../generate/tinyDecoder.mjs';

let root = '';
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'rollout-lens-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

async function files(folder: string, named: Readonly<Record<string, number>>): Promise<string> {
  for (const [name, sizeBytes] of Object.entries(named)) {
    const file = path.join(root, folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, 'x'.repeat(sizeBytes));
  }
  return path.join(root, folder);
}

describe('the models in a folder', () => {
  it('are its precisions, as the replayer sees them', async () => {
    const own = path.join(root, 'precisions');
    await writeModel(own, tinyDecoder({ weights: 'q4' }), { suffix: '_q4' });
    await writeModel(own, tinyDecoder({ weights: 'f16' }), { suffix: '_fp16', data: true });
    await writeModel(own, tinyDecoder(), { suffix: '_quantized' });
    const models = await modelsIn(own);
    expect(models.map(({ suffix, precision }) => [suffix, precision])).toEqual([
      ['_fp16', 'f16'],
      ['_quantized', 'q8'],
      ['_q4', 'q4'],
    ]);
    const replayed = recogniseModelFolder(own).variants;
    expect(models.map(({ suffix, file }) => [suffix, file])).toEqual(
      replayed.map(({ suffix, file }) => [suffix, file]),
    );
    // The texts count as well here.
    for (const [index, { sizeBytes }] of models.entries()) {
      expect(sizeBytes - (replayed[index]?.sizeBytes ?? 0)).toBeGreaterThan(0);
      expect(sizeBytes - (replayed[index]?.sizeBytes ?? 0)).toBeLessThan(2_000);
    }
    expect(defaultModel(models)?.suffix).toBe('_fp16');
    expect(await modelsIn(path.join(own, 'onnx'))).toEqual(models);
    expect(await modelsOf(own)).toEqual(models);
  });

  it('are the exports below it, each with its own folder', async () => {
    const exported = { 'genai_config.json': 2, 'model.onnx': 10, 'model.onnx.data': 90, 'tokenizer.json': 2 };
    const below = (folder: string) =>
      Object.fromEntries(Object.entries(exported).map(([name, size]) => [`${folder}/${name}`, size]));
    const own = await files('phi', { ...below('cuda/cuda-fp16'), ...below('cpu_and_mobile/cpu-int4'), 'README.md': 9 });
    const models = await modelsIn(own);
    expect(models.map(({ layout, folder, sizeBytes }) => [layout, path.relative(own, folder), sizeBytes])).toEqual([
      ['genai', path.join('cpu_and_mobile', 'cpu-int4'), 104],
      ['genai', path.join('cuda', 'cuda-fp16'), 104],
    ]);
    expect(defaultModel(models)?.precision).toBe('q4');
    expect(await modelsOf(own)).toEqual([]);
    expect(await modelsOf(models[1]?.folder ?? '')).toEqual([models[1]]);
  });

  it('are those of optimum, also where its folder is called onnx', async () => {
    const named = { 'model.onnx': 10, 'model.onnx_data': 90, 'tokenizer.json': 2, 'config.json': 2 };
    for (const folder of ['optimum', 'export/onnx']) {
      const own = await files(folder, named);
      expect(await modelsIn(own)).toMatchObject([{ layout: 'optimum', folder: own, sizeBytes: 104, precision: 'f32' }]);
    }
  });

  it('are those behind the links of a Hub cache, by the name of the repository', async () => {
    const own = await files('models--owner--name', { 'blobs/1': 10, 'blobs/2': 90, 'blobs/3': 2, 'refs/main': 3 });
    const snapshot = path.join(own, 'snapshots', 'abc');
    await mkdir(path.join(snapshot, 'onnx'), { recursive: true });
    await symlink('../../../blobs/1', path.join(snapshot, 'onnx', 'model_q4.onnx'));
    await symlink('../../../blobs/2', path.join(snapshot, 'onnx', 'model_q4.onnx_data'));
    await symlink('../../blobs/3', path.join(snapshot, 'tokenizer.json'));
    expect(await modelsIn(own)).toMatchObject([{ folder: snapshot, suffix: '_q4', sizeBytes: 102 }]);
    expect(folderName(snapshot)).toBe('owner/name');
    expect(folderName(path.join(snapshot, 'cuda'))).toBe('owner/name/cuda');
    expect(folderName(path.join(root, 'optimum'))).toBe('optimum');
  });

  it('are none where a folder is gone, holds none, or no tokenizer', async () => {
    expect(await modelsIn(path.join(root, 'nowhere'))).toEqual([]);
    expect(await modelsIn(await files('empty', { 'README.md': 1 }))).toEqual([]);
    expect(await modelsIn(await files('untold', { 'onnx/model.onnx': 1, 'config.json': 1 }))).toEqual([]);
    expect(defaultModel([])).toBeUndefined();
  });
});
