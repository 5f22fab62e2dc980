/** What `describe` says beside its table: fixes once, control characters shown, home-made logs, and the mapping for them. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { builtBundles } from '../engine/bundles.ts';
import { temporaryFolder, write } from '../engine/logs.ts';

const bundles = builtBundles();

async function run(...args: readonly string[]): Promise<{ code: number | null; text: string; problems: string }> {
  const env = { ...process.env, XDG_CACHE_HOME: await temporaryFolder() };
  const child = spawn(process.execPath, [bundles.cli, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  let problems = '';
  child.stdout.on('data', (bytes: Buffer) => (text += bytes.toString()));
  child.stderr.on('data', (bytes: Buffer) => (problems += bytes.toString()));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, text, problems };
}

const chat = `${JSON.stringify({ prompt: 'Why is it so?', response: 'Because it is.', correct: true })}\n`;
const own = `${JSON.stringify({ ask: 'Why is it so?', said: { text: 'Because it is.' }, points: 0.5 })}\n`;
const mapping = JSON.stringify({
  rolloutLensFieldMapping: 1,
  fields: { prompt: 'ask', response: 'said.text', reward: 'points', step: null },
});

describe('describe', () => {
  it('prints each line to add to a trainer once, however many runs lack it', async () => {
    const folder = await temporaryFolder();
    for (const name of ['a', 'b', 'c']) await write(join(folder, `${name}.jsonl`), chat);
    const { code, problems } = await run('describe', folder);
    expect(code).toBe(0);
    expect(problems.match(/No training step is logged/gu)).toHaveLength(3);
    expect(problems.match(/"step": 17/gu)).toHaveLength(1);
    expect(problems.match(/To log what is missing, add to the trainer \(prompts and responses\):/gu)).toHaveLength(1);
    expect(problems).toContain('No reward is logged: r_acc is taken from right or wrong');
  });

  it('shows control characters of a log instead of handing them to the terminal, and exits with 1', async () => {
    const path = await write(join(await temporaryFolder(), 'a.jsonl'), `${chat}\u0000\u001b[31m{"x": 1}\r\n${chat}`);
    for (const command of ['describe', 'steps']) {
      const { code, problems } = await run(command, path);
      expect(code).toBe(1);
      expect(problems).toContain('a.jsonl:2');
      expect(problems).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f]/u);
    }
  });
});

describe('home-made logs', () => {
  it('are not left out of a folder in silence', async () => {
    const folder = await temporaryFolder();
    await write(join(folder, 'chat.jsonl'), chat);
    for (const name of ['x', 'y']) await write(join(folder, `${name}.jsonl`), own);
    await write(join(folder, 'metrics.jsonl'), '{"step": 1, "loss": 0.5, "stage": "warm"}\n');
    const { code, problems } = await run('describe', folder);
    expect(code).toBe(0);
    expect(problems).toMatch(
      /x\.jsonl: records that are not known.*--mapping FILE.*\(and 1 more file of this folder\)/u,
    );
    expect(problems).not.toContain('metrics.jsonl');
    const alone = await run('steps', join(folder, 'x.jsonl'));
    expect(alone.code).toBe(1);
    expect(alone.problems).toContain('--mapping FILE');
  });

  it('are read with the mapping that "Export…" wrote, by every command', async () => {
    const folder = await temporaryFolder();
    await write(join(folder, 'logs', 'x.jsonl'), own + own);
    const file = await write(join(folder, 'mapping.json'), mapping);
    const logs = join(folder, 'logs');
    const table = await run('table', logs, '--mapping', file, '--columns', 'question,reward');
    expect(table.problems).toBe('');
    expect(table.text).toBe('{"question":"Why is it so?","reward":0.5}\n'.repeat(2));
    expect((await run('describe', logs, '--json', '--mapping', file)).text).toContain('"rollouts":2');
    expect((await run('steps', logs, '--json', '--mapping', file)).text).toContain('"reward_mean":0.5');
    expect((await run('flags', logs, '--mapping', file)).code).toBe(0);
    expect((await run('episode', logs, '--row', 'x.jsonl:1', '--mapping', file)).text).toContain('Because it is.');
    const index = await run('index', logs, '--out', join(folder, 'index'), '--json', '--mapping', file);
    expect(index.text).toContain('"rollouts":2');
  });

  it.each([
    ['a file that is not there', null, /cannot be read/u],
    ['no JSON', 'prompt', /holds no mapping/u],
    ['no conversation', '{"fields": {"prompt": "ask"}}', /holds no mapping/u],
  ])('with %s for a mapping are bad usage', async (_, text, message) => {
    const folder = await temporaryFolder();
    const log = await write(join(folder, 'x.jsonl'), own);
    const file = join(folder, 'mapping.json');
    if (text !== null) await write(file, text);
    const { code, problems } = await run('steps', log, '--mapping', file);
    expect(code).toBe(2);
    expect(problems).toMatch(message);
  });
});
