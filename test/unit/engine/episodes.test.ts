/** Runs of one episode a file, with what lies beside the files: Harbor's results, OpenHands' folders of events. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RolloutRef } from '../../../src/protocol/engine.ts';
import { testEngine } from './engineOfTests.ts';
import { temporaryFolder, until } from './logs.ts';

async function put(path: string, value: unknown): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, typeof value === 'string' ? value : JSON.stringify(value));
}

const trajectory = (answer: string): object => ({
  schema_version: 'ATIF-v1.6',
  session_id: answer,
  agent: { name: 'terminus-2', version: '2' },
  steps: [
    { step_id: 1, source: 'user', message: 'Make a file.' },
    { step_id: 2, source: 'agent', message: answer },
  ],
});

const event = (id: string, kind: string, more: object): object => ({
  id,
  kind,
  timestamp: '2026-01-05T10:00:00',
  ...more,
});
const message = (id: string, source: string, text: string): object =>
  event(id, 'MessageEvent', {
    source,
    llm_message: { role: source === 'user' ? 'user' : 'assistant', content: [{ type: 'text', text }] },
  });

describe('a job of Harbor', () => {
  it('is one run; its rewards and groups come from result.json, also where that is written later', async () => {
    const job = join(await temporaryFolder(), 'job');
    for (const [trial, reward] of [
      ['make__a', 1],
      ['make__b', 0],
    ] as const) {
      await put(join(job, trial, 'agent/trajectory.json'), trajectory(trial));
      await put(join(job, trial, 'result.json'), {
        trial_name: trial,
        task_name: 'make',
        verifier_result: { rewards: { reward } },
      });
    }
    await put(join(job, 'make__c/agent/trajectory.json'), trajectory('make__c'));
    const { openAndRead, rows, engine } = await testEngine();
    const run = await openAndRead(job);
    expect(run).toMatchObject({ name: 'job', files: 3, rollouts: 3, groups: 2, hasRewards: true, hasSteps: false });
    expect((await rows(run.id)).map(({ id, reward }) => [id, reward])).toEqual([
      ['make__a', 1],
      ['make__b', 0],
      ['make__c', null],
    ]);
    await put(join(job, 'make__c/result.json'), {
      trial_name: 'make__c',
      task_name: 'make',
      verifier_result: { rewards: { reward: 1 } },
    });
    await until('the new reward is read', async () => {
      const found = (await rows(run.id)).at(-1)?.reward;
      return found === 1 ? found : null;
    });
    expect(engine.library.run(run.id).summary()).toMatchObject({ rollouts: 3, groups: 1 });
  });
});

describe('conversations of OpenHands with one event a file', () => {
  it('are one run of one rollout a folder, and grow', async () => {
    const folder = join(await temporaryFolder(), 'conversations');
    const put0 = async (name: string): Promise<void> => {
      const events = join(folder, name, 'events');
      const prompt = event(`e0 of ${name}`, 'SystemPromptEvent', { source: 'agent', system_prompt: { text: 'Act.' } });
      await put(join(folder, name, 'base_state.json'), { id: name, persistence_dir: '' });
      await put(join(events, 'event-00000-aa.json'), prompt);
      await put(join(events, 'event-00001-bb.json'), message('e1', 'user', `Question of ${name}`));
      await put(join(events, 'event-00002-cc.json'), message('e2', 'agent', 'Answer one'));
    };
    await put0('one');
    await put0('two');
    const { ask, openAndRead, rows } = await testEngine();
    const run = await openAndRead(folder);
    expect(run).toMatchObject({ name: 'conversations', files: 2, rollouts: 2 });
    expect((await rows(run.id)).map(({ question }) => question)).toEqual(['Question of one', 'Question of two']);
    const [first] = await rows(run.id);
    if (!first) throw new Error('no rollout');
    const textOf = async (ref: RolloutRef): Promise<string> =>
      Buffer.from((await ask('transcript', { ref, path: folder, rest: null })).bytes).toString('utf8');
    expect(await textOf(first.ref)).toContain('Answer one');
    await put(join(folder, 'one/events/event-00003-dd.json'), message('e3', 'agent', 'Answer two'));
    await until('the new event is read', async () => {
      const [row] = await rows(run.id);
      return row && (await textOf(row.ref)).includes('Answer two') ? true : null;
    });
    expect((await rows(run.id)).length).toBe(2);
  });
});
