/** A Hub's listing and download against a real server of the same addresses: variants, resume, hashes, hostile names. */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  downloadedModels,
  downloadModel,
  folderOfModel,
  listHubFiles,
  removeModel,
  variantsOf,
  type HubFile,
  type ModelVariant,
} from '../../../src/host/replayerHub.ts';

const weights = Buffer.from('weights of a model '.repeat(200_000));
const content: Readonly<Record<string, Buffer>> = {
  'config.json': Buffer.from('{"model_type":"llama"}'),
  'tokenizer.json': Buffer.from('{}'),
  'README.md': Buffer.from('# A model'),
  'onnx/model.onnx': Buffer.from('a graph'),
  'onnx/model.onnx_data': weights,
  'onnx/model_q4.onnx': Buffer.from('a small graph'),
};

let server: Server;
let endpoint = '';
let root = '';
/** Ranges that were asked for, by file. */
let asked: string[] = [];
let served: Record<string, Buffer> = {};

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'rollout-lens-'));
  server = createServer((request, answer) => {
    const url = new URL(request.url ?? '', 'http://hub');
    if (url.pathname === '/api/models/owner/name/tree/main') {
      answer.setHeader('content-type', 'application/json');
      answer.end(JSON.stringify(Object.entries(content).map(([name, bytes]) => entryOf(name, bytes))));
      return;
    }
    const name = /^\/owner\/name\/resolve\/main\/(.+)$/.exec(decodeURIComponent(url.pathname))?.[1] ?? '';
    const bytes = served[name];
    if (bytes === undefined) {
      answer.statusCode = 404;
      answer.end();
      return;
    }
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
    asked.push(`${name} ${request.headers.range ?? 'whole'}`);
    answer.setHeader('etag', '"e"');
    const first = Number(range?.[1] ?? 0);
    const last = range?.[2] ? Math.min(Number(range[2]), bytes.length - 1) : bytes.length - 1;
    if (range) {
      answer.statusCode = 206;
      answer.setHeader('content-range', `bytes ${first}-${last}/${bytes.length}`);
    }
    answer.setHeader('content-length', last - first + 1);
    answer.end(bytes.subarray(first, last + 1));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  endpoint = `http://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}`;
});
beforeEach(() => {
  asked = [];
  served = { ...content };
});
afterAll(async () => {
  server.close();
  await rm(root, { recursive: true, force: true });
});

function entryOf(name: string, bytes: Buffer): object {
  const oid = createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const lfs = bytes.length > 1000 ? { lfs: { oid: sha256, size: bytes.length, pointerSize: 130 } } : {};
  return { type: 'file', path: name, size: bytes.length, oid, ...lfs };
}

const from = () => ({ endpoint, repository: 'owner/name' });
const messages = {
  wrongHash: (file: string) => ({ message: `hash of ${file}`, action: 'again' }),
  missing: (file: string) => ({ message: `no ${file}`, action: 'other' }),
};

async function variant(suffix: string): Promise<ModelVariant> {
  const found = variantsOf(await listHubFiles(from())).find((one) => one.suffix === suffix);
  if (found === undefined) throw new Error(`no variant ${suffix}`);
  return found;
}

function download(of: ModelVariant, folder: string, signal = new AbortController().signal) {
  const shares: number[] = [];
  const done = downloadModel({
    from: from(),
    variant: of,
    folder,
    messages,
    signal,
    progress: (bytes, all) => void shares.push(bytes / all),
  });
  return done.then(() => shares);
}

describe('a model of a Hub', () => {
  it('is a graph with its weights and the texts beside it; the smallest comes first', async () => {
    const variants = variantsOf(await listHubFiles(from()));
    expect(variants.map(({ suffix }) => suffix)).toEqual(['_q4', '']);
    expect(variants[1]?.files.map(({ path: name }) => name)).toEqual([
      'onnx/model.onnx',
      'onnx/model.onnx_data',
      'config.json',
      'tokenizer.json',
    ]);
    expect(variants[1]?.sizeBytes).toBe(weights.length + 7 + 22 + 2);
  });

  it('is loaded whole, listed, and removed', async () => {
    const folder = folderOfModel(path.join(root, 'whole'), 'owner/name', '');
    const shares = await download(await variant(''), folder);
    expect(shares.at(-1)).toBe(1);
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
    expect((await readFile(path.join(folder, 'onnx/model.onnx_data'))).equals(weights)).toBe(true);
    expect(await downloadedModels(path.join(root, 'whole'))).toMatchObject([{ folder, repository: 'owner/name' }]);
    await removeModel(folder);
    expect(await downloadedModels(path.join(root, 'whole'))).toEqual([]);
  });

  it('goes on where it stopped', async () => {
    const folder = path.join(root, 'resumed');
    await mkdir(path.join(folder, 'onnx'), { recursive: true });
    await writeFile(path.join(folder, 'onnx/model.onnx_data.partial-download'), weights.subarray(0, 3_000_000));
    await download(await variant(''), folder);
    expect(asked.filter((one) => one.startsWith('onnx/model.onnx_data bytes=3000000-'))).toHaveLength(1);
    expect((await readFile(path.join(folder, 'onnx/model.onnx_data'))).equals(weights)).toBe(true);
    // What is there and right is not loaded again.
    asked = [];
    await download(await variant(''), folder);
    expect(asked).toEqual([]);
  });

  it.each(['onnx/model.onnx_data', 'config.json'])('with a damaged %s is not taken', async (name) => {
    const folder = path.join(root, `damaged ${path.basename(name)}`, 'model');
    const bytes = Buffer.from(content[name] ?? '');
    bytes[0] = 0;
    served[name] = bytes;
    await expect(download(await variant(''), folder)).rejects.toMatchObject({ message: `hash of ${name}` });
    expect(await downloadedModels(path.dirname(folder))).toEqual([]);
    served = { ...content };
    await download(await variant(''), folder);
    expect(await downloadedModels(path.dirname(folder))).toHaveLength(1);
  });

  it('that is cancelled is not listed, and can be loaded later', async () => {
    const folder = path.join(root, 'cancelled', 'owner__name');
    const abort = new AbortController();
    abort.abort();
    await expect(download(await variant('_q4'), folder, abort.signal)).rejects.toMatchObject({ name: 'AbortError' });
    expect(await downloadedModels(path.join(root, 'cancelled'))).toEqual([]);
    await download(await variant('_q4'), folder);
    expect(await downloadedModels(path.join(root, 'cancelled'))).toHaveLength(1);
  });

  it('never writes outside its folder', async () => {
    const file: HubFile = { path: '../escaped.json', sizeBytes: 2, sha256: null, gitHash: null };
    await expect(download({ suffix: '', files: [file], sizeBytes: 2 }, path.join(root, 'hostile'))).rejects.toThrow(
      /leads out/,
    );
    expect(folderOfModel('/models', '../../etc', '')).toMatch(/^.models.__[^/]*$/);
  });
});
