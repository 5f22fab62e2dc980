/**
 * ONNX Runtime beside CUDA's provider libraries. It looks for libonnxruntime_providers_cuda.so in the folder that it was
 * loaded from itself, nowhere else, and the package's folder is not ours to write to. So the package is copied once to
 * storage and the libraries are linked into that copy. dlopen takes the dependency of a binding (libonnxruntime.so.1) from
 * the binding's own folder ($ORIGIN), unless one of that name is loaded already: the copy must be the first of a process.
 * Owned by local.ts. Leaves out downloading the libraries, and loading (ortSession.ts).
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { cp, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { UserError } from '../base/errors.ts';
import { cudaNeeds } from './providers.ts';

/** What ONNX Runtime loads for CUDA on Linux. */
export const cudaLibraries = ['libonnxruntime_providers_shared.so', 'libonnxruntime_providers_cuda.so'] as const;

/** Why a folder cannot serve as CUDA's, a sentence; null where it can. A null folder is one that is not installed. */
export function missingCudaLibraries(folder: string | null): string | null {
  if (folder === null) return `${cudaNeeds}: they are not installed.`;
  if (!existsSync(folder)) return `${cudaNeeds}: the folder ${folder} is not there.`;
  const absent = cudaLibraries.filter((name) => !existsSync(join(folder, name)));
  return absent.length === 0
    ? null
    : `${cudaNeeds}: ${absent.join(' and ')} ${absent.length > 1 ? 'are' : 'is'} not in ${folder}.`;
}

/** Folder of the installed package, its links resolved as Node does. */
export function packageFolder(): string {
  // In the bundles esbuild.mjs puts the bundle's own path here.
  return resolve(dirname(createRequire(import.meta.filename).resolve('onnxruntime-node')), '..');
}

/**
 * Makes (once) a folder below `storage` with a copy of the package and links to the libraries of `cudaFolder`, and gives
 * its path, for openRuntime. Throws UserError where libraries are missing.
 */
export async function runtimeBesideCuda(cudaFolder: string, storage: string): Promise<string> {
  const missing = missingCudaLibraries(cudaFolder);
  if (missing !== null) throw new UserError(missing);
  const from = packageFolder();
  const manifest: unknown = JSON.parse(await readFile(join(from, 'package.json'), 'utf8'));
  const libraries = readdirSync(cudaFolder).filter((name) => /\.so(\.|$)/.test(name));
  const identity = libraries.map((name) => {
    const { size, mtimeMs } = statSync(join(cudaFolder, name));
    return [name, size, mtimeMs];
  });
  const key = createHash('sha256')
    .update(JSON.stringify([manifest, resolve(cudaFolder), identity]))
    .digest('hex');
  const folder = join(storage, 'runtime', key.slice(0, 16));
  if (existsSync(join(folder, 'complete'))) return folder;
  const temporary = `${folder}.${process.pid}`;
  await rm(temporary, { recursive: true, force: true });
  const to = join(temporary, 'node_modules', 'onnxruntime-node');
  const binaries = join('bin', 'napi-v6', process.platform, process.arch);
  await mkdir(join(to, binaries), { recursive: true });
  for (const part of ['package.json', 'dist', binaries]) {
    await cp(join(from, part), join(to, part), { recursive: true, dereference: true });
  }
  const common = resolve(dirname(createRequire(join(from, 'package.json')).resolve('onnxruntime-common')), '..', '..');
  await cp(common, join(temporary, 'node_modules', 'onnxruntime-common'), { recursive: true, dereference: true });
  for (const name of libraries) {
    if (!existsSync(join(to, binaries, name))) await symlink(resolve(cudaFolder, name), join(to, binaries, name));
  }
  await writeFile(join(temporary, 'package.json'), '{"private": true}\n');
  await writeFile(join(temporary, 'complete'), '');
  await rename(temporary, folder).catch(async (error: unknown) => {
    // Another process was first.
    await rm(temporary, { recursive: true, force: true });
    if (!existsSync(join(folder, 'complete'))) throw error;
  });
  return folder;
}
