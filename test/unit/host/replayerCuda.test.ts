/** CUDA's libraries: what onnxruntime-node's install step names, and a feed of the same protocol on this machine. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  copyCuda,
  cudaLibraries,
  downloadCuda,
  findCudaPackage,
  installedCuda,
  type CudaLibraries,
} from '../../../src/host/replayerCuda.ts';
import { zipOf } from './zipOf.ts';

const names = [
  'libonnxruntime_providers_cuda.so',
  'libonnxruntime_providers_shared.so',
  'libonnxruntime_providers_tensorrt.so',
];
let server: Server;
let root = '';
let feed = '';
let archive: Buffer = Buffer.alloc(0);
let hash = '';
/** Ranges that were asked of the package, and how the server behaves. */
let asked: string[] = [];
let breaksAfter: number | null = null;
let givesParts = true;

function ours(): CudaLibraries {
  const libraries = cudaLibraries('linux', 'x64');
  if (libraries === null) throw new Error('no libraries');
  return libraries;
}
const local = (): CudaLibraries => ({ ...ours(), feed });
const signal = new AbortController().signal;

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'rollout-lens-'));
  archive = zipOf({
    'LICENSE.txt': randomBytes(400_000).toString('base64'),
    ...Object.fromEntries(names.map((name) => [`runtimes/linux-x64/native/${name}`, `library ${name}`])),
  });
  hash = createHash('sha512').update(archive).digest('base64');
  server = createServer((request, answer) => {
    const at = `http://${request.headers.host ?? ''}`;
    const id = 'microsoft.ml.onnxruntime.gpu.linux';
    const { version } = ours();
    const pages: Record<string, unknown> = {
      '/v3/index.json': {
        resources: [
          { '@id': `${at}/registration/`, '@type': 'RegistrationsBaseUrl/3.6.0' },
          { '@id': `${at}/flat`, '@type': 'PackageBaseAddress/3.0.0' },
        ],
      },
      [`/registration/${id}/${version}.json`]: { catalogEntry: `${at}/catalog.json` },
      '/catalog.json': { packageHash: hash, packageHashAlgorithm: 'SHA512', packageSize: archive.length },
    };
    if (request.url === `/flat/${id}/${version}/${id}.${version}.nupkg`) givePackage(request, answer);
    else if (request.url !== undefined && request.url in pages) answer.end(JSON.stringify(pages[request.url]));
    else {
      answer.statusCode = 404;
      answer.end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  feed = `http://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}/v3/index.json`;
});
afterAll(async () => {
  server.close();
  await rm(root, { recursive: true, force: true });
});

beforeEach(() => {
  [asked, breaksAfter, givesParts] = [[], null, true];
});

function givePackage(request: IncomingMessage, answer: ServerResponse): void {
  const { range } = request.headers;
  asked.push(range ?? 'whole');
  const first = givesParts ? Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0) : 0;
  if (first >= archive.length) {
    answer.statusCode = 416;
    answer.end();
    return;
  }
  if (range !== undefined && givesParts) {
    answer.statusCode = 206;
    answer.setHeader('content-range', `bytes ${first}-${archive.length - 1}/${archive.length}`);
  }
  answer.setHeader('content-length', archive.length - first);
  if (breaksAfter === null) answer.end(archive.subarray(first));
  else answer.write(archive.subarray(first, first + breaksAfter), () => setTimeout(() => answer.destroy(), 50));
}

describe('the libraries', () => {
  it('are those of the version of ONNX Runtime that is installed, as its own install step names them', () => {
    const require = createRequire(import.meta.url);
    const { version } = require('onnxruntime-node/package.json') as { version: string };
    expect(ours()).toMatchObject({ packageName: 'Microsoft.ML.OnnxRuntime.Gpu.Linux', version });
    expect(Object.keys(ours().files).sort()).toEqual(names);
  });
  it.each([
    ['darwin', 'arm64'],
    ['win32', 'x64'],
    ['linux', 'arm64'],
  ])('are none on %s %s', (platform, architecture) => {
    expect(cudaLibraries(platform, architecture)).toBeNull();
  });
});

describe('a download', () => {
  it('says its size before, is checked, and is there whole', async () => {
    const folder = path.join(root, 'downloaded');
    const from = await findCudaPackage(local(), signal);
    expect(from).toMatchObject({ sizeBytes: archive.length, sha512: hash });
    expect(await installedCuda(folder, ours())).toBeNull();
    const shares: number[] = [];
    await downloadCuda({
      libraries: local(),
      from,
      folder,
      signal,
      progress: (done, of) => void shares.push(done / of),
    });
    expect(shares.at(-1)).toBe(1);
    expect(await installedCuda(folder, ours())).toBe(folder);
    expect((await readdir(folder)).sort()).toEqual(['.installed.json', ...names]);
    expect(await readFile(path.join(folder, names[0] ?? ''), 'utf8')).toBe(`library ${names[0] ?? ''}`);
    expect(await installedCuda(folder, { ...ours(), version: '1.0.0' })).toBeNull();
  });

  it('whose hash differs leaves nothing', async () => {
    const folder = path.join(root, 'damaged');
    const from = await findCudaPackage(local(), signal);
    const damaged = downloadCuda({
      libraries: local(),
      from: { ...from, sha512: 'other' },
      folder,
      signal,
      progress: () => undefined,
    });
    await expect(damaged).rejects.toMatchObject({ kind: 'wrong hash' });
    expect(await readdir(folder)).toEqual([]);
  });

  it('that breaks goes on where it broke, and is checked as a whole', async () => {
    const folder = path.join(root, 'broken');
    const from = await findCudaPackage(local(), signal);
    const shares: number[] = [];
    const options = {
      libraries: local(),
      from,
      folder,
      signal,
      progress: (done: number, of: number) => void shares.push(done / of),
    };
    breaksAfter = 100_000;
    await expect(downloadCuda(options)).rejects.toThrow();
    await expect(downloadCuda(options)).rejects.toThrow();
    expect(await installedCuda(folder, ours())).toBeNull();
    expect(await readdir(folder)).toEqual([expect.stringMatching(/\.nupkg\.partial$/)]);
    breaksAfter = null;
    await downloadCuda(options);
    expect(asked).toEqual(['whole', 'bytes=100000-', 'bytes=200000-']);
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
    expect(shares.at(-1)).toBe(1);
    expect((await readdir(folder)).sort()).toEqual(['.installed.json', ...names]);
  });

  it('starts anew where the server gives no parts, or what is there is not of it', async () => {
    const folder = path.join(root, 'anew');
    const from = await findCudaPackage(local(), signal);
    const options = { libraries: local(), from, folder, signal, progress: () => undefined };
    breaksAfter = 100_000;
    await expect(downloadCuda(options)).rejects.toThrow();
    [breaksAfter, givesParts] = [null, false];
    await downloadCuda(options);
    expect(await installedCuda(folder, ours())).toBe(folder);
    await rm(folder, { recursive: true });

    // What is there is damaged: it is found out at the end, thrown away, and loaded from the start the next time.
    [breaksAfter, givesParts] = [100_000, true];
    await expect(downloadCuda(options)).rejects.toThrow();
    const [partial = ''] = await readdir(folder);
    await writeFile(path.join(folder, partial), Buffer.alloc(100_000));
    // Another version's beginning is nothing to go on from.
    await writeFile(path.join(folder, 'other.nupkg.partial'), 'other');
    breaksAfter = null;
    await expect(downloadCuda(options)).rejects.toMatchObject({ kind: 'wrong hash' });
    expect(await readdir(folder)).toEqual([]);
    asked = [];
    await downloadCuda(options);
    expect(asked).toEqual(['whole']);
    expect(await installedCuda(folder, ours())).toBe(folder);
  });

  it('that was cancelled is kept, and whole once it is there: nothing is asked again', async () => {
    const folder = path.join(root, 'cancelled');
    const from = await findCudaPackage(local(), signal);
    const controller = new AbortController();
    const options = { libraries: local(), from, folder, progress: () => undefined };
    breaksAfter = 100_000;
    const cancelled = downloadCuda({ ...options, signal: controller.signal, progress: () => controller.abort() });
    await expect(cancelled).rejects.toMatchObject({ name: 'AbortError' });
    const [partial = ''] = await readdir(folder);
    await writeFile(path.join(folder, partial), archive);
    asked = [];
    await downloadCuda({ ...options, signal });
    expect(asked).toEqual([]);
    expect(await installedCuda(folder, ours())).toBe(folder);
  });

  it('from a feed that is none, or lacks the package, is a problem with a name', async () => {
    await expect(findCudaPackage({ ...local(), feed: feed.replace('index', 'other') }, signal)).rejects.toMatchObject({
      kind: 'no feed',
    });
    await expect(findCudaPackage({ ...local(), packageName: 'Other' }, signal)).rejects.toMatchObject({
      kind: 'no feed',
    });
  });
});

describe('a folder', () => {
  it('is taken where both libraries are in it; TensorRT may be missing', async () => {
    const from = path.join(root, 'given');
    const folder = path.join(root, 'copied');
    await mkdir(from);
    await writeFile(path.join(from, names[0] ?? ''), 'cuda');
    await expect(copyCuda(ours(), from, folder)).rejects.toMatchObject({ kind: 'missing file' });
    expect(await installedCuda(folder, ours())).toBeNull();
    await writeFile(path.join(from, names[1] ?? ''), 'shared');
    await copyCuda(ours(), from, folder);
    expect(await installedCuda(folder, ours())).toBe(folder);
    expect(await readFile(path.join(folder, names[1] ?? ''), 'utf8')).toBe('shared');
  });
});
