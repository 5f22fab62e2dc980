/** `replay` on the command line: the JSON contract on the sample's own policy, whole steps, a server, and bad usage. */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { plainRequest } from '../../../src/cli/plainRequest.ts';
import { openModel } from '../../../src/replay/openModel.ts';
import { builtBundles } from '../engine/bundles.ts';
import { temporaryFolder } from '../engine/logs.ts';
import { startLocalServer } from '../replay/localServer.ts';
import { checkpointChoice, openedSample, sampleRollouts } from '../replay/sampleEpisodes.ts';

const bundles = builtBundles();
const sample = openedSample();
const model = checkpointChoice('start', '').folder;
const [first] = sampleRollouts.filter(({ checkpoint }) => checkpoint === 'start');

interface Result {
  readonly code: number | null;
  readonly text: string;
  readonly problems: string;
}

async function run(...args: readonly string[]): Promise<Result> {
  const env = { ...process.env, XDG_CACHE_HOME: join(sample.folder, 'cache') };
  const child = spawn(process.execPath, [bundles.cli, 'replay', ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const out: Buffer[] = [];
  const problems: Buffer[] = [];
  child.stdout.on('data', (bytes: Buffer) => out.push(bytes));
  child.stderr.on('data', (bytes: Buffer) => problems.push(bytes));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, text: Buffer.concat(out).toString(), problems: Buffer.concat(problems).toString() };
}

interface Row {
  readonly file: string;
  readonly row: number;
  readonly tokens: readonly {
    readonly id: number;
    readonly text: string;
    readonly turn: number;
    readonly scored: boolean;
    readonly logprob: number | null;
    readonly entropy: number | null;
    readonly rank: number | null;
  }[];
  readonly decisions: readonly Record<string, unknown>[];
  readonly gains?: readonly Record<string, unknown>[] | null;
}

const rowsOf = (text: string): readonly Row[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Row);

const onCpu = ['--model', model, '--provider', 'cpu'];

describe('replay', () => {
  it('prints the contract: the trainer’s tokens with their log-probs, decisions and provenance', async () => {
    const { code, text, problems } = await run(sample.pathOf('hdpo'), '--row', '1.jsonl:0', ...onCpu, '--json');
    expect({ code, problems }).toEqual({ code: 0, problems: '' });
    const [row] = rowsOf(text);
    expect(row).toMatchObject({
      file: '1.jsonl',
      row: 0,
      step: 1,
      model: 'start',
      provider: 'cpu',
      verdict: 'not logged',
    });
    expect(row?.tokens.map(({ id }) => id)).toEqual(first?.tokens);
    expect(row?.tokens.map(({ scored }) => Number(scored))).toEqual(first?.said);
    for (const [at, token] of (row?.tokens ?? []).entries()) {
      expect(Object.keys(token)).toEqual(['id', 'text', 'turn', 'scored', 'logprob', 'entropy', 'rank']);
      if (!token.scored) expect(token).toMatchObject({ logprob: null, entropy: null, rank: null });
      else expect(Math.abs((token.logprob ?? 1) - (first?.logProbs[at] ?? 0))).toBeLessThan(1e-4);
    }
    expect(row?.decisions[0]).toEqual({
      turn: 2,
      p_tool: expect.any(Number) as number,
      low: expect.any(Number) as number,
      high: expect.any(Number) as number,
      n: expect.any(Number) as number,
      temperature: 1,
      estimator: 'siblings',
      given: '',
      called: expect.any(Boolean) as boolean,
    });
    expect(row).toHaveProperty('provenance.id');
    expect(row).toHaveProperty('provenance.tokenizer');
  });

  it('replays a whole step into a file, a line a rollout, with progress on stderr', async () => {
    const out = join(await temporaryFolder(), 'step.jsonl');
    const args = [sample.pathOf('hdpo'), '--step', '1', '--out', out, '--gains', ...onCpu];
    const { code, text, problems } = await run(...args);
    expect({ code, text }).toEqual({ code: 0, text: '' });
    const count = (await readFile(join(sample.pathOf('hdpo'), '1.jsonl'), 'utf8')).trimEnd().split('\n').length;
    expect(problems).toContain(`${count} of ${count} rollouts`);
    const rows = rowsOf(await readFile(out, 'utf8'));
    expect(rows.map(({ row }) => row)).toEqual(Array.from({ length: count }, (_, row) => row));
    expect(rows.some(({ gains }) => (gains?.length ?? 0) > 0)).toBe(true);
    expect(rows.some(({ gains }) => gains === null)).toBe(true);
  }, 90_000);

  it('estimates by samples where asked, and is the same for the same seed', async () => {
    const args = [sample.pathOf('hdpo'), '--row', '1.jsonl:1', ...onCpu, '--samples', '16', '--seed', '7', '--json'];
    const [one, other] = [rowsOf((await run(...args)).text), rowsOf((await run(...args)).text)];
    const sampled = one[0]?.decisions.filter(({ estimator }) => estimator === 'Monte Carlo') ?? [];
    expect(sampled.length).toBeGreaterThan(0);
    expect(sampled.every(({ n }) => n === 16)).toBe(true);
    expect(other).toEqual(one);
  });

  it('asks a server the same', async () => {
    const choice = checkpointChoice('start', join(sample.folder, 'models'));
    const { signal } = new AbortController();
    const served = await openModel(choice, { signal, tell: () => undefined, request: plainRequest });
    const server = await startLocalServer({ name: 'toy', ...served });
    try {
      const args = [sample.pathOf('hdpo'), '--row', '1.jsonl:0', '--json'];
      const here = rowsOf((await run(...args, ...onCpu)).text)[0];
      const remote = ['--endpoint', server.endpoint, '--model', 'toy', '--tokenizer', model];
      server.behaviour.key = 'secret';
      const refused = await run(...args, ...remote);
      expect(refused.code).toBe(1);
      expect(refused.problems).toMatch(/answered 401: no such key\..* OPENAI_API_KEY/);
      vi.stubEnv('OPENAI_API_KEY', 'secret');
      const there = rowsOf((await run(...args, ...remote)).text)[0];
      for (const [at, { logprob }] of (here?.tokens ?? []).entries()) {
        const other = there?.tokens[at]?.logprob ?? null;
        if (logprob === null) expect(other).toBeNull();
        else expect(Math.abs((other ?? 1) - logprob)).toBeLessThan(1e-4);
      }
      // A whole step, several rollouts at a time: the lines stay in order, and are those of the folder.
      const folder = await temporaryFolder();
      const lines = async (name: string, ...model: readonly string[]) => {
        const out = join(folder, name);
        const { code } = await run(sample.pathOf('hdpo'), '--step', '1', '--out', out, ...model);
        expect(code).toBe(0);
        return rowsOf(await readFile(out, 'utf8'));
      };
      server.behaviour.mostInFlight = 0;
      const [own, other] = [
        await lines('here.jsonl', ...onCpu),
        await lines('there.jsonl', ...remote, '--requests', '3'),
      ];
      expect(other.map(({ row }) => row)).toEqual(own.map(({ row }) => row));
      // How many meet at the server is up to the machine; never more than were allowed.
      expect([2, 3]).toContain(server.behaviour.mostInFlight);
      const logprobsOf = ({ tokens }: Row) => tokens.map(({ logprob }) => logprob ?? 0);
      for (const [at, row] of own.entries()) {
        const found = other[at] === undefined ? [] : logprobsOf(other[at]);
        const off = logprobsOf(row).map((value, token) => Math.abs((found[token] ?? Number.NaN) - value));
        expect(Math.max(...off)).toBeLessThan(1e-4);
      }
    } finally {
      vi.unstubAllEnvs();
      await server.close();
      await served.backend.dispose();
    }
  }, 90_000);

  it('ends with a sentence where the server goes away; the lines that were written stay', async () => {
    const choice = checkpointChoice('start', join(sample.folder, 'models'));
    const { signal } = new AbortController();
    const served = await openModel(choice, { signal, tell: () => undefined, request: plainRequest });
    const server = await startLocalServer({ name: 'toy', ...served });
    const watch = setInterval(() => {
      if (server.behaviour.requests > 6) void server.close();
    }, 1);
    try {
      const remote = ['--endpoint', server.endpoint, '--model', 'toy', '--tokenizer', model, '--requests', '1'];
      const { code, text, problems } = await run(sample.pathOf('hdpo'), '--step', '1', ...remote);
      expect(code).toBe(1);
      expect(rowsOf(text).length).toBeGreaterThan(0);
      expect(problems).toMatch(/error: 1\.jsonl: record \d+: .* cannot be reached/);
      expect(problems).toMatch(/The server is gone: \d+ of \d+ rollouts were left\./);
    } finally {
      clearInterval(watch);
      await served.backend.dispose();
    }
  }, 60_000);

  it('prints text for people', async () => {
    const { code, text } = await run(sample.pathOf('hdpo'), '--row', '1.jsonl:0', ...onCpu, '--gains');
    expect(code).toBe(0);
    expect(text).toContain('step 1 · What is ');
    expect(text).toContain('siblings');
    expect(text).toContain('gain in nats');
  });

  it.each([
    [['--row', '1.jsonl:0'], 2, /--model/],
    [['--model', 'x'], 2, /either --row FILE:ROW or --step N/],
    [['--model', 'x', '--row', '1.jsonl:0', '--step', '1'], 2, /either/],
    [['--model', 'x', '--row', '1.jsonl'], 2, /FILE:ROW/],
    [['--model', 'x', '--row', '1.jsonl:0', '--out', 'y'], 2, /--step/],
    [['--model', 'x', '--row', '1.jsonl:0', '--provider', 'tpu'], 2, /cpu, webgpu/],
    [['--model', 'x', '--row', '1.jsonl:0', '--endpoint', 'localhost'], 2, /http/],
    [['--model', 'x', '--step', 'one'], 2, /whole number/],
    [['--model', 'x', '--step', '1', '--out', '/no/such/folder/x.jsonl'], 2, /its folder does not exist/],
    [['--model', 'x', '--row', '1.jsonl:0', '--tokenizer', 'y'], 2, /--tokenizer goes with --endpoint/],
    [['--model', 'x', '--row', '1.jsonl:0', '--endpoint', 'http://127.0.0.1:1', '--variant', '_q4'], 2, /model folder/],
    [['--model', 'x', '--row', '1.jsonl:0', '--seed', '4'], 2, /--seed goes with --samples/],
    [['--model', '/nowhere', '--row', '1.jsonl:0'], 1, /nowhere/],
    [[...onCpu, '--row', '1.jsonl:4096'], 1, /no rollout/],
    [[...onCpu, '--step', '77'], 1, /no rollout of step 77/],
  ] as const)('%j ends with %i and a sentence', async (args, code, sentence) => {
    const result = await run(sample.pathOf('hdpo'), ...args);
    expect(result.code).toBe(code);
    expect(result.problems).toMatch(sentence);
    expect(result.problems).not.toContain('    at ');
  });
});
