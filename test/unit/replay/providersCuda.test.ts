/** Failures become sentences, never stacks; and ONNX Runtime runs from a copy beside CUDA's libraries, real or not. */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { UserError } from '../../../src/base/errors.ts';
import type { ProviderName } from '../../../src/protocol/replay.ts';
import { failureSentence, providersOf } from '../../../src/replay/providers.ts';
import {
  cudaLibraries,
  missingCudaLibraries,
  packageFolder,
  runtimeBesideCuda,
} from '../../../src/replay/runtimeFolder.ts';
import { tinyDecoder, writeModel } from '../../generate/tinyDecoder.mjs';
import { bundleChild, runChild } from './childRuns.ts';
import { someIds, temporaryFolder } from './tinyFolders.ts';

let folder: string;
let remove: () => Promise<void>;
beforeAll(async () => {
  [folder, remove] = await temporaryFolder();
});
afterAll(() => remove());

test.each([
  ['linux', 'x64', ['webgpu', 'cuda', 'cpu']],
  ['linux', 'arm64', ['cpu']],
  ['win32', 'x64', ['webgpu', 'dml', 'cpu']],
  ['darwin', 'arm64', ['webgpu', 'coreml', 'cpu']],
])('%s %s tries %j', (platform, architecture, order) => {
  expect(providersOf({ platform, architecture })).toEqual(order);
});

const cudaLoader =
  '/onnxruntime_src/onnxruntime/core/session/provider_bridge_ort.cc:1539 onnxruntime::Provider& onnxruntime::ProviderLibrary::Get() ' +
  '[ONNXRuntimeError] : 1 : FAIL : Failed to load library libonnxruntime_providers_cuda.so with error: ';

describe('a failure as a sentence', () => {
  test.each<[ProviderName, string, RegExp]>([
    [
      'cuda',
      `${cudaLoader}libcublasLt.so.12: cannot open shared object file: No such file or directory`,
      /^CUDA 12 and cuDNN 9 are needed, .*: libcublasLt\.so\.12 was not found\.$/,
    ],
    [
      'cuda',
      `${cudaLoader}libcudnn.so.9: cannot open shared object file: No such file or directory`,
      /: libcudnn\.so\.9 was not found\.$/,
    ],
    ['cuda', `${cudaLoader}invalid ELF header`, /^CUDA 12 and cuDNN 9 are needed/],
    [
      'cuda',
      'CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version',
      /^No NVIDIA GPU with a driver/,
    ],
    ['webgpu', 'Failed to get a WebGPU adapter: No supported adapters', /Vulkan driver|GPU adapter/],
    ['webgpu', 'Program X requires f16 but the device does not support it.', /^The GPU has no 16-bit floats/],
    ['webgpu', 'Out of memory while creating buffer', /^There is not enough memory .* with WebGPU/],
    [
      'cpu',
      'bfc_arena.cc:376 BFCArena::AllocateRawInternal Failed to allocate memory for requested buffer of size 9',
      /^There is not enough memory/,
    ],
    ['dml', 'no available backend found. ERR: [dml] backend not found.', /^This build of ONNX Runtime has no DirectML/],
    ['coreml', 'Something new\n  at frame (file.js:1:1)', /^Core ML failed: Something new$/],
    ['cpu', `x${'y'.repeat(900)}`, /^The CPU failed: xy{199}…$/],
  ])('%s: %s', (provider, message, sentence) => {
    expect(failureSentence(provider, new Error(message))).toMatch(sentence);
    expect(failureSentence(provider, new UserError('Said already.'))).toBe('Said already.');
  });
});

describe.skipIf(process.platform !== 'linux' || process.arch !== 'x64')("CUDA's libraries", () => {
  const cuda = (): string => join(folder, 'cuda');

  test('missing ones are named', async () => {
    expect(missingCudaLibraries(null)).toMatch(/they are not installed/);
    expect(missingCudaLibraries(cuda())).toMatch(/the folder .* is not there/);
    await mkdir(cuda());
    expect(missingCudaLibraries(cuda())).toMatch(/libonnxruntime_providers_shared\.so and .*_cuda\.so are not in/);
    await writeFile(join(cuda(), cudaLibraries[0]), 'no library');
    expect(missingCudaLibraries(cuda())).toMatch(/: libonnxruntime_providers_cuda\.so is not in/);
    await expect(runtimeBesideCuda(cuda(), join(folder, 'storage'))).rejects.toThrow(UserError);
    await writeFile(join(cuda(), cudaLibraries[1]), 'no library');
    expect(missingCudaLibraries(cuda())).toBe(null);
  });

  test('get a copy of the package beside them, once', async () => {
    const storage = join(folder, 'storage');
    const runtime = await runtimeBesideCuda(cuda(), storage);
    expect(await runtimeBesideCuda(cuda(), storage)).toBe(runtime);
    expect(await readdir(join(storage, 'runtime'))).toHaveLength(1);
    const binaries = join(runtime, 'node_modules', 'onnxruntime-node', 'bin', 'napi-v6', 'linux', 'x64');
    expect((await readdir(binaries)).sort()).toEqual(
      [...cudaLibraries, 'libonnxruntime.so.1', 'onnxruntime_binding.node'].sort(),
    );
    expect(await readFile(join(binaries, cudaLibraries[1]), 'utf8')).toBe('no library');
    // The package's own folder is left alone: it may be read-only, and updates replace it.
    expect(await readdir(join(packageFolder(), 'bin', 'napi-v6', 'linux', 'x64'))).not.toContain(cudaLibraries[1]);
  });

  test('that cannot be loaded end in a sentence, and the CPU runs from the copy', { timeout: 60_000 }, async () => {
    const own = join(folder, 'model');
    await writeModel(own, tinyDecoder());
    const program = await bundleChild();
    const job = { folder: own, ids: someIds(60, 300), tokens: 2 };
    const choice = { provider: 'cuda', storage: join(folder, 'storage') } as const;
    const without = await runChild(program, { ...job, choice: { ...choice, cudaFolder: null } }, {});
    const broken = await runChild(program, { ...job, choice: { ...choice, cudaFolder: cuda() } }, {});
    await rm(program, { force: true });
    for (const { code, result, stderr } of [without, broken]) {
      expect(code, stderr).toBe(0);
      expect(result?.facts.provider).toBe('cpu');
      expect(result?.facts.attempts[0]?.failure).toMatch(
        /^CUDA 12 and cuDNN 9 are needed, and ONNX Runtime's CUDA libraries/,
      );
      expect(result?.facts.warnings[0]).toMatch(/^It runs on the CPU: CUDA 12/);
      expect(stderr).not.toMatch(/at .*\.[cm]?js:\d+/);
    }
    expect(broken.result?.whole.logprob).toEqual(without.result?.whole.logprob);
  });
});
