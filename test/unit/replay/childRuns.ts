/** Runs localChild.ts as a process with an environment of its own; and the software GPU, where Debian's driver is there. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { BackendFacts, ModelChoice } from '../../../src/protocol/replay.ts';
import { root } from '../sources.ts';
import type { Scores } from './tinyFolders.ts';

/** What a child does with a folder. */
export interface ChildJob {
  readonly folder: string;
  readonly choice: Partial<Extract<ModelChoice, { kind: 'local' }>>;
  readonly ids: readonly number[];
  /** Tokens of the greedy sample. */
  readonly tokens: number;
}

/** What it says. */
export interface ChildResult {
  readonly facts: BackendFacts;
  readonly whole: Scores;
  readonly forked: readonly number[];
  readonly greedy: readonly number[];
  readonly samples: readonly (readonly number[])[];
  /** Resident bytes at each token of the greedy sample. */
  readonly memory: readonly number[];
}

/** How a process ended. */
export interface ChildRun {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stderr: string;
  readonly result: ChildResult | null;
}

/** Chromium's Vulkan driver in software; Debian puts it there. */
const softwareDriver = '/usr/lib/chromium/vk_swiftshader_icd.json';

/** Environment of a process that is to see the software GPU and no other; null where this machine has none. */
export function softwareGpu(): Readonly<Record<string, string>> | null {
  const loader = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib64', '/usr/lib'];
  const there = existsSync(softwareDriver) && loader.some((folder) => existsSync(join(folder, 'libvulkan.so.1')));
  return there ? { VK_ICD_FILENAMES: softwareDriver, XDG_RUNTIME_DIR: '/tmp' } : null;
}

/** Bundles the child's program next to the packages it needs; gives its path. */
export async function bundleChild(): Promise<string> {
  const outfile = join(root, 'out', 'unit', `localChild-${process.pid}.mjs`);
  await build({
    entryPoints: [join(import.meta.dirname, 'localChild.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'error',
  });
  return outfile;
}

/** Runs the program to its end. */
export async function runChild(
  program: string,
  job: ChildJob,
  environment: Readonly<Record<string, string>>,
): Promise<ChildRun> {
  const child = spawn(process.execPath, [program, JSON.stringify(job)], {
    env: { ...process.env, NODE_OPTIONS: '', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve, reject) => {
    child.once('error', reject).once('close', (exit, by) => resolve([exit, by]));
  });
  const line = output.stdout.trim().split('\n').at(-1) ?? '';
  const result = code === 0 ? (JSON.parse(line) as ChildResult) : null;
  return { code, signal, stderr: output.stderr, result };
}
