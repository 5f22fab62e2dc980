/** The command line on wrapped logs and on runs of episodes: the same answers as on plain files, by their own names. */
import { spawn } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { builtBundles } from '../engine/bundles.ts';
import { dump, temporaryFolder, write } from '../engine/logs.ts';
import { gzipOf, zstdFrame } from '../engine/wrappedLogs.ts';

const bundles = builtBundles();

async function run(
  args: readonly string[],
  cache: string,
): Promise<{ code: number | null; text: string; problems: string }> {
  const env = { ...process.env, XDG_CACHE_HOME: cache };
  const child = spawn(process.execPath, [bundles.cli, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  let problems = '';
  child.stdout.on('data', (bytes: Buffer) => (text += bytes.toString()));
  child.stderr.on('data', (bytes: Buffer) => (problems += bytes.toString()));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, text, problems };
}

describe('wrapped logs', () => {
  it('give the table that plain ones give, out of an index too', async () => {
    const root = await temporaryFolder();
    const cache = join(root, 'cache');
    const wrap = [(text: string) => gzipOf(text), zstdFrame];
    await mkdir(join(root, 'wrapped'), { recursive: true });
    for (const step of [1, 2]) {
      const text = dump({ step, prompt: 1, calls: ['python'] }, { step, prompt: 1, right: false }, { step, prompt: 2 });
      await write(join(root, 'plain', `${step}.jsonl`), text);
      const name = step === 1 ? '1.jsonl.gz' : '2.jsonl.zst';
      await writeFile(join(root, 'wrapped', name), wrap[step - 1]?.(text) ?? '');
    }
    const columns = ['--columns', 'step,row,reward,correct,acc_advantage,calls'];
    const plain = await run(['table', join(root, 'plain'), ...columns], cache);
    const out = join(root, 'index');
    for (const name of ['1.jsonl.gz', '2.jsonl.zst']) {
      const path = join(root, 'wrapped', name);
      const wrapped = await run(['table', path, ...columns], cache);
      expect(wrapped.code).toBe(0);
      const step = Number(name[0]);
      expect(wrapped.text).toBe(
        plain.text
          .split('\n')
          .filter((line) => line.includes(`"step":${step},`))
          .join('\n') + '\n',
      );
      const built = await run(['index', path, '--out', out, '--json'], cache);
      expect(JSON.parse(built.text)).toMatchObject({ shards: [{ file: name, state: 'written', rollouts: 3 }] });
      const other = join(root, 'other cache');
      const again = await run(['table', path, ...columns, '--index', out], other);
      expect(again.text).toBe(wrapped.text);
      expect(await readdir(join(other, 'rollout-lens', 'unwrapped')).catch(() => [])).toEqual([]);
      const episode = await run(['episode', path, '--row', `${name}:2`], cache);
      expect(episode.code).toBe(0);
      expect(episode.text).toContain('2 × 7');
    }
  });
});

describe('a run of episodes', () => {
  it('is one run, whose rollouts are named by their files', async () => {
    const root = await temporaryFolder();
    for (const trial of ['a__1', 'a__2']) {
      const steps = [
        { step_id: 1, source: 'user', message: 'task' },
        { step_id: 2, source: 'agent', message: `answer ${trial}` },
      ];
      const document = { schema_version: 'ATIF-v1.6', session_id: trial, agent: { name: 'x', version: '1' }, steps };
      await write(join(root, 'jobs', 'job', trial, 'agent', 'trajectory.json'), JSON.stringify(document, null, 2));
    }
    const cache = join(root, 'cache');
    const described = await run(['describe', join(root, 'jobs'), '--json'], cache);
    expect(JSON.parse(described.text)).toMatchObject({
      runs: [{ path: join(root, 'jobs', 'job'), files: 2, rollouts: 2, steps: 1 }],
    });
    const table = await run(['table', join(root, 'jobs'), '--columns', 'file,row'], cache);
    expect(table.text).toBe(
      ['a__1', 'a__2'].map((trial) => `{"file":"job/${trial}/agent/trajectory.json","row":0}\n`).join(''),
    );
    const episode = await run(['episode', join(root, 'jobs'), '--row', 'job/a__2/agent/trajectory.json:0'], cache);
    expect(episode.text).toContain('answer a__2');
  });
});
