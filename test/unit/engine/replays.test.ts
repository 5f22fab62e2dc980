/** Episodes for replays, and what models said of calls: kept, shown as flags of rule `replay`, dismissed, switched off. */
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../../src/base/errors.ts';
import { openKeptGains } from '../../../src/engine/keptGains.ts';
import { defaultRuleSettings } from '../../../src/protocol/flags.ts';
import type { KeptGain } from '../../../src/protocol/replay.ts';
import { testEngine, type TestEngine } from './engineOfTests.ts';
import { dump, temporaryFolder, write } from './logs.ts';

const gain = (change: Partial<KeptGain> = {}): KeptGain => ({
  call: 0,
  withCall: -0.05,
  withoutCall: -0.1,
  gain: 0.05,
  flagged: true,
  provenanceId: 'p',
  model: 'hdpo',
  fits: 'same',
  without: null,
  ...change,
});

interface Opened {
  readonly engine: TestEngine;
  readonly path: string;
  readonly refOf: (row: number) => { readonly run: string; readonly file: string; readonly row: number };
}

async function openRun(): Promise<Opened> {
  const path = join(await temporaryFolder(), 'run');
  await write(
    join(path, '3.jsonl'),
    dump({ step: 3, calls: ['python'] }, { step: 3 }, { step: 3, calls: ['python'], right: false }, { step: 3 }),
  );
  const engine = await testEngine();
  const { id } = await engine.openAndRead(path);
  return { engine, path, refOf: (row) => ({ run: id, file: '3.jsonl', row }) };
}

describe('an episode', () => {
  it('comes with its exact text, siblings and recorded answers', async () => {
    const { engine, path, refOf } = await openRun();
    const episode = await engine.ask('replayEpisode', { ref: refOf(0), path });
    expect(episode).toMatchObject({
      title: 'step 3 · What is 1 × 7 + 1? · 1 of 4',
      step: 3,
      groundTruth: '8',
      answer: '8',
      correct: true,
      siblings: { count: 4, calledFirst: 2 },
      temperature: null,
      topP: null,
    });
    expect(episode.turns.map(({ role, prompt, exact }) => [role, prompt, exact])).toContainEqual([
      'policy',
      false,
      true,
    ]);
    expect(episode.calls).toMatchObject([{ call: 0, tool: 'python', redundant: [] }]);
    expect(episode.recorded).toHaveLength(4);
    expect(episode.recorded.filter(({ correct }) => correct)).toHaveLength(3);
    const record: unknown = JSON.parse((await readFile(join(path, '3.jsonl'), 'utf8')).split('\n')[0] ?? '');
    const { input, output } = record as { readonly input: string; readonly output: string };
    for (const { text } of episode.turns) expect(input + output).toContain(text);
    if (episode.exactText !== null) {
      const { gaps } = episode.exactText;
      expect(gaps.map((gap, at) => gap + (episode.turns[at]?.text ?? '')).join('')).toBe(input + output);
    }
  });

  it('is exact where a message is nothing but text, and put together where calls are logged apart', async () => {
    const path = join(await temporaryFolder(), 'chat');
    const call = { id: 'c', type: 'function', function: { name: 'crop', arguments: '{"x": 1}' } };
    const messages = [
      { role: 'user', content: 'What?' },
      { role: 'assistant', content: null, tool_calls: [call] },
      { role: 'tool', tool_call_id: 'c', content: 'A cat' },
      { role: 'assistant', content: 'A cat.' },
    ];
    await write(join(path, 'log.jsonl'), `${JSON.stringify({ messages, reward: 1 })}\n`);
    const engine = await testEngine();
    const { id } = await engine.openAndRead(path);
    const episode = await engine.ask('replayEpisode', { ref: { run: id, file: 'log.jsonl', row: 0 }, path });
    // A log without steps: none is named.
    expect(episode.title).toMatch(/^What\?/);
    expect(episode.exactText).toBeNull();
    expect(episode.turns.map(({ exact, text }) => (exact ? text : null))).toEqual(['What?', null, 'A cat', 'A cat.']);
    expect(episode.calls).toMatchObject([{ tool: 'crop', arguments: { x: 1 }, turn: 1 }]);
    expect(episode.notes.join()).toContain('chat template');
  });

  it('is refused in a sentence where it does not fit into a message', async () => {
    const path = join(await temporaryFolder(), 'long');
    const long = {
      input: 'user\nWhat?\nassistant\n',
      output: `${'word '.repeat(200_000)}<answer>1</answer>`,
      gts: '1',
      score: 1,
    };
    await write(join(path, '1.jsonl'), `${JSON.stringify({ ...long, step: 1 })}\n`);
    const engine = await testEngine();
    const { id } = await engine.openAndRead(path);
    const asked = engine.ask('replayEpisode', { ref: { run: id, file: '1.jsonl', row: 0 }, path });
    await expect(asked).rejects.toThrow(/too long to replay: 1,000,\d+ characters/);
  });
});

describe('what a model said of a call', () => {
  it('is a hint, likely after right samples without the call, and nothing from another model', async () => {
    const { engine, path, refOf } = await openRun();
    const ref = refOf(0);
    const flags = async () => {
      const { flags: all } = await engine.ask('transcript', { ref, path, rest: null });
      return all.flags
        .filter(({ rule }) => rule === 'replay')
        .map(({ call, confidence, sentence }) => ({ call, confidence, sentence }));
    };
    expect(await flags()).toEqual([]);
    await engine.ask('keepGains', { ref, path, gains: [gain()] });
    expect(await flags()).toEqual([
      { call: 0, confidence: 'hint', sentence: 'hdpo gives the answer 90 % before this call, which adds 0.05 nats' },
    ]);
    await engine.ask('keepGains', { ref, path, gains: [gain({ without: { right: 29, judged: 32 } })] });
    expect(await flags()).toEqual([
      {
        call: 0,
        confidence: 'likely',
        sentence: 'hdpo gives the answer 90 % before this call, which adds 0.05 nats; without it right 29 of 32 times',
      },
    ]);
    await engine.ask('keepGains', {
      ref,
      path,
      gains: [gain({ fits: 'different', provenanceId: 'q', model: 'other' })],
    });
    expect(await flags()).toEqual([]);
    expect(await engine.ask('keptGains', { ref, path })).toHaveLength(2);
    expect(await engine.ask('keptGains', { ref: refOf(1), path })).toEqual([]);
  });

  it('is dismissed like any other flag, and its rule can be off', async () => {
    const { engine, path, refOf } = await openRun();
    const ref = refOf(0);
    await engine.ask('keepGains', { ref, path, gains: [gain({ fits: 'not logged' })] });
    const report = async () =>
      (await engine.ask('transcript', { ref, path, rest: null })).flags.flags.filter(({ rule }) => rule === 'replay');
    const [flag] = await report();
    expect(flag?.sentence).toContain('is not checked');
    await engine.ask('setVerdict', { ref, path, flag: flag?.id ?? '', verdict: 'dismissed' });
    expect((await report())[0]?.verdict).toBe('dismissed');
    await engine.ask('setRules', { rules: { ...defaultRuleSettings, off: ['replay'] } });
    expect(await report()).toEqual([]);
  });

  it('refuses what is no gain', async () => {
    const { engine, path, refOf } = await openRun();
    const broken = { ...gain(), gain: 'much' as unknown as number };
    await expect(engine.ask('keepGains', { ref: refOf(0), path, gains: [broken] })).rejects.toBeInstanceOf(UserError);
  });
});

describe('the file of gains', () => {
  const content = 'a'.repeat(64);
  it('keeps the latest of a call and model, also of another window, and survives damaged lines', async () => {
    const storage = await temporaryFolder();
    const [one, other] = [openKeptGains(storage), openKeptGains(storage)];
    await one.keep(content, [gain(), gain({ call: 1 })]);
    await other.keep(content, [gain({ gain: 1 })]);
    await appendFile(join(storage, 'replays.jsonl'), 'half a li');
    await one.keep('b'.repeat(64), [gain()]);
    const all = await other.all();
    expect(all.get(content)?.map(({ call, gain: nats }) => [call, nats])).toEqual([
      [1, 0.05],
      [0, 1],
    ]);
    expect(all.size).toBe(2);
  });

  it('does not grow with every replay', async () => {
    const storage = await temporaryFolder();
    const old = JSON.stringify({ content, gain: gain() });
    await writeFile(join(storage, 'replays.jsonl'), `${old}\n`.repeat(5_000));
    await openKeptGains(storage).keep(content, [gain({ call: 3 })]);
    expect((await readFile(join(storage, 'replays.jsonl'), 'utf8')).trimEnd().split('\n')).toHaveLength(2);
  });
});
