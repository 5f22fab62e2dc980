/** Exports read back: each form as JSON lines and Parquet, pictures beside and inside, manifests, and nothing left behind. */
import { spawnSync } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CurationExport } from '../../../../src/protocol/curation.ts';
import { openDatabase, type Row } from '../../../../src/store/duckdb.ts';
import { literal } from '../../../../src/store/sqlText.ts';
import { testEngine, type TestEngine } from '../engineOfTests.ts';
import { dump, temporaryFolder, write } from '../logs.ts';
import { fixtureQuestion } from './curationOfTests.ts';

type Question = Awaited<ReturnType<typeof fixtureQuestion>>;
type Json = Record<string, unknown>;

const jsonl = { format: 'jsonl', form: 'messages', images: 'files' } as const;

async function exported(
  engine: TestEngine,
  question: Question,
  target: Omit<CurationExport, 'path'>,
): Promise<{
  readonly path: string;
  readonly rows: readonly Json[];
  readonly manifest: Json;
  readonly images: number;
}> {
  const path = join(await temporaryFolder(), `train.${target.format}`);
  const written = await engine.ask('exportCuration', { ...question, target: { ...target, path } });
  const manifest = JSON.parse(await readFile(written.manifest, 'utf8')) as Json;
  const rows = target.format === 'jsonl' ? linesOf(await readFile(path, 'utf8')) : await parquetRows(path);
  expect(rows).toHaveLength(written.rows);
  return { path, rows, manifest, images: written.images };
}

function linesOf(text: string): readonly Json[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Json);
}

async function parquetRows(path: string): Promise<readonly Json[]> {
  const database = await openDatabase({ temporaryFolder: dirname(path) });
  try {
    const rows: readonly Row[] = await database.rows({
      sql: `SELECT to_json(t)::VARCHAR AS text FROM read_parquet(${literal(path)}) t`,
    });
    return rows.map(({ text }) => JSON.parse(String(text)) as Json);
  } finally {
    await database.close();
  }
}

/** Without nulls, which Parquet has where JSON has no key. */
function bare(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(bare);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).flatMap(([key, one]) => (one === null ? [] : [[key, bare(one)]])));
}

/** A run whose log keeps the exact text: groups of four with 0 to 3 calls. */
async function metisRun(engine: TestEngine): Promise<Question> {
  const folder = await temporaryFolder();
  const calls = ['python', 'python', 'python'] as const;
  const lines = [1, 2, 3].flatMap((prompt) =>
    [0, 1, 2, 3].map((count) => ({ prompt, calls: calls.slice(0, count), right: !(prompt === 3 && count < 2) })),
  );
  await write(join(folder, '1.jsonl'), dump(...lines));
  const run = await engine.openAndRead(folder);
  const { config } = await fixtureQuestion(engine, 'sft', {
    off: ['near-duplicate', 'exact-duplicate'],
    toolFreeFrom: { kind: 'none' },
  });
  return { runs: [run.id], config };
}

describe('messages', () => {
  it('of a log of messages have structured calls, each with its result', async () => {
    const engine = await testEngine();
    const question = await fixtureQuestion(engine, 'sft');
    const { rows, manifest } = await exported(engine, question, jsonl);
    const { kept } = await engine.ask('funnel', question);
    expect(rows).toHaveLength(kept);
    const row = rows.find(({ answer }) => answer === '1874');
    expect(row).toMatchObject({
      messages: [
        { role: 'system' },
        { role: 'user', content: 'When was the lighthouse of Norby built?' },
        {
          role: 'assistant',
          content: '',
          tool_calls: [
            {
              id: 'call_1',
              type: 'function',
              function: { name: 'text_search', arguments: '{"query":"Norby lighthouse year built"}' },
            },
          ],
        },
        { role: 'tool', tool_call_id: 'call_1', content: expect.stringContaining('Built in 1874.') as string },
        { role: 'assistant', content: expect.stringContaining('1874') as string, tool_calls: [] },
      ],
      images: [],
      ground_truth: 'x',
      source_file: 'rows.jsonl',
      source_row: 15,
      step: 1,
      correct: true,
      calls: 1,
    });
    expect((rows[0]?.['messages'] as Json[]).some(({ tool_calls }) => (tool_calls as unknown[]).length > 0)).toBe(true);
    expect(manifest).toMatchObject({
      stage: 'sft',
      records: kept,
      config: question.config,
      funnel: { kept },
      runs: [{ readers: [{ format: 'generic', version: 2 }] }],
      versions: { filters: 2 },
    });
  });

  it('of a log that keeps the text are exactly that text', async () => {
    const engine = await testEngine();
    const question = await metisRun(engine);
    const { rows, manifest } = await exported(engine, question, jsonl);
    expect(rows).toHaveLength(12);
    const messages = rows[2]?.['messages'] as { role: string; content: string }[];
    expect(Object.keys(messages[0] ?? {})).toEqual(['role', 'content']);
    expect(messages.map(({ role }) => role).slice(0, 4)).toEqual(['system', 'user', 'assistant', 'user']);
    expect(messages.filter(({ content }) => content.includes('<tool_call>')).length).toBeGreaterThan(0);
    expect(messages.at(-1)?.content).toContain('<answer>');
    expect(JSON.stringify(messages)).not.toContain('<|im_start|>');
    expect(manifest['messages']).toBe('exact text of the log');
  });

  it('are the same in Parquet', async () => {
    const engine = await testEngine();
    for (const question of [await fixtureQuestion(engine, 'sft'), await metisRun(engine)]) {
      const lines = await exported(engine, question, jsonl);
      const table = await exported(engine, question, { ...jsonl, format: 'parquet' });
      expect(table.rows.map(bare)).toEqual(lines.rows.map(bare));
    }
  });
});

describe('prompts', () => {
  it('have the form of verl, with pictures as files that can be opened', async () => {
    const engine = await testEngine();
    const question = await fixtureQuestion(engine, 'rl');
    const { path, rows, images, manifest } = await exported(engine, question, { ...jsonl, form: 'verl' });
    const { kept } = await engine.ask('funnel', question);
    expect(rows).toHaveLength(kept);
    const shown = rows.filter((row) => (row['images'] as unknown[]).length > 0);
    expect(shown).toHaveLength(1);
    expect(images).toBe(1);
    expect(shown[0]).toMatchObject({
      prompt: [{ role: 'system' }, { role: 'user', content: '<image>Is the gate open in picture three?' }],
      ability: 'agent',
      reward_model: { style: 'rule', ground_truth: 'yes' },
      extra_info: { rollouts: 8, judged: 8, right: 4, source_file: 'rows.jsonl', source_row: 16 },
    });
    const [picture] = shown[0]?.['images'] as { image: string }[];
    const bytes = await readFile(join(dirname(path), picture?.image ?? ''));
    expect(bytes.subarray(1, 4).toString()).toBe('PNG');
    expect(manifest).toMatchObject({ images: { count: 1, as: 'files', folder: 'train.jsonl-images' } });
    // Each file has a folder of its own, so that neither export takes the other's pictures away.
    const table = await exported(engine, question, { ...jsonl, form: 'verl', format: 'parquet' });
    const inSameFolder = JSON.stringify(table.rows.map(bare)).replaceAll('train.parquet-images', 'train.jsonl-images');
    expect(JSON.parse(inSameFolder)).toEqual(rows.map(bare));
  });

  it('carry pictures inside where wanted', async () => {
    const engine = await testEngine();
    const question = await fixtureQuestion(engine, 'rl');
    const { path, rows } = await exported(engine, question, { ...jsonl, images: 'data URIs' });
    const uris = rows.flatMap((row) => row['images'] as string[]);
    expect(uris).toHaveLength(1);
    expect(uris[0]).toMatch(/^data:image\/png;base64,iVBOR/);
    expect(rows.find(({ images_missing }) => images_missing === 1)).toMatchObject({ images: [] });
    expect((await readdir(dirname(path))).sort()).toEqual(['train.jsonl', 'train.jsonl.manifest.json']);
  });
});

describe('preference pairs', () => {
  it('prefer the leanest right rollout of a group to right ones with more calls', async () => {
    const engine = await testEngine();
    const question = await metisRun(engine);
    const { rows } = await exported(engine, question, { ...jsonl, form: 'pairs' });
    const calls = rows.map(
      (row) => `${String(row['source_row'])}: ${String(row['chosen_calls'])} < ${String(row['rejected_calls'])}`,
    );
    expect(calls).toEqual(
      ['0: 0 < 3', '0: 0 < 2', '0: 0 < 1', '4: 0 < 3', '4: 0 < 2', '4: 0 < 1', '10: 2 < 3'].sort(byFirstCalls),
    );
    for (const row of rows) {
      const [prompt, chosen, rejected] = [row['prompt'], row['chosen'], row['rejected']] as { content: string }[][];
      expect(prompt?.at(-1)?.content).toContain('×');
      expect(chosen?.at(-1)?.content).toContain('<answer>');
      expect(rejected?.length).toBeGreaterThan(chosen?.length ?? 0);
    }
    const table = await exported(engine, question, { ...jsonl, form: 'pairs', format: 'parquet' });
    expect(table.rows.map(bare)).toEqual(rows.map(bare));
  });
});

/** A pair whose chosen side has calls stands first, so that loaders see the types. */
function byFirstCalls(a: string, b: string): number {
  const hasCalls = (text: string): number => (text.includes(': 0 ') ? 1 : 0);
  return hasCalls(a) - hasCalls(b);
}

describe('an export that does not end well', () => {
  it('leaves nothing behind when it is cancelled, wherever it stands', async () => {
    const engine = await testEngine();
    const question = await fixtureQuestion(engine, 'rl');
    for (const format of ['jsonl', 'parquet'] as const) {
      for (let events = 1; events <= 6; events += 1) {
        const folder = await temporaryFolder();
        const stop = new AbortController();
        const target = { ...jsonl, form: 'messages' as const, format, path: join(folder, `train.${format}`) };
        const under = Promise.resolve(engine.engine.handlers.exportCuration({ ...question, target }, stop.signal));
        setTimeout(() => {
          stop.abort();
        }, events * 4);
        const outcome = await under.then(
          () => 'written',
          () => 'cancelled',
        );
        const left = await readdir(folder);
        expect(left.filter((name) => name.includes('partial'))).toEqual([]);
        if (outcome === 'cancelled') expect(left).toEqual([]);
      }
    }
  });

  it('keeps the older file until the new one is complete, and replaces its pictures', async () => {
    const engine = await testEngine();
    const question = await fixtureQuestion(engine, 'rl');
    const folder = await temporaryFolder();
    const path = join(folder, 'train.jsonl');
    await writeFile(path, 'older\n');
    await mkdir(join(folder, 'train.jsonl-images'));
    await writeFile(join(folder, 'train.jsonl-images', 'older.png'), 'x');
    const stop = new AbortController();
    stop.abort();
    const target = { ...jsonl, form: 'verl' as const, path };
    await expect(
      Promise.resolve().then(() => engine.engine.handlers.exportCuration({ ...question, target }, stop.signal)),
    ).rejects.toThrow();
    expect(await readFile(path, 'utf8')).toBe('older\n');
    await engine.ask('exportCuration', { ...question, target });
    expect(await readdir(join(folder, 'train.jsonl-images'))).toHaveLength(1);
    expect((await readdir(folder)).sort()).toEqual(['train.jsonl', 'train.jsonl-images', 'train.jsonl.manifest.json']);
  });

  it('has a manifest of its own for each format', async () => {
    const engine = await testEngine();
    const question = await fixtureQuestion(engine, 'sft');
    const folder = await temporaryFolder();
    for (const format of ['jsonl', 'parquet'] as const) {
      const target = { ...jsonl, format, path: join(folder, `train.${format}`) };
      await engine.ask('exportCuration', { ...question, target });
    }
    for (const format of ['jsonl', 'parquet']) {
      const text = await readFile(join(folder, `train.${format}.manifest.json`), 'utf8');
      expect(JSON.parse(text)).toMatchObject({ file: `train.${format}`, format });
    }
  });

  it('says where there is nothing to write, and writes nothing', async () => {
    const engine = await testEngine();
    const question = await fixtureQuestion(engine, 'sft');
    const folder = await temporaryFolder();
    const path = join(folder, 'train.jsonl');
    await expect(
      engine.ask('exportCuration', { ...question, target: { ...jsonl, form: 'pairs', path } }),
    ).rejects.toThrow('No group has two right rollouts');
    expect(await readdir(folder)).toEqual([]);
  });

  it('says where it cannot write', async () => {
    const engine = await testEngine();
    const question = await fixtureQuestion(engine, 'sft');
    const folder = await temporaryFolder();
    await expect(
      engine.ask('exportCuration', { ...question, target: { ...jsonl, path: join(folder, 'no', 'train.jsonl') } }),
    ).rejects.toMatchObject({ name: 'UserError' });
    await expect(
      engine.ask('exportCuration', { ...question, target: { ...jsonl, path: 'train.jsonl' } }),
    ).rejects.toThrow('no absolute path');
  });
});

const python = process.env['ROLLOUT_LENS_PYTHON'] ?? 'python3';
const hasLoaders = spawnSync(python, ['-c', 'import datasets, polars']).status === 0;
if (!hasLoaders) console.warn(`Not checked here: ${python} has no datasets and polars, which would load the exports.`);

describe('the loaders of trainers', () => {
  it.skipIf(!hasLoaders)('load every form and format', { timeout: 120_000 }, async () => {
    const engine = await testEngine();
    const [sft, metis, rl] = [
      await fixtureQuestion(engine, 'sft'),
      await metisRun(engine),
      await fixtureQuestion(engine, 'rl'),
    ];
    const wanted: readonly (readonly [Question, CurationExport['form']])[] = [
      [sft, 'messages'],
      [sft, 'verl'],
      [metis, 'messages'],
      [metis, 'pairs'],
      [rl, 'messages'],
      [rl, 'verl'],
    ];
    const files: string[] = [];
    for (const [question, form] of wanted) {
      for (const format of ['jsonl', 'parquet'] as const) {
        const { path, rows } = await exported(engine, question, { form, format, images: 'files' });
        files.push(`${path}:${rows.length}`);
      }
    }
    const script = `
import sys, tempfile, datasets, polars
datasets.disable_progress_bars()
for argument in sys.argv[1:]:
    path, count = argument.rsplit(":", 1)
    kind = "parquet" if path.endswith("parquet") else "json"
    rows = datasets.load_dataset(kind, data_files=path, split="train", cache_dir=tempfile.mkdtemp())
    assert len(rows) == int(count), (path, len(rows))
    rows[0]
    table = polars.read_parquet(path) if kind == "parquet" else polars.read_ndjson(path)
    assert len(table) == int(count), (path, len(table))
print("loaded", len(sys.argv) - 1)
`;
    const { stdout, stderr, status } = spawnSync(python, ['-c', script, ...files], { encoding: 'utf8' });
    expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain(`loaded ${files.length}`);
  });
});
