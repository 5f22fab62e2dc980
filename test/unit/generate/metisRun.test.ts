// The generator of Metis-shaped runs that tests, `npm start` and the bench stand on: same seed same bytes, keys and
// number forms of the real writer, groups of the right size that are not adjacent, and the promised trends.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { metisLine, metisRecord, seededRandom, writeMetisRun, type MetisRecord } from '../../generate/metisRun.mjs';
import { pythonFloat } from '../../generate/pythonJson.mjs';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'metis-run-'));
});
afterAll(async () => rm(folder, { recursive: true, force: true }));

const shape = { steps: 3, promptsPerStep: 6, rolloutsPerPrompt: 8, seed: 5 };
const recordsOf = (text: string): readonly MetisRecord[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as MetisRecord);

// formats.md 1.2, in file order.
const keys = 'input output gts score step tool_interact_info traj_stop_reason verl_tool_metrics'.split(' ');

describe('writeMetisRun', () => {
  it('writes the same bytes for the same seed, other bytes for another, and any step alone', async () => {
    const first = await writeMetisRun({ ...shape, directory: join(folder, 'a') });
    const second = await writeMetisRun({ ...shape, directory: join(folder, 'b') });
    const other = await writeMetisRun({ ...shape, seed: 6, directory: join(folder, 'c') });
    const third = await writeMetisRun({ ...shape, directory: join(folder, 'd'), firstStep: 3, steps: 1 });
    expect(first).toMatchObject({ rollouts: 144, bytes: second.bytes });
    for (const [i, path] of first.files.entries()) {
      const bytes = await readFile(path);
      expect(path.endsWith(`${i + 1}.jsonl`)).toBe(true);
      expect(bytes.equals(await readFile(second.files[i] ?? ''))).toBe(true);
      expect(bytes.equals(await readFile(other.files[i] ?? ''))).toBe(false);
    }
    expect(await readFile(third.files[0] ?? '', 'utf8')).toBe(await readFile(first.files[2] ?? '', 'utf8'));
  });

  it('writes what the real writer writes: 8 keys in order, one newline at the end, Python separators and floats', async () => {
    const { files } = await writeMetisRun({ ...shape, directory: join(folder, 'e') });
    const text = await readFile(files[0] ?? '', 'utf8');
    expect(text.endsWith('\n') && !text.endsWith('\n\n')).toBe(true);
    for (const record of recordsOf(text)) {
      expect(Object.keys(record)).toEqual(keys);
      expect(record.input).toContain('Generated for tests, not a real training.');
      expect([1, 0.8999999761581421, 0.10000000149011612, 0]).toContain(record.score);
      for (const entry of record.tool_interact_info) expect(record.output).toContain(entry['action']);
    }
    expect(text).toMatch(/^\{"input": "<\|im_start\|>system/);
    expect(text).toMatch(/"score": 1\.0, "step": 1, "tool_interact_info": \[/);
    expect(text).toContain('"close_traj_time": 2.6e-05, ');
    expect(text).toContain(' × ');
  });

  it('has groups of equal size whose members are not adjacent', async () => {
    const { files } = await writeMetisRun({ ...shape, directory: join(folder, 'f') });
    const inputs = recordsOf(await readFile(files[1] ?? '', 'utf8')).map((record) => record.input);
    const sizes = [...new Set(inputs)].map((input) => inputs.filter((other) => other === input).length);
    expect(sizes).toEqual([8, 8, 8, 8, 8, 8]);
    const neighbours = inputs.filter((input, i) => input === inputs[i + 1]).length;
    expect(neighbours).toBeLessThan(20);
  });

  it('calls less and is right more often as training goes on', async () => {
    const long = { ...shape, steps: 3, promptsPerStep: 32, directory: join(folder, 'g') };
    const { files } = await writeMetisRun(long);
    const rates = await Promise.all(
      files.map(async (path) => {
        const records = recordsOf(await readFile(path, 'utf8'));
        const share = (hit: (record: MetisRecord) => boolean): number => records.filter(hit).length / records.length;
        return [share((r) => r.tool_interact_info.length > 0), share((r) => r.score > 0.5)] as const;
      }),
    );
    expect(rates.map(([tool]) => tool)).toEqual(rates.map(([tool]) => tool).sort((a, b) => b - a));
    expect(rates.map(([, right]) => right)).toEqual(rates.map(([, right]) => right).sort((a, b) => a - b));
  });

  it('meets the line size for all but rollouts with many calls', async () => {
    const lineBytes = { min: 30_000, max: 60_000 };
    const { files } = await writeMetisRun({ ...shape, directory: join(folder, 'h'), lineBytes });
    const lines = (await readFile(files[0] ?? '')).toString('latin1').trimEnd().split('\n');
    for (const line of lines) {
      expect(line.length).toBeGreaterThan(lineBytes.min * 0.9);
      expect(line.length).toBeLessThan(lineBytes.max * 1.1);
    }
  });
});

describe('metisRecord', () => {
  it('makes the calls it is asked for, and scores what it is told', () => {
    const calls = ['image_search', 'deduplicated', 'malformed', 'failed', 'python', 'repeat', 'text_search'] as const;
    const record = metisRecord(seededRandom(1), { calls, right: true, formatted: false, images: true, step: 9 });
    const [image, refused, malformed, failed, python, repeat] = record.tool_interact_info;
    expect(record).toMatchObject({ step: 9, score: 0.8999999761581421 });
    expect(record.tool_interact_info.length).toBe(7);
    expect(image?.['image']).toEqual([expect.stringMatching(/^data:image\/png;base64,iVBORw0KGgo/)]);
    expect(refused?.['metrics']).toEqual({ deduplicated: true });
    expect(malformed).toMatchObject({ obs: '', valid_action: 0, invalid_reason: 'No valid tool found for action' });
    expect(failed?.['metrics']).toMatchObject({ code_success: false });
    expect([repeat?.['action'] === python?.['action'], repeat?.['obs']]).toEqual([false, python?.['obs']]);
    const code = (text: unknown): string => String(text).replace(/^[^]*<tool_call>/, '');
    expect(code(repeat?.['action'])).toBe(code(python?.['action']));
  });

  it('does not log a call that was cut at the turn limit', () => {
    const calls = [...Array.from({ length: 10 }, () => 'python' as const), 'cut' as const];
    const record = metisRecord(seededRandom(1), { calls, right: true });
    expect(record).toMatchObject({ score: 0, traj_stop_reason: 'max_turns_reached' });
    expect(record.tool_interact_info.length).toBe(10);
    expect(record.output.split('<tool_call>').length - 1).toBe(11);
    expect(record.output.endsWith('</tool_call>')).toBe(true);
  });

  it('is the object its line parses to', () => {
    for (let seed = 0; seed < 50; seed += 1) {
      const record = metisRecord(seededRandom(seed), { images: seed % 2 === 0 });
      expect(JSON.parse(metisLine(record))).toEqual(record);
    }
  });
});

describe('pythonFloat', () => {
  it.each([
    [1, '1.0'],
    [0, '0.0'],
    [0.0001, '0.0001'],
    [0.000026, '2.6e-05'],
    [1e-10, '1e-10'],
    [1e16, '1e+16'],
    [918273645.5, '918273645.5'],
    [Number.NaN, 'NaN'],
    [Number.NEGATIVE_INFINITY, '-Infinity'],
  ])('%d', (value, text) => expect(pythonFloat(value)).toBe(text));
});
