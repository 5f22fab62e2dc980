/**
 * Execution providers: which are worth trying on a machine, in which order, and what a failure means in one sentence.
 * ONNX Runtime's own list is compile-time, and a list of several does not fall through; so they are tried one at a time.
 * Owned by local.ts. Leaves out trying them, and judging their numbers (selfTest.ts).
 */
import { readFileSync } from 'node:fs';
import { messageOf, UserError } from '../base/errors.ts';
import type { ProviderName } from '../protocol/replay.ts';

/** Provider as the field writes it. */
export const providerNames: Readonly<Record<ProviderName, string>> = {
  cpu: 'the CPU',
  webgpu: 'WebGPU',
  cuda: 'CUDA',
  dml: 'DirectML',
  coreml: 'Core ML',
};

/** A platform and architecture as Node names them. */
export interface Machine {
  readonly platform: string;
  readonly architecture: string;
}

/** Providers worth trying, best first; the CPU is always last. WebGPU leads: it alone keeps caches on the GPU. */
export function providersOf({ platform, architecture }: Machine): readonly ProviderName[] {
  if (platform === 'win32') return ['webgpu', 'dml', 'cpu'];
  if (platform === 'darwin') return ['webgpu', 'coreml', 'cpu'];
  // The package has no GPU build for Linux on ARM.
  return architecture === 'x64' ? ['webgpu', 'cuda', 'cpu'] : ['cpu'];
}

/** What CUDA needs, said the same wherever it is missing. */
export const cudaNeeds = 'CUDA 12 and cuDNN 9 are needed, and ONNX Runtime\'s CUDA libraries ("Install CUDA Support…")';

/** What a failed attempt or run means. Never a stack: unknown failures give the first line of the library's message. */
export function failureSentence(provider: ProviderName, error: unknown): string {
  if (error instanceof UserError) return error.message;
  const message = messageOf(error);
  // Linux names the library that it could not open, Windows the one that another depends on.
  const library =
    /([\w.+-]+\.so[\w.]*): cannot open/.exec(message)?.[1] ?? /([\w.+-]+\.dll)"? which is missing/.exec(message)?.[1];
  if (/Failed to allocate|bad_alloc|BFCArena|out of memory|Invalid Buffer/i.test(message)) {
    return `There is not enough memory for this model and text with ${providerNames[provider]}: choose a smaller variant or chunk.`;
  }
  switch (provider) {
    case 'webgpu':
      return webgpuSentence(message);
    case 'cuda':
      if (library !== undefined) return `${cudaNeeds}: ${library} was not found.`;
      if (/driver version is insufficient|no CUDA-capable device/i.test(message)) {
        return 'No NVIDIA GPU with a driver for CUDA 12 was found.';
      }
      if (/Failed to load|providers_(cuda|shared)|not enabled|not available/i.test(message)) return `${cudaNeeds}.`;
      return firstLine('CUDA', message);
    case 'dml':
    case 'coreml':
    case 'cpu':
      return /backend not found|not available|not supported|not enabled/i.test(message)
        ? `This build of ONNX Runtime has no ${providerNames[provider].replace('the ', '')} for this machine.`
        : firstLine(provider === 'cpu' ? 'The CPU' : providerNames[provider], message);
  }
}

function webgpuSentence(message: string): string {
  if (/requires f16|shader-f16|float16.*not support/i.test(message)) {
    return 'The GPU has no 16-bit floats for WebGPU: choose a variant without "f16", or another provider.';
  }
  if (/adapter|Vulkan|instance/i.test(message)) {
    return process.platform === 'linux'
      ? 'No Vulkan driver was found: WebGPU needs libvulkan1 and the Vulkan driver of the GPU (in a container, the "graphics" capability).'
      : 'No GPU adapter was found for WebGPU.';
  }
  if (/backend not found|not available|not enabled/i.test(message))
    return 'This build of ONNX Runtime has no WebGPU for this machine.';
  return firstLine('WebGPU', message);
}

const longestReason = 200;

function firstLine(name: string, message: string): string {
  const line = message.split('\n')[0] ?? '';
  return `${name} failed: ${line.length > longestReason ? `${line.slice(0, longestReason)}…` : line}`;
}

/** Vulkan drivers that compute on the CPU, by what their library is called. */
const softwareDrivers: readonly (readonly [library: RegExp, name: string])[] = [
  [/libvk_swiftshader\.so/, 'SwiftShader'],
  [/libvulkan_lvp\.so/, 'lavapipe'],
];
const hardwareDrivers = /libGLX_nvidia|libnvidia-vulkan|libvulkan_(radeon|intel|nouveau|asahi|freedreno)|amdvlk/;

/** Name of the software adapter that WebGPU got, null where there may be a real GPU. Linux only: by what is mapped. */
export function softwareAdapter(): string | null {
  try {
    const mapped = readFileSync('/proc/self/maps', 'utf8');
    if (hardwareDrivers.test(mapped)) return null;
    return softwareDrivers.find(([library]) => library.test(mapped))?.[1] ?? null;
  } catch {
    return null;
  }
}
