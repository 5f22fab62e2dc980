/**
 * WebGPU against the CPU on a Vulkan driver in software: right where it is right, and the case that is known to be wrong there
 * (grouped-query attention in runs of 32 tokens) is found by the self-test. In processes of their own: native faults kill.
 * Without the driver these tests are skipped, which they say.
 */
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tinyDecoder, writeModel, type TinyDecoderOptions } from '../../generate/tinyDecoder.mjs';
import { bundleChild, runChild, softwareGpu, type ChildJob, type ChildResult } from './childRuns.ts';
import { someIds, temporaryFolder } from './tinyFolders.ts';

const environment = softwareGpu();
if (environment === null) {
  console.warn(
    'SKIPPED: WebGPU is not compared with the CPU here. It needs the Debian packages chromium-common and libvulkan1.',
  );
}

let folder: string;
let remove: () => Promise<void>;
let program: string;
beforeAll(async () => {
  [folder, remove] = await temporaryFolder();
  program = await bundleChild();
});
afterAll(async () => {
  await rm(program, { force: true });
  await remove();
});

const ids = someIds(90, 300);
const small: TinyDecoderOptions = { context: 256 };

function worst(a: readonly number[], b: readonly number[]): number {
  expect(a.length).toBe(b.length);
  return Math.max(...a.map((value, index) => Math.abs(value - (b[index] ?? Number.NaN))));
}

async function ran(job: ChildJob, variables: Readonly<Record<string, string>>): Promise<ChildResult> {
  const run = await runChild(program, job, variables);
  expect(run, run.stderr).toMatchObject({ code: 0, signal: null });
  if (run.result === null) throw new Error(run.stderr);
  return run.result;
}

/** Chunks of 48: longer than the known fault needs, short enough for a GPU in software. */
const chunk = 48;

describe.skipIf(environment === null)('on a GPU in software', () => {
  const variables = environment ?? {};

  test.each<[string, TinyDecoderOptions, number | null]>([
    ['plain', small, null],
    ['grouped', { ...small, attention: 'grouped' }, 31],
    ['grouped-4-bit', { ...small, attention: 'grouped', weights: 'q4', accuracyLevel: 4 }, 31],
  ])('%s: CPU = WebGPU', { timeout: 180_000 }, async (name, options, chunkLimit) => {
    const own = join(folder, name);
    await writeModel(own, tinyDecoder(options));
    const job = { folder: own, ids, tokens: 12 };
    const cpu = await ran({ ...job, choice: { provider: 'cpu', chunk } }, variables);
    const gpu = await ran({ ...job, choice: { provider: 'webgpu', chunk } }, variables);
    expect(gpu.facts).toMatchObject({ provider: 'webgpu', attempts: [{ provider: 'webgpu', failure: null }] });
    // Slower than the CPU and named as software; right in runs of at most `chunkLimit`.
    expect(gpu.facts.selfTest).toMatchObject({ verdict: 'slow', chunkLimit });
    expect(gpu.facts.selfTest?.maximumDifference).toBeLessThan(1e-4);
    expect(gpu.facts.selfTest?.sentence).toMatch(
      /slower than the CPU.* tokens\/s.*software adapter \(SwiftShader\), no GPU/,
    );
    if (chunkLimit !== null) {
      expect(gpu.facts.selfTest?.sentence).toMatch(
        /^WebGPU is wrong in runs of more than 31 tokens \(by \d\.\d+ nats\)/,
      );
    }
    for (const part of ['logprob', 'entropy', 'watched', 'topLogprobs'] as const) {
      expect(worst(gpu.whole[part], cpu.whole[part]), part).toBeLessThan(1e-4);
    }
    expect(gpu.whole.rank).toEqual(cpu.whole.rank);
    expect(gpu.whole.topIds).toEqual(cpu.whole.topIds);
    expect(worst(gpu.forked, cpu.forked)).toBeLessThan(1e-4);
    expect(gpu.greedy).toEqual(cpu.greedy);
    expect(gpu.samples).toEqual(cpu.samples);
    expect(gpu.facts.provenanceId).not.toBe(cpu.facts.provenanceId);
  });

  test('left to choose, a model runs on the CPU, says why, and remembers the test', { timeout: 60_000 }, async () => {
    const own = join(folder, 'grouped');
    const tests = join(own, 'storage', 'selfTests');
    expect((await readdir(tests)).filter((name) => name.endsWith('.trying'))).toEqual([]);
    const [kept = ''] = await readdir(tests);
    const before = await readFile(join(tests, kept), 'utf8');
    const { facts } = await ran({ folder: own, ids, tokens: 2, choice: { provider: null, chunk } }, variables);
    expect(facts.provider).toBe('cpu');
    expect(facts.attempts.map(({ provider }) => provider)).toEqual(['webgpu', 'cuda', 'cpu']);
    expect(facts.attempts[0]?.failure).toMatch(/slower than the CPU/);
    expect(facts.attempts[0]?.selfTest).toMatchObject({ verdict: 'slow' });
    expect(facts.attempts[1]?.failure).toMatch(/^CUDA 12 and cuDNN 9 are needed/);
    expect(await readFile(join(tests, kept), 'utf8')).toBe(before);
    // Asked to, it makes the test again.
    await writeFile(join(tests, kept), before.replace('"slow"', '"different"'));
    const choice = { provider: null, chunk, checkAgain: true };
    const again = await ran({ folder: own, ids, tokens: 2, choice }, variables);
    expect(again.facts.attempts[0]?.selfTest).toMatchObject({ verdict: 'slow' });
    expect(await readFile(join(tests, kept), 'utf8')).toContain('"slow"');
  });

  test('a provider that ended the process is passed over once', { timeout: 60_000 }, async () => {
    const own = join(folder, 'grouped');
    const tests = join(own, 'storage', 'selfTests');
    const [kept = ''] = await readdir(tests);
    await writeFile(join(tests, `${kept}.trying`), '');
    const { facts } = await ran({ folder: own, ids, tokens: 2, choice: { provider: null, chunk } }, variables);
    expect(facts.attempts[0]?.failure).toMatch(
      /^WebGPU was passed over: the process ended while it was tried last time/,
    );
    expect(facts.provider).toBe('cpu');
    expect(await readdir(tests)).toEqual([kept]);
  });

  test('16-bit weights without 16-bit shaders are refused with a sentence', { timeout: 60_000 }, async () => {
    const own = join(folder, 'half');
    await writeModel(own, tinyDecoder({ ...small, weights: 'f16' }));
    const { facts } = await ran({ folder: own, ids, tokens: 2, choice: { provider: 'webgpu', chunk } }, variables);
    expect(facts.provider).toBe('cpu');
    expect(facts.attempts[0]?.failure).toMatch(/^The GPU has no 16-bit floats for WebGPU/);
    expect(facts.warnings[0]).toMatch(/^It runs on the CPU: The GPU has no 16-bit floats/);
  });

  test('memory is flat over 1,000 tokens', { timeout: 400_000 }, async () => {
    const own = join(folder, 'flat');
    await writeModel(
      own,
      tinyDecoder({ layers: 1, width: 32, heads: 2, keyHeads: 1, inner: 32, vocabulary: 100, context: 1200 }),
    );
    const short = ids.map((id) => id % 100);
    const { memory } = await ran(
      { folder: own, ids: short, tokens: 1000, choice: { provider: 'webgpu', chunk } },
      variables,
    );
    expect(memory.length).toBe(1000);
    const most = (from: number, to: number): number => Math.max(...memory.slice(from, to));
    // Caches that are not disposed cost 1 MB a token.
    expect((most(950, 1000) - most(250, 300)) / 1e6).toBeLessThan(60);
  });
});

describe.skipIf(process.platform !== 'linux' || process.arch !== 'x64')('without a GPU', () => {
  test.each(['webgpu', null] as const)(
    'asked for %s, the CPU takes over with a sentence',
    { timeout: 60_000 },
    async (provider) => {
      const own = join(folder, `none-${provider}`);
      await writeModel(own, tinyDecoder(small));
      const none = { VK_ICD_FILENAMES: '/nonexistent', VK_DRIVER_FILES: '/nonexistent' };
      const { facts } = await ran({ folder: own, ids, tokens: 2, choice: { provider } }, none);
      expect(facts.provider).toBe('cpu');
      const sentence = 'No Vulkan driver was found: WebGPU needs libvulkan1 and the Vulkan driver of the GPU';
      expect(facts.attempts[0]?.failure).toContain(sentence);
      if (provider === 'webgpu') expect(facts.warnings[0]).toContain(`It runs on the CPU: ${sentence}`);
    },
  );
});
