/** A Hub's listing and download against a real server of the same addresses: layouts, resume, hashes, hostile names. */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { modelsOf } from '../../../src/host/modelsInFolder.ts';
import {
  downloadedModels,
  downloadModel,
  folderOfModel,
  listHubFiles,
  removeModel,
  type HubFile,
  type HubModel,
} from '../../../src/host/replayerHub.ts';
import { defaultOf, modelsAmong } from '../../../src/protocol/modelFiles.ts';

const weights = Buffer.from('weights of a model '.repeat(200_000));
const text = (value: string): Buffer => Buffer.from(value);
const texts = { 'config.json': text('{"model_type":"llama"}'), 'tokenizer.json': text('{}') };
const below = (folder: string, files: Readonly<Record<string, Buffer>>): Readonly<Record<string, Buffer>> =>
  Object.fromEntries(Object.entries(files).map(([name, bytes]) => [`${folder}/${name}`, bytes]));
const genai = (part: string): Readonly<Record<string, Buffer>> => ({
  'genai_config.json': text('{}'),
  'model.onnx': text(`graph of ${part}`),
  'model.onnx.data': text(`weights of ${part}`),
  'tokenizer.json': text('{}'),
  'special_tokens_map.json': text('{}'),
});

/** Repositories in the layouts that there are. */
const repositories: Readonly<Record<string, Readonly<Record<string, Buffer>>>> = {
  'owner/name': {
    ...texts,
    'README.md': text('# A model'),
    'onnx/model.onnx': text('a graph'),
    'onnx/model.onnx_data': weights,
    'onnx/model_q4.onnx': text('a small graph'),
  },
  'owner/many': {
    ...texts,
    'chat_template.jinja': text('{{ messages }}'),
    'onnx/model.onnx': text('graph'),
    'onnx/model.onnx_data': text('x'.repeat(800)),
    'onnx/model.onnx_data_1': text('x'.repeat(700)),
    'onnx/model_fp16.onnx': text('graph'),
    'onnx/model_fp16.onnx_data': text('x'.repeat(750)),
    'onnx/model_q4.onnx': text('x'.repeat(300)),
    'onnx/model_q4f16.onnx': text('x'.repeat(250)),
    'onnx/model_quantized.onnx': text('x'.repeat(400)),
  },
  'owner/genai': {
    'README.md': text('# A model'),
    ...below('cpu_and_mobile/cpu-int4-rtn-block-32-acc-level-4', genai('cpu')),
    ...below('cuda/cuda-fp16', genai('cuda')),
    'cuda/cuda-fp16/phi-vision.onnx': text('x'.repeat(900)),
  },
  'owner/plain-genai': genai('whole'),
  'owner/optimum': { ...texts, 'model.onnx': text('graph'), 'model.onnx_data': text('x'.repeat(500)) },
  'owner/split': {
    ...texts,
    'onnx/decoder_model_merged.onnx': text('graph'),
    'onnx/decoder_model_merged_q4.onnx': text('graph'),
    'onnx/decoder_with_past_model.onnx': text('graph'),
    'onnx/embed_tokens.onnx': text('embedder'),
    'onnx/embed_tokens_q4.onnx': text('small embedder'),
    'onnx/vision_encoder.onnx': text('x'.repeat(900)),
  },
  'owner/untold': { 'config.json': text('{}'), 'onnx/model.onnx': text('graph') },
  'owner/weights': { ...texts, 'model.safetensors': weights },
};
const content = repositories['owner/name'] ?? {};

const pageSize = 4;
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
    const listed = repositories[/^\/api\/models\/(\w+\/[\w-]+)\/tree\/main$/.exec(url.pathname)?.[1] ?? ''];
    if (listed !== undefined) {
      listPage(url, listed, answer);
      return;
    }
    const [, repository = '', name = ''] =
      /^\/(\w+\/[\w-]+)\/resolve\/main\/(.+)$/.exec(decodeURIComponent(url.pathname)) ?? [];
    const bytes = repository === 'owner/name' ? served[name] : repositories[repository]?.[name];
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

/** A Hub lists in pages, and links to the next one. */
function listPage(url: URL, files: Readonly<Record<string, Buffer>>, answer: ServerResponse): void {
  const entries = Object.entries(files).map(([name, bytes]) => entryOf(name, bytes));
  const first = Number(url.searchParams.get('cursor') ?? 0);
  answer.setHeader('content-type', 'application/json');
  if (first + pageSize < entries.length) {
    const next = new URL(url);
    next.searchParams.set('cursor', String(first + pageSize));
    answer.setHeader('link', `<${endpoint}${next.pathname}${next.search}>; rel="next"`);
  }
  answer.end(JSON.stringify(entries.slice(first, first + pageSize)));
}

function entryOf(name: string, bytes: Buffer): object {
  const oid = createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const lfs = bytes.length > 1000 ? { lfs: { oid: sha256, size: bytes.length, pointerSize: 130 } } : {};
  return { type: 'file', path: name, size: bytes.length, oid, ...lfs };
}

const from = (repository = 'owner/name') => ({ endpoint, repository });
const messages = {
  wrongHash: (file: string) => ({ message: `hash of ${file}`, action: 'again' }),
  missing: (file: string) => ({ message: `no ${file}`, action: 'other' }),
};

async function modelOf(suffix: string, repository?: string): Promise<HubModel> {
  const found = modelsAmong(await listHubFiles(from(repository))).find((one) => one.suffix === suffix);
  if (found === undefined) throw new Error(`no model ${suffix}`);
  return found;
}

interface Wish {
  readonly signal?: AbortSignal;
  readonly repository?: string;
}

function download(model: HubModel, folder: string, { signal, repository }: Wish = {}) {
  const shares: number[] = [];
  const done = downloadModel({
    from: from(repository),
    model,
    folder,
    messages,
    signal: signal ?? new AbortController().signal,
    progress: (bytes, all) => void shares.push(bytes / all),
  });
  return done.then(() => shares);
}

const whole = async (root: string) => (await downloadedModels(root)).filter((model) => model.whole);

describe('the models of a repository', () => {
  const listed = async (repository: string) => modelsAmong(await listHubFiles(from(repository)));

  it('transformers.js: one a precision, nearest to the policy first, data files in their sizes', async () => {
    const models = await listed('owner/many');
    const textBytes = 22 + 2 + 14;
    expect(models.map(({ layout, suffix, precision, sizeBytes }) => [layout, suffix, precision, sizeBytes])).toEqual([
      ['transformers.js', '', 'f32', 5 + 800 + 700 + textBytes],
      ['transformers.js', '_fp16', 'f16', 5 + 750 + textBytes],
      ['transformers.js', '_quantized', 'q8', 400 + textBytes],
      ['transformers.js', '_q4', 'q4', 300 + textBytes],
      ['transformers.js', '_q4f16', 'q4f16', 250 + textBytes],
    ]);
    expect(models[0]?.files.map(({ path: name }) => name)).toEqual([
      'onnx/model.onnx',
      'onnx/model.onnx_data',
      'onnx/model.onnx_data_1',
      'config.json',
      'tokenizer.json',
      'chat_template.jinja',
    ]);
  });

  it('genai: one a folder with genai_config.json, for the CPU first, without encoders of pictures', async () => {
    const models = await listed('owner/genai');
    expect(models.map(({ layout, folder, precision }) => [layout, folder, precision])).toEqual([
      ['genai', 'cpu_and_mobile/cpu-int4-rtn-block-32-acc-level-4', 'q4'],
      ['genai', 'cuda/cuda-fp16', 'f16'],
    ]);
    for (const { files, folder, graph, sizeBytes } of models) {
      expect(graph).toBe('model.onnx');
      expect(files.map(({ path: name }) => path.posix.relative(folder, name)).sort()).toEqual(
        Object.keys(genai('')).sort(),
      );
      expect(sizeBytes).toBe(files.reduce((sum, file) => sum + file.sizeBytes, 0));
    }
    expect((await listed('owner/plain-genai')).map(({ layout, folder }) => [layout, folder])).toEqual([['genai', '']]);
  });

  it('optimum: model.onnx beside its texts', async () => {
    const [model, ...others] = await listed('owner/optimum');
    expect(others).toEqual([]);
    expect(model).toMatchObject({ layout: 'optimum', folder: '', suffix: '', sizeBytes: 5 + 500 + 22 + 2 });
  });

  it('vision-language: the merged decoder and the embedder of its precision, no encoder', async () => {
    const models = await listed('owner/split');
    expect(models.map(({ files }) => files.slice(0, 2).map(({ path: name }) => name))).toEqual([
      ['onnx/decoder_model_merged.onnx', 'onnx/embed_tokens.onnx'],
      ['onnx/decoder_model_merged_q4.onnx', 'onnx/embed_tokens_q4.onnx'],
    ]);
  });

  it.each(['owner/untold', 'owner/weights'])('%s: none that can be replayed', async (repository) => {
    expect(await listed(repository)).toEqual([]);
  });

  it('are asked for one by one: there is one default, the first that fits into memory', async () => {
    const models = await listed('owner/many');
    expect(defaultOf(models, 1_000_000)?.suffix).toBe('');
    expect(defaultOf(models, 1_000)?.suffix).toBe('_quantized');
    expect(defaultOf(models, 10)?.suffix).toBe('_q4f16');
    expect(defaultOf([], 10)).toBeUndefined();
  });
});

describe('a model of a Hub', () => {
  it('is loaded whole, listed, and removed', async () => {
    const folder = folderOfModel(path.join(root, 'whole'), 'owner/name', await modelOf(''));
    const shares = await download(await modelOf(''), folder);
    expect(shares.at(-1)).toBe(1);
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
    expect((await readFile(path.join(folder, 'onnx/model.onnx_data'))).equals(weights)).toBe(true);
    expect(await downloadedModels(path.join(root, 'whole'))).toMatchObject([
      { folder, repository: 'owner/name', inside: '', suffix: '', precision: 'f32', endpoint, whole: true },
    ]);
    await removeModel(folder);
    expect(await downloadedModels(path.join(root, 'whole'))).toEqual([]);
  });

  it('goes on where it stopped', async () => {
    const folder = path.join(root, 'resumed');
    await mkdir(path.join(folder, 'onnx'), { recursive: true });
    await writeFile(path.join(folder, 'onnx/model.onnx_data.partial-download'), weights.subarray(0, 3_000_000));
    await download(await modelOf(''), folder);
    expect(asked.filter((one) => one.startsWith('onnx/model.onnx_data bytes=3000000-'))).toHaveLength(1);
    expect((await readFile(path.join(folder, 'onnx/model.onnx_data'))).equals(weights)).toBe(true);
    // What is there and right is not loaded again.
    asked = [];
    await download(await modelOf(''), folder);
    expect(asked).toEqual([]);
  });

  it.each(['onnx/model.onnx_data', 'config.json'])('with a damaged %s is not taken', async (name) => {
    const folder = path.join(root, `damaged ${path.basename(name)}`, 'model');
    const bytes = Buffer.from(content[name] ?? '');
    bytes[0] = 0;
    served[name] = bytes;
    await expect(download(await modelOf(''), folder)).rejects.toMatchObject({ message: `hash of ${name}` });
    expect(await whole(path.dirname(folder))).toEqual([]);
    served = { ...content };
    await download(await modelOf(''), folder);
    expect(await whole(path.dirname(folder))).toHaveLength(1);
  });

  it('that is cancelled is not whole, and goes on later', async () => {
    const own = path.join(root, 'cancelled');
    const folder = path.join(own, 'owner__name');
    const abort = new AbortController();
    abort.abort();
    const cancelled = download(await modelOf('_q4'), folder, { signal: abort.signal });
    await expect(cancelled).rejects.toMatchObject({ name: 'AbortError' });
    expect(await downloadedModels(own)).toMatchObject([{ repository: 'owner/name', suffix: '_q4', whole: false }]);
    await download(await modelOf('_q4'), folder);
    expect(await downloadedModels(own)).toMatchObject([{ suffix: '_q4', whole: true }]);
  });

  it('of a folder of the repository is found in its own folder, as the replayer wants it', async () => {
    const own = path.join(root, 'genai');
    const repository = 'owner/genai';
    const [first] = modelsAmong(await listHubFiles(from(repository)));
    if (first === undefined) throw new Error('no model');
    const folder = folderOfModel(own, repository, first);
    expect(path.basename(folder)).toBe('owner__genai__cpu_and_mobile__cpu-int4-rtn-block-32-acc-level-4');
    await download(first, folder, { repository });
    expect(await modelsOf(folder)).toMatchObject([
      { layout: 'genai', folder, suffix: '', file: path.join(folder, 'model.onnx') },
    ]);
    expect(await readFile(path.join(folder, 'model.onnx.data'), 'utf8')).toBe('weights of cpu');
    expect(await downloadedModels(own)).toMatchObject([{ inside: first.folder, precision: 'q4', whole: true }]);
  });

  it('never writes outside its folder', async () => {
    const file: HubFile = { path: '../escaped.json', sizeBytes: 2, sha256: null, gitHash: null };
    const hostile: HubModel = {
      layout: 'transformers.js',
      folder: '',
      suffix: '',
      graph: '',
      precision: null,
      files: [file],
      sizeBytes: 2,
    };
    await expect(download(hostile, path.join(root, 'hostile'))).rejects.toThrow(/leads out/);
    const deeper = { ...hostile, folder: 'deep/er' };
    await expect(download(deeper, path.join(root, 'hostile'))).rejects.toThrow(/leads out/);
    expect(folderOfModel('/models', '../../etc', hostile)).toMatch(/^.models.__[^/]*$/);
  });
});
