/** `curate` as a process: the funnel as JSON, files, a judge over HTTP, going on after SIGKILL, Ctrl+C, and bad usage. */
import { spawn, type ChildProcess } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { builtBundles } from '../engine/bundles.ts';
import { curationFixture } from '../engine/curation/curationOfTests.ts';
import { judgeServer, verdict } from '../engine/curation/judgeServer.ts';
import { dump, temporaryFolder, until, write } from '../engine/logs.ts';

const bundles = builtBundles();
const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<{ readonly code: number | null; readonly text: string; readonly problems: string }>;
}

/** Starts `curate` with a cache of its own. */
async function start(args: readonly string[], cache?: string, env: NodeJS.ProcessEnv = {}): Promise<Started> {
  const child = spawn(process.execPath, [bundles.cli, 'curate', ...args], {
    env: { ...process.env, ...env, XDG_CACHE_HOME: cache ?? (await temporaryFolder()) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  let text = '';
  let problems = '';
  child.stdout.on('data', (bytes: Buffer) => (text += bytes.toString()));
  child.stderr.on('data', (bytes: Buffer) => (problems += bytes.toString()));
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve)).then((code) => ({
    code,
    text,
    problems,
  }));
  return { child, ended };
}

async function run(args: readonly string[], cache?: string, env: NodeJS.ProcessEnv = {}) {
  return (await start(args, cache, env)).ended;
}

type Printed = Record<string, unknown> & {
  readonly stages: readonly { readonly filter: string; readonly dropped: number }[];
};
const printed = (text: string): Printed => JSON.parse(text) as Printed;
const sft = join(curationFixture, 'sft');

describe('curate', () => {
  it('prints the funnel as JSON and writes what is kept, with a manifest', async () => {
    const out = join(await temporaryFolder(), 'train.jsonl');
    const base = join(curationFixture, 'base');
    const { code, text, problems } = await run([sft, '--stage', 'sft', '--base', base, '--out', out]);
    expect({ code, problems }).toEqual({ code: 0, problems: '' });
    const funnel = printed(text);
    expect(funnel).toMatchObject({ stage: 'sft', rows: 29, overruled: 0, by_hand: 0, out });
    expect(funnel.stages.map(({ filter, dropped }) => [filter, dropped])).toEqual([
      ['execution-failure', 5],
      ['inconsistent-feedback', 8],
      ['tool-free-solvable', 2],
      ['not-strategic', 0],
      ['exact-duplicate', 1],
      ['near-duplicate', 1],
    ]);
    const lines = (await readFile(out, 'utf8')).trimEnd().split('\n');
    expect(lines).toHaveLength(Number(funnel['kept']));
    expect(funnel['records']).toBe(lines.length);
    expect(JSON.parse(await readFile(String(funnel['manifest']), 'utf8'))).toMatchObject({
      records: lines.length,
      stage: 'sft',
    });
  });

  it('takes filters and thresholds from a file, and writes nothing without --out', async () => {
    const folder = await temporaryFolder();
    const config = join(folder, 'config.json');
    await writeFile(
      config,
      JSON.stringify({ stage: 'rl', contextTokens: 500, off: ['no-variance'], forbiddenImports: ['os'] }),
    );
    const { code, text } = await run([join(curationFixture, 'rl'), '--config', config]);
    expect(code).toBe(0);
    expect(printed(text).stages.map(({ dropped }) => dropped)).toEqual([2, 0, 2, 1]);
    expect(await readdir(folder)).toEqual(['config.json']);
  });

  it('curates all runs at a path together, and says so', async () => {
    const { code, text, problems } = await run([curationFixture, '--stage', 'rl']);
    expect(code).toBe(0);
    expect(problems).toMatch(/curates 3 runs together/);
    expect(printed(text)['rows']).toBe(16 + 4 + 26);
  });

  it('writes prompts in the form of verl as Parquet', async () => {
    const out = join(await temporaryFolder(), 'prompts.parquet');
    const { code, text } = await run([join(curationFixture, 'rl'), '--stage', 'rl', '--out', out]);
    expect(code).toBe(0);
    expect(printed(text)).toMatchObject({ out, images: 1 });
    expect((await readFile(out)).subarray(0, 4).toString()).toBe('PAR1');
  });

  it('writes each row with filter, reason and evidence', async () => {
    const file = join(await temporaryFolder(), 'rows.jsonl');
    const { code, text } = await run([sft, '--stage', 'sft', '--rows', file]);
    expect(code).toBe(0);
    const { rows, kept, rows_file } = printed(text);
    expect(rows_file).toBe(file);
    const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
    const found = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(found).toHaveLength(Number(rows));
    expect(found.filter((row) => row['filter'] === null && row['kept'] === true)).toHaveLength(Number(kept));
    expect(found.map((row) => row['row'])).toEqual(found.map((_, index) => index));
    expect(found[0]).toMatchObject({
      file: 'rows.jsonl',
      row: 0,
      step: 1,
      kept: false,
      filter: 'execution-failure',
      reason: expect.stringMatching(/./) as string,
      evidence: { 'call 1': expect.stringContaining('python, failed: Traceback') as string },
      correct: true,
    });
  });

  it('prints the funnel where nothing is kept, and ends with a sentence', async () => {
    const folder = await temporaryFolder();
    await write(join(folder, 'log', '1.jsonl'), dump({ prompt: 1 }));
    const out = join(folder, 'train.jsonl');
    const base = [join(folder, 'log'), '--stage', 'rl', '--out', out, '--config'];
    const config = join(folder, 'config.json');
    await writeFile(config, JSON.stringify({ stage: 'rl', contextTokens: 1 }));
    const { code, text, problems } = await run([...base, config]);
    expect({ code, problems }).toEqual({
      code: 1,
      problems: 'Nothing is kept, so nothing is written. Loosen the filters.\n',
    });
    expect(printed(text)).toMatchObject({ rows: 1, kept: 0, dropped: 1 });
    expect((await readdir(folder)).sort()).toEqual(['config.json', 'log']);
  });

  it('refuses two stages, warns of a base that decides nothing, and explains the number of records', async () => {
    const folder = await temporaryFolder();
    const config = join(folder, 'config.json');
    await writeFile(config, JSON.stringify({ stage: 'rl' }));
    const two = await run([sft, '--stage', 'sft', '--config', config]);
    expect(two.code).toBe(2);
    expect(two.problems).toMatch(/--stage sft: --config .*config\.json is for stage rl/);
    await write(join(folder, 'base', '1.jsonl'), dump({ prompt: 1 }));
    const out = join(folder, 'prompts.jsonl');
    const more = ['--base', join(folder, 'base'), '--form', 'verl', '--out', out];
    const { code, text, problems } = await run([sft, '--stage', 'sft', ...more]);
    expect(code).toBe(0);
    expect(problems).toMatch(/warning: --base .* decides nothing of \d+ rows: pass@8 over tool-free rollouts of base;/);
    expect(printed(text)['records']).toBeLessThanOrEqual(Number(printed(text)['kept']));
    const rl = await run([join(curationFixture, 'rl'), '--stage', 'rl', '--base', join(folder, 'base')]);
    expect(rl.problems).toMatch(/warning: --base .* decides nothing: only the filters of --stage sft/);
    await write(join(folder, 'log', '1.jsonl'), dump({ calls: [] }, { calls: ['python'] }));
    const pairs = join(folder, 'pairs.jsonl');
    const two_of_one = await run([join(folder, 'log'), '--stage', 'sft', '--form', 'pairs', '--out', pairs]);
    expect(two_of_one.problems).toMatch(/^1 record of 2 trajectories kept: a record is a pair:/);
    const verl = await run([join(folder, 'log'), '--stage', 'sft', '--form', 'verl', '--out', out]);
    expect(verl.problems).toMatch(/1 record of 2 trajectories kept: a record is a prompt/);
  });

  const usage: readonly (readonly [args: readonly string[], message: RegExp])[] = [
    [[sft], /--stage sft or --stage rl/],
    [[sft, '--stage', 'x'], /choose sft or rl/],
    [[sft, '--stage', 'sft', '--out', 'x.csv'], /end it in .jsonl or .parquet/],
    [[sft, '--stage', 'sft', '--out', '/no/such/folder/x.jsonl'], /its folder does not exist/],
    [[sft, '--stage', 'sft', '--form', 'x'], /choose messages, verl or pairs/],
    [[sft, '--stage', 'sft', '--judge', 'http://127.0.0.1:1/v1'], /needs --judge-model/],
    [[sft, '--stage', 'sft', '--judge', 'nonsense', '--judge-model', 'm'], /no http address/],
    [
      [sft, '--stage', 'sft', '--judge', 'http://me:key@127.0.0.1/v1', '--judge-model', 'm'],
      /takes no key in its address/,
    ],
    [[sft, '--stage', 'sft', '--config', 'missing.json'], /cannot be read/],
    [[sft, '--stage', 'sft', '--rows', '/no/such/folder/x.jsonl'], /its folder does not exist/],
    [[sft, '--stage', 'sft', '--base', 'x', '--generate-with', 'y'], /--base and --generate-with .* choose one/],
    [[sft, '--stage', 'sft', '--judge-requests', '4'], /--judge-requests goes with --judge/],
    [[], /takes one PATH/],
  ];
  it('says what is wrong with its arguments', { timeout: 60_000 }, async () => {
    for (const [args, message] of usage) {
      const { code, text, problems } = await run(args);
      expect({ args, code, text }).toEqual({ args, code: 2, text: '' });
      expect(problems).toMatch(message);
      expect(problems.trimEnd().split('\n')).toHaveLength(1);
    }
  });
});

describe('curate with a judge', () => {
  it('says what it takes, sends the key of the environment, and drops what scores low', async () => {
    const server = await judgeServer((prompt) => ({ text: verdict(prompt.includes('Ida Moor') ? 0 : 1) }));
    const args = [sft, '--stage', 'sft', '--judge', server.address, '--judge-model', 'small'];
    const { code, text, problems } = await run(args, undefined, { ROLLOUT_LENS_JUDGE_KEY: 'secret' });
    expect(code).toBe(0);
    expect(problems).toMatch(
      /judge: 15 requests to small at http:.*, at most 30 as an answer that cannot be read is asked for once more, about [\d,]+ tokens and at most 4,500 in answers/,
    );
    expect(printed(text)).toMatchObject({ judge: { judged: 15, failed: 0, first_failure: null } });
    expect(printed(text).stages.find(({ filter }) => filter === 'not-strategic')?.dropped).toBe(1);
    expect(new Set(server.keys)).toEqual(new Set(['Bearer secret']));
  });

  it('tells of a judge that is down and asked again; where it refuses, the funnel says that it was asked', async () => {
    const busy = await judgeServer((_, request) => (request === 0 ? { status: 503 } : { text: verdict(1) }));
    const again = await run([sft, '--stage', 'sft', '--judge', busy.address, '--judge-model', 'small']);
    expect(again.code).toBe(0);
    expect(again.problems).toMatch(/judge: .* answered 503\. Attempt 1 of 6; asked again in 1 s\./);
    const closed = await judgeServer(() => ({ status: 401 }));
    const refused = await run([sft, '--stage', 'sft', '--judge', closed.address, '--judge-model', 'small']);
    expect(refused.code).toBe(1);
    expect(refused.problems).toMatch(/The judge cannot be asked: .*401/);
    expect(refused.text).toContain('a judge was asked, but gave no answer that counts');
  });

  it('goes on where it was killed', async () => {
    const cache = await temporaryFolder();
    const slow = await judgeServer(() => ({ text: verdict(1), afterMs: 100 }));
    const args = [sft, '--stage', 'sft', '--judge', slow.address, '--judge-model', 'small', '--judge-requests', '1'];
    const first = await start(args, cache);
    await until('some rows are judged', () => slow.prompts.length > 4, 20_000);
    first.child.kill('SIGKILL');
    await first.ended;
    const before = slow.prompts.length;
    const { code, text } = await run(args, cache);
    expect(code).toBe(0);
    // What was answered is not asked again; what was under way when it was killed is.
    const { judged, cached } = printed(text)['judge'] as { judged: number; cached: number };
    expect(cached).toBeGreaterThanOrEqual(before - 2);
    expect(judged + cached).toBe(15);
    expect(slow.prompts.length).toBeLessThanOrEqual(15 + 1);
    expect(new Set(slow.prompts).size).toBe(15);
  });

  it('counts rows that could not be judged, keeps them, and ends with exit code 1', async () => {
    const server = await judgeServer((prompt) => ({ text: prompt.includes('Ida Moor') ? 'Hm.' : verdict(1) }));
    const { code, text, problems } = await run([
      sft,
      '--stage',
      'sft',
      '--judge',
      server.address,
      '--judge-model',
      'small',
    ]);
    expect(code).toBe(1);
    expect(printed(text)['judge']).toMatchObject({ judged: 14, failed: 1 });
    expect(problems).toMatch(/1 row could not be judged/);
  });

  it('writes nothing when it is interrupted', async () => {
    const folder = await temporaryFolder();
    const server = await judgeServer(() => ({ text: verdict(1), afterMs: 5_000 }));
    const out = join(folder, 'train.jsonl');
    const { child, ended } = await start([
      sft,
      '--stage',
      'sft',
      '--out',
      out,
      '--judge',
      server.address,
      '--judge-model',
      'm',
    ]);
    await until('the judge is asked', () => server.prompts.length > 0, 20_000);
    child.kill('SIGINT');
    const { code, problems } = await ended;
    expect(code).toBe(1);
    expect(problems).toMatch(/Cancelled; nothing was written/);
    expect(await readdir(folder)).toEqual([]);
  });
});

it('drops nothing of a log that it cannot read further, and says what changed', async () => {
  const folder = await temporaryFolder();
  await write(join(folder, '1.jsonl'), `${dump({ prompt: 1 })}{"broken`);
  const { code, text } = await run([folder, '--stage', 'sft']);
  expect(code).toBe(0);
  expect(printed(text)).toMatchObject({ rows: 1, kept: 1 });
});
