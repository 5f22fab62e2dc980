/** The command line as a process: what it prints, its JSON contract, its exit codes, and that each bad input is a sentence. */
import { spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { callColumns, rolloutColumns, runColumns } from '../../../src/store/columns.ts';
import { writeMetisRun } from '../../generate/metisRun.mjs';
import { builtBundles } from '../engine/bundles.ts';
import { dump, line, temporaryFolder, write } from '../engine/logs.ts';

const bundles = builtBundles();

interface Result {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly text: string;
  readonly problems: string;
}

/** Runs the command line with a cache of its own. */
async function run(args: readonly string[], cache?: string): Promise<Result> {
  const env = { ...process.env, XDG_CACHE_HOME: cache ?? (await temporaryFolder()) };
  const child = spawn(process.execPath, [bundles.cli, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const out: Buffer[] = [];
  const problems: Buffer[] = [];
  child.stdout.on('data', (bytes: Buffer) => out.push(bytes));
  child.stderr.on('data', (bytes: Buffer) => problems.push(bytes));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  const stdout = Buffer.concat(out);
  return { code, stdout, text: stdout.toString(), problems: Buffer.concat(problems).toString() };
}

type Row = Record<string, unknown>;

const json = (text: string): unknown => JSON.parse(text);
const rowsOf = (text: string): Record<string, unknown>[] =>
  text
    .trimEnd()
    .split('\n')
    .map((row) => JSON.parse(row) as Record<string, unknown>);

async function generatedRun(steps = 3): Promise<string> {
  const directory = join(await temporaryFolder(), 'hdpo');
  await writeMetisRun({ directory, steps, promptsPerStep: 4, rolloutsPerPrompt: 8, seed: 3 });
  return directory;
}

describe('describe', () => {
  it('prints the contract', async () => {
    const directory = await generatedRun();
    const { code, text, problems } = await run(['describe', directory, '--json']);
    expect({ code, problems }).toEqual({ code: 0, problems: '' });
    expect(json(text)).toEqual({
      runs: [
        {
          id: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
          path: directory,
          format: 'Metis / verl-tool',
          files: 3,
          steps: 3,
          rollouts: 96,
          groups: 12,
          notes: [
            {
              severity: 'information',
              code: 'doctor-group-inferred',
              file: 'hdpo',
              line: null,
              message: expect.stringContaining('reward_extra_infos_dict["uid"]') as string,
            },
            expect.objectContaining({ code: 'doctor-advantage-not-logged' }),
            expect.objectContaining({ code: 'doctor-images-cut' }),
          ],
        },
      ],
    });
  });

  it('lists all runs below its paths, with notes that name files relative to the path', async () => {
    const root = await temporaryFolder();
    await write(join(root, 'a', '1.jsonl'), `${dump({ prompt: 1 })}{"bad\n${dump({ prompt: 2 })}`);
    await write(join(root, 'b', '1.jsonl'), dump({ prompt: 1 }));
    const { code, text } = await run(['describe', root, '--json']);
    // A line of a/1.jsonl is unreadable.
    expect(code).toBe(1);
    const { runs } = json(text) as { runs: { path: string; rollouts: number; notes: unknown[] }[] };
    expect(runs.map(({ path, rollouts }) => [path, rollouts])).toEqual([
      [join(root, 'a'), 2],
      [join(root, 'b'), 1],
    ]);
    expect(runs[0]?.notes).toContainEqual({
      severity: 'warning',
      code: 'bad-json',
      file: 'a/1.jsonl',
      line: 1,
      message: expect.any(String) as string,
    });
  });

  it('goes on with the other paths where one cannot be read, and exits with 1', async () => {
    const directory = await generatedRun();
    const missing = join(directory, 'missing');
    const { code, text, problems } = await run(['describe', missing, directory, '--json']);
    expect(code).toBe(1);
    expect((json(text) as { runs: unknown[] }).runs).toHaveLength(1);
    expect(problems).toContain(`${missing} does not exist.`);
  });

  it('prints a table for people', async () => {
    const { text, code } = await run(['describe', await generatedRun()]);
    expect(code).toBe(0);
    expect(text).toMatch(/rollouts +groups/);
    expect(text).toMatch(/Metis \/ verl-tool +3 +3 +96 +12/);
  });
});

describe('steps', () => {
  it('prints a row a step with exactly the columns of the contract', async () => {
    const { code, text } = await run(['steps', await generatedRun(), '--json']);
    expect(code).toBe(0);
    const rows = json(text) as Record<string, number | null>[];
    expect(rows.map(({ step }) => step)).toEqual([1, 2, 3]);
    const names =
      'step rollouts groups accuracy reward_mean calls_mean tool_rate redundant_call_rate acc_advantage_abs tool_advantage_abs qualifying_share efficiency_signal_share effective_w_tool failed_call_rate dead_accuracy_groups dead_efficiency_groups';
    for (const row of rows) expect(Object.keys(row)).toEqual(names.split(' '));
    for (const row of rows) expect(row['tool_rate']).toBeLessThanOrEqual(1);
  });

  it('prints the numbers of the advantage charts where they are named', async () => {
    const directory = await generatedRun();
    const cache = await temporaryFolder();
    const all = json((await run(['steps', directory, '--columns', 'all', '--json'], cache)).text) as Row[];
    expect(all[0]).toMatchObject({ group_size: 8, dead_all_right_share: expect.any(Number) as number });
    const columns = 'step,region,coupled_fate,acc_push,tool_push,push,acc_advantage,tool_advantage,length,correct';
    const rollouts = rowsOf((await run(['table', directory, '--columns', columns], cache)).text);
    for (const row of all) {
      const own = rollouts.filter(({ step }) => step === row['step']);
      const share = (name: string): number => own.filter((one) => one['coupled_fate'] === name).length / own.length;
      const mean = (name: string): number =>
        own.reduce((sum, one) => sum + Math.abs(Number(one[name])), 0) / own.length;
      expect(row['coupled_opposite_share']).toBeCloseTo(share('opposite'), 12);
      expect(row['coupled_lost_share']).toBeCloseTo(share('lost'), 12);
      expect(row['acc_push_abs']).toBeCloseTo(mean('acc_push'), 12);
      expect(row['tool_push_abs']).toBeCloseTo(mean('tool_push'), 12);
      expect(row['right_wasteful']).toBe(own.filter(({ region }) => region === 'rightWasteful').length);
      const right = own.filter(({ correct }) => correct === true);
      const negative = right.filter(({ push }) => Number(push) < -1e-6);
      expect(row['negative_push_share']).toBeCloseTo(negative.length / right.length, 12);
      // By hand: N/N_sig and the means of L are those of the step.
      const signal = own.filter((one) => one['tool_advantage'] !== 0);
      const meanLength = (of: Row[]): number => of.reduce((sum, one) => sum + Number(one['length']), 0) / of.length;
      for (const one of own) {
        const [acc, tool, length] = [one['acc_advantage'], one['tool_advantage'], one['length']].map(Number);
        expect(one['acc_push']).toBeCloseTo(((acc ?? 0) * (length ?? 0)) / meanLength(own), 4);
        const weight = (0.15 * own.length) / signal.length / meanLength(signal);
        expect(one['tool_push']).toBeCloseTo((tool ?? 0) * (length ?? 0) * weight, 4);
      }
    }
    const gated = [
      'steps',
      directory,
      '--columns',
      'coupled_opposite_share',
      '--form',
      'gated',
      '--alpha',
      '0',
      '--json',
    ];
    const none = json((await run(gated, cache)).text) as Row[];
    // With α = 0 only w_tool·A_tool tells the two apart.
    expect(none.map((row) => Object.keys(row))).toEqual(none.map(() => ['coupled_opposite_share']));
  });

  it('judges by another threshold where the log does not say what is right', async () => {
    const folder = await temporaryFolder();
    const record = (score: number): string =>
      `${JSON.stringify({ input: 'q', output: 'a', score, step: 4, reward: score })}\n`;
    await write(join(folder, '4.jsonl'), [0.2, 0.4, 0.6, 0.8].map(record).join(''));
    const accuracy = async (...more: string[]): Promise<unknown> =>
      (json((await run(['steps', folder, '--json', ...more])).text) as { accuracy: number }[])[0]?.accuracy;
    expect(await accuracy()).toBe(0.5);
    expect(await accuracy('--threshold', '0.3')).toBe(0.75);
  });

  it('asks which run is meant where a folder holds several, and takes a file', async () => {
    const root = await temporaryFolder();
    await write(join(root, 'a', '1.jsonl'), dump({ prompt: 1 }));
    const file = await write(join(root, 'b', '1.jsonl'), dump({ prompt: 1 }));
    const several = await run(['steps', root]);
    expect(several).toMatchObject({ code: 2, text: '' });
    expect(several.problems).toContain(join(root, 'a'));
    expect(several.problems).toContain(join(root, 'b'));
    expect((await run(['steps', file, '--json'])).code).toBe(0);
  });
});

describe('table', () => {
  it('prints a row a rollout in log order, the default columns first', async () => {
    const { code, text } = await run(['table', await generatedRun(1)]);
    expect(code).toBe(0);
    const rows = rowsOf(text);
    expect(rows).toHaveLength(32);
    expect(Object.keys(rows[0] ?? {})).toEqual([
      'step',
      'group',
      'rollout',
      'file',
      'row',
      'reward',
      'correct',
      'calls',
      'acc_reward',
      'tool_reward',
      'acc_advantage',
      'tool_advantage',
      'qualifies',
      'redundant_calls',
    ]);
    expect(rows.map(({ row }) => row)).toEqual(rows.map((_, i) => i));
  });

  it('prints every column there is, as CSV and as Parquet too', async () => {
    const directory = await generatedRun(1);
    const cache = await temporaryFolder();
    const columns = [...rolloutColumns, ...runColumns].map(({ name }) => name);
    const all = ['table', directory, '--columns', columns.join(',')];
    const rows = rowsOf((await run(all, cache)).text);
    expect(Object.keys(rows[0] ?? {})).toEqual(columns);
    const csv = (await run([...all, '--format', 'csv'], cache)).text;
    expect(csv.split('\n')[0]).toBe(columns.join(','));
    const parquet = await run([...all, '--format', 'parquet'], cache);
    expect(parquet.stdout.subarray(0, 4).toString()).toBe('PAR1');
    expect(parquet.stdout.subarray(-4).toString()).toBe('PAR1');
    expect(callColumns.length).toBeGreaterThan(0);
  });

  it('survives a reader that stops early', async () => {
    const directory = await generatedRun();
    const child = spawn('sh', ['-c', '"$0" "$1" table "$2" | head -1', process.execPath, bundles.cli, directory], {
      env: { ...process.env, XDG_CACHE_HOME: await temporaryFolder() },
    });
    let problems = '';
    child.stderr.on('data', (bytes: Buffer) => {
      problems += bytes.toString();
    });
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(0);
    expect(problems).toBe('');
  });
});

describe('flags', () => {
  const wasteful = async (): Promise<string> => {
    const folder = join(await temporaryFolder(), 'run');
    const lean = { prompt: 2 };
    const text = dump(
      { prompt: 1, calls: ['python', 'repeat'] },
      { ...lean, calls: ['python', 'verify'] },
      lean,
      lean,
      lean,
      { prompt: 3, calls: ['python', 'verify'] },
      { prompt: 3, calls: ['python'] },
      { prompt: 3, calls: ['python'] },
      { prompt: 3, calls: ['python'] },
    );
    await write(join(folder, '1.jsonl'), text);
    return folder;
  };

  it('prints a row a flagged call, and a number where only that is proven', async () => {
    const { code, text, problems } = await run(['flags', await wasteful()]);
    expect({ code, problems }).toEqual({ code: 0, problems: '' });
    const rows = rowsOf(text);
    const names = ['file', 'row', 'step', 'call', 'rule', 'confidence', 'evidence'];
    expect(rows.map((row) => Object.keys(row).filter((name) => name !== 'count'))).toEqual(rows.map(() => names));
    expect(rows.map(({ row, call, count, rule, confidence }) => [row, call, count, rule, confidence])).toEqual([
      [0, 1, undefined, 'repeat', expect.stringMatching(/^(?:certain|likely)$/u)],
      [1, 0, undefined, 'sibling', 'likely'],
      [1, 1, undefined, 'sibling', 'likely'],
      [5, null, 1, 'sibling', 'likely'],
    ]);
    expect(rows[0]).toMatchObject({
      file: '1.jsonl',
      step: 1,
      evidence: { call: 0, characters: expect.any(Number) as number },
    });
    expect(rows[3]?.['evidence']).toMatchObject({
      sentence: expect.stringContaining('3 of 3 siblings were right with at most 1 call') as string,
      values: { right: 3, of: 3, calls_enough: 1 },
      siblings: [6, 7, 8].map((row) => ({ file: '1.jsonl', row, correct: true, calls: 1 })),
    });
  });

  it('leaves out what is less sure than asked for', async () => {
    const cache = await temporaryFolder();
    const folder = await generatedRun();
    const all = rowsOf((await run(['flags', folder], cache)).text);
    const likely = rowsOf((await run(['flags', folder, '--confidence', 'likely'], cache)).text);
    expect(likely).toEqual(all.filter(({ confidence }) => confidence !== 'hint'));
    const certain = rowsOf((await run(['flags', folder, '--confidence', 'certain'], cache)).text);
    expect(certain).toEqual(all.filter(({ confidence }) => confidence === 'certain'));
    expect(certain.length).toBeGreaterThan(0);
    const { text } = await run(['table', folder, '--columns', 'redundant_calls'], cache);
    const counted = rowsOf(text).reduce((sum, row) => sum + Number(row['redundant_calls']), 0);
    const calls = new Set(
      likely.flatMap(({ file, row, call, rule }) => (rule === 'sibling' ? [] : [`${file} ${row} ${call}`])),
    );
    expect(calls.size).toBe(counted);
  });

  it('prints nothing for a run without calls', async () => {
    const folder = join(await temporaryFolder(), 'run');
    await write(join(folder, '1.jsonl'), dump({}, {}));
    expect(await run(['flags', folder])).toMatchObject({ code: 0, text: '' });
  });
});

describe('episode', () => {
  it('prints one rollout as Markdown that nothing in the log can break out of', async () => {
    const folder = await temporaryFolder();
    await write(join(folder, 'run', '3.jsonl'), dump({ prompt: 1 }, { prompt: 2, calls: ['python'] }));
    const { code, text } = await run(['episode', folder, '--row', 'run/3.jsonl:1']);
    expect(code).toBe(0);
    const [first, ...others] = text.trimEnd().split('\n');
    const fence = /^(?<fence>`{3,})text$/.exec(first ?? '')?.groups?.['fence'];
    expect(others.at(-1)).toBe(fence);
    expect(others.slice(0, -1).some((one) => one.includes(fence ?? '?'))).toBe(false);
    expect(text).toContain('2 × 7');
    expect(text).toContain('python');
  });

  it('prints one rollout as JSON, with its group', async () => {
    const directory = await generatedRun();
    const { code, text } = await run(['episode', directory, '--row', '2.jsonl:7', '--format', 'json']);
    expect(code).toBe(0);
    const { file, row, rollout, explanation } = json(text) as {
      file: string;
      row: number;
      rollout: { step: number; place: { row: number } };
      explanation: { members: unknown[]; row: { step: number } };
    };
    expect({ file, row, step: rollout.step, place: rollout.place.row }).toEqual({
      file: '2.jsonl',
      row: 7,
      step: 2,
      place: 7,
    });
    expect(explanation.members).toHaveLength(8);
    expect(explanation.row.step).toBe(2);
  });

  it('says which rollout there is not', async () => {
    const directory = await generatedRun(1);
    expect(await run(['episode', directory, '--row', '1.jsonl:999'])).toMatchObject({ code: 1, text: '' });
    const { code, problems } = await run(['episode', directory, '--row', '9.jsonl:0']);
    expect(code).toBe(1);
    expect(problems).toContain('9.jsonl');
  });
});

describe('index', () => {
  it('writes the shards of each part of the files, which the other commands then use', async () => {
    const directory = await generatedRun(5);
    const out = join(await temporaryFolder(), 'index');
    const files: string[] = [];
    for (const shard of ['1/2', '2/2']) {
      const { code, text } = await run(['index', directory, '--out', out, '--shard', shard, '--json']);
      expect(code).toBe(0);
      const { shards } = json(text) as {
        shards: { file: string; state: string; rollouts: number; shards: string[] }[];
      };
      for (const { file, state, rollouts, shards: keys } of shards) {
        files.push(file);
        expect({ state, rollouts, keys: keys.length }).toEqual({ state: 'written', rollouts: 32, keys: 1 });
      }
    }
    expect(files.sort()).toEqual(['1.jsonl', '2.jsonl', '3.jsonl', '4.jsonl', '5.jsonl']);
    const names = (await readdir(out)).filter((name) => name.endsWith('.parquet'));
    expect(names).toHaveLength(10);
    const again = json((await run(['index', directory, '--out', out, '--json'])).text) as {
      shards: { state: string }[];
    };
    expect(again.shards.every(({ state }) => state === 'present')).toBe(true);
    const described = await run(['describe', directory, '--index', out, '--json']);
    expect(json(described.text)).toMatchObject({ runs: [{ rollouts: 160, steps: 5 }] });
    expect((await readdir(out)).filter((name) => name.endsWith('.parquet'))).toEqual(names);
  });

  it('fails with a sentence where the folder cannot be written', async () => {
    const folder = await temporaryFolder();
    const file = await write(join(folder, 'file'), 'x');
    const { code, problems } = await run(['index', await generatedRun(1), '--out', join(file, 'out')]);
    expect(code).toBe(1);
    expect(problems).toContain('1.jsonl: the index could not be written');
  });
});

describe('usage', () => {
  const bad: readonly (readonly [readonly string[], RegExp])[] = [
    [[], /rollout-lens COMMAND/],
    [['nothing'], /no command nothing/],
    [['flags', 'x', '--confidence', 'maybe'], /certain, likely or hint/],
    [['flags', 'x', '--format', 'csv'], /only jsonl/],
    [['replay', 'x'], /--model/],
    [['curate', 'x'], /--stage sft or --stage rl/],
    [['describe'], /at least one PATH/],
    [['steps', 'a', 'b'], /one PATH/],
    [['steps', 'a', '--colour'], /--colour/],
    [['steps', 'a', '--columns', 'mood'], /no column mood/],
    [['steps', 'a', '--form', 'round'], /--form round/],
    [['table', 'a', '--alpha', '-1'], /--alpha/],
    [['table', 'a', '--format', 'xml'], /jsonl, csv or parquet/],
    [['table', 'a', '--columns', 'reward,nope'], /no column nope/],
    [['episode', 'a'], /--row FILE:ROW/],
    [['index', 'a'], /--out/],
    [['index', 'a', '--out', 'b', '--shard', '3/2'], /I\/N/],
    [['steps', 'a', '--threshold', 'high'], /not a number/],
  ];
  it.each(bad)('%j is refused with 2', async (args, message) => {
    const { code, text, problems } = await run(args);
    expect({ code, text }).toEqual({ code: 2, text: '' });
    expect(problems).toMatch(message);
  });

  it('helps', async () => {
    for (const command of ['describe', 'steps', 'table', 'flags', 'episode', 'index']) {
      const { code, text } = await run([command, '--help']);
      expect(code).toBe(0);
      expect(text).toContain(`rollout-lens ${command}`);
    }
    expect((await run(['table', '--help'])).text).toContain('tool_advantage');
    const { version } = json(await readFile('package.json', 'utf8')) as { version: string };
    expect((await run(['--version'])).text.trim()).toBe(version);
  });
});

describe('bad input', () => {
  it.each([
    ['an empty file', 'x.jsonl', '', /x\.jsonl is empty\./],
    ['a binary file', 'x.jsonl', '\u0000\u0001\u0002\u0003', /no rollout log/],
    [
      'a Parquet file',
      'x.parquet',
      'PAR1 prompt completion advantage PAR1',
      /x\.parquet is a Parquet table that cannot be read/,
    ],
    ['text', 'x.txt', 'hello', /no rollout log/],
  ])('%s is 1 and a sentence', async (_, name, content, message) => {
    const path = await write(join(await temporaryFolder(), name), content);
    const { code, problems } = await run(['steps', path]);
    expect(code).toBe(1);
    expect(problems).toMatch(message);
    expect(problems).toContain(path);
  });

  it('a folder without logs is 1 and says where it looked', async () => {
    const empty = await temporaryFolder();
    const { code, problems } = await run(['describe', empty]);
    expect(code).toBe(1);
    expect(problems).toMatch(/looked at: 0 files in 1 folder\)/);
  });

  it('a log that ends in the middle of a line is read to there', async () => {
    const path = await write(join(await temporaryFolder(), '1.jsonl'), dump({ prompt: 1 }) + line().slice(0, 100));
    const { code, text } = await run(['describe', path, '--json']);
    expect(code).toBe(0);
    expect(json(text)).toMatchObject({
      runs: [
        {
          rollouts: 1,
          notes: expect.arrayContaining([
            expect.objectContaining({ code: 'partial-last-line', line: 1, file: '1.jsonl', severity: 'information' }),
          ]) as unknown,
        },
      ],
    });
  });
});

describe('a folder of several runs', () => {
  it('names them, and prints the one that is named', async () => {
    const folder = await temporaryFolder();
    const record = (rank: number): string => `${JSON.stringify({ prompt: `${rank}?`, response: 'Yes.', reward: 1 })}\n`;
    for (const rank of [0, 1]) {
      for (const step of [1, 2])
        await write(join(folder, `step_${step}_seed_${rank}.jsonl`), record(rank).repeat(rank + 1));
    }
    const asked = await run(['steps', folder, '--json']);
    expect(asked.code).toBe(2);
    expect(asked.problems).toContain('holds 2 runs; choose one of them:');
    const ids = [...asked.problems.matchAll(/--run (\S+) .*seed_(\d)/gu)].map(([, id, rank]) => [rank, id] as const);
    expect(ids.map(([rank]) => rank)).toEqual(['0', '1']);
    const chosen = await run(['steps', folder, '--run', ids[1]?.[1] ?? '', '--json']);
    expect(json(chosen.text)).toMatchObject([
      { step: 1, rollouts: 2 },
      { step: 2, rollouts: 2 },
    ]);
    const other = await run(['table', folder, '--run', 'none']);
    expect(other.code).toBe(2);
    expect(other.problems).toContain('holds no run none; choose one of them:');
  });
});
