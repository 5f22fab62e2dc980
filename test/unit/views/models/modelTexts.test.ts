/** The rows of "Models": what they say of a check, in words, and what is said where there is none. */
import { describe, expect, it } from 'vitest';
import type { KnownModel, ModelCheck } from '../../../../src/host/replayModels.ts';
import type { SelfTest } from '../../../../src/protocol/replay.ts';
import { checkText, modelTexts } from '../../../../src/views/models/modelTexts.ts';
import { l10n } from '../translator.ts';

const selfTest: SelfTest = {
  verdict: 'same',
  maximumDifference: 1e-6,
  tokensPerSecond: 900,
  cpuTokensPerSecond: 100,
  chunkLimit: null,
  sentence: 'WebGPU agrees with the CPU on 168 tokens.',
};
const check: ModelCheck = {
  provider: 'webgpu',
  precision: 'f32',
  selfTest,
  attempts: [{ provider: 'webgpu', failure: null }],
  hash: 'abc',
  runtime: '1.30.0',
  atMs: Date.UTC(2026, 10, 23, 18, 40),
};
const model: KnownModel = {
  id: 'bundled:hdpo',
  kind: 'bundled',
  name: 'Policy after HDPO (bundled)',
  label: 'Policy after HDPO',
  from: 'the sample',
  state: 'there',
  folder: '/sample/hdpo',
  file: '/sample/hdpo/onnx/model.onnx',
  sizeBytes: 1_885_319,
  precision: 'f32',
  check: null,
  others: 0,
};

describe('the outcome of a check', () => {
  it.each<[string, Partial<ModelCheck>]>([
    ['webgpu ✓ checked against CPU', {}],
    ['webgpu ✓ checked against CPU in short runs', { selfTest: { ...selfTest, chunkLimit: 31 } }],
    ['webgpu ✓ agrees with CPU, but is slower', { selfTest: { ...selfTest, verdict: 'slow' } }],
    ['webgpu ✗ disagrees with CPU', { selfTest: { ...selfTest, verdict: 'different' } }],
    ['cuda, not checked', { provider: 'cuda', selfTest: null }],
    ['cpu', { provider: 'cpu', selfTest: null, attempts: [{ provider: 'webgpu', failure: 'No Vulkan driver.' }] }],
    [
      'cpu · webgpu ✗ disagrees with CPU',
      {
        provider: 'cpu',
        selfTest: null,
        attempts: [
          { provider: 'webgpu', failure: 'It disagrees.', selfTest: { ...selfTest, verdict: 'different' } },
          { provider: 'cpu', failure: null },
        ],
      },
    ],
  ])('%s', (said, change) => {
    expect(checkText({ ...check, ...change }, l10n)).toBe(said);
  });
});

describe('a row', () => {
  it('says size and precision, and that it was not loaded yet', () => {
    const texts = modelTexts(model, l10n);
    expect(texts).toMatchObject({
      label: 'Policy after HDPO',
      description: '1.89 MB · f32 · bundled',
      spoken: 'Policy after HDPO, 1.89 MB, f32, bundled',
    });
    expect(texts.tooltip).toContain('From the sample');
    expect(texts.tooltip).toContain('/sample/hdpo/onnx/model.onnx');
    expect(texts.tooltip.join('\n')).toMatch(/Not loaded on this machine yet/);
  });
  it('says the check first, and all of it in the tooltip', () => {
    const failed = { provider: 'cuda', failure: 'CUDA 12 is needed.' } as const;
    const texts = modelTexts({ ...model, check: { ...check, attempts: [failed, ...check.attempts] } }, l10n);
    expect(texts.description).toBe('webgpu ✓ checked against CPU · 1.89 MB · f32 · bundled');
    expect(texts.tooltip.slice(3)).toEqual([
      'Runs on webgpu, precision f32.',
      selfTest.sentence,
      'cuda: CUDA 12 is needed.',
      'Loaded 2026-11-23 18:40 UTC with ONNX Runtime 1.30.0.',
      'SHA-256 of its files: abc',
    ]);
  });
  it.each<[string, RegExp, Partial<KnownModel>]>([
    [
      'not there any more',
      /Its folder is not there/,
      { kind: 'folder', state: 'gone', file: null, sizeBytes: null, precision: null },
    ],
    ['download broke off · 1.89 MB · f32', /a click goes on/, { kind: 'downloaded', state: 'partial' }],
    [
      'server',
      /^gpt\nFrom http:\/\/host\/v1$/,
      {
        kind: 'server',
        name: 'gpt',
        label: 'gpt',
        from: 'http://host/v1',
        folder: null,
        file: null,
        sizeBytes: null,
        precision: null,
      },
    ],
    ['1.89 MB · f32', /holds one more precision/, { kind: 'folder', others: 1 }],
    ['1.89 MB · f32', /holds 3 more precisions/, { kind: 'folder', others: 3 }],
  ])('%s', (description, tooltip, change) => {
    const texts = modelTexts({ ...model, ...change }, l10n);
    expect(texts.description).toBe(description);
    expect(texts.tooltip.join('\n')).toMatch(tooltip);
  });
});
