// Trajectories of agents with files beside them: Harbor's result, continuations, sub-agents, tau2-bench's tasks.
import { describe, expect, test } from 'vitest';
import type { Rollout } from '../../../src/model/rollout.ts';
import { recognise } from '../../../src/readers/all.ts';
import { readHead } from '../../../src/readers/head.ts';
import { bytesSource, type Source } from '../../../src/readers/source.ts';
import { bytesOf } from './readAll.ts';
import { brokenRule } from './shape.ts';

type Files = Readonly<Record<string, unknown>>;

/** A document with files beside it; what was asked for is kept. */
function sourceOf(document: unknown, files: Files, asked: string[] = []): Source {
  const name = 'trajectory.json';
  return {
    ...bytesSource(name, bytesOf(JSON.stringify(document, null, 2))),
    beside: (relativeName) => {
      asked.push(relativeName);
      const found = files[relativeName];
      return Promise.resolve(
        found === undefined ? null : bytesOf(typeof found === 'string' ? found : JSON.stringify(found)),
      );
    },
  };
}

async function readFrom(source: Source): Promise<Rollout> {
  const found = recognise(await readHead(source));
  if (found.kind !== 'read') throw new Error(`claimed by nobody: ${found.description}`);
  const rollouts: Rollout[] = [];
  const { reader, recognition } = found;
  await reader.read(source, {
    recognition,
    from: null,
    signal: new AbortController().signal,
    rollout: (rollout) => rollouts.push(rollout),
    note: () => undefined,
  });
  const [rollout] = rollouts;
  if (rollout === undefined || rollouts.length !== 1) throw new Error(`${rollouts.length} rollouts`);
  expect(brokenRule(rollout)).toBeNull();
  expect(await reader.readOne(source, rollout.place, recognition)).toEqual(rollout);
  return rollout;
}

const user = (message: string): unknown => ({ step_id: 1, source: 'user', message });
const agent = (message: string, more: object = {}): unknown => ({ step_id: 2, source: 'agent', message, ...more });
const atif = (steps: readonly unknown[], more: object = {}): object => ({
  schema_version: 'ATIF-v1.7',
  session_id: 's',
  agent: { name: 'a', version: '1' },
  steps,
  ...more,
});
const textsOf = (rollout: Rollout): readonly string[] =>
  rollout.turns.map((turn) => turn.parts.map((part) => ('text' in part ? part.text : part.kind)).join(' '));

describe('ATIF with Harbor', () => {
  test.each([
    {
      called: 'a dict with reward',
      result: { rewards: { reward: 0.5, tests: 1 } },
      total: 0.5,
      parts: ['reward', 'tests'],
    },
    { called: 'one other name', result: { rewards: { accuracy: 1 } }, total: 1, parts: ['accuracy'] },
    { called: 'several other names', result: { rewards: { a: 1, b: 0 } }, total: null, parts: ['a', 'b'] },
    { called: 'one number', result: { reward: 0.25 }, total: 0.25, parts: [] },
    { called: 'nothing', result: null, total: null, parts: [] },
  ])('takes the reward from result.json: $called', async ({ result, total, parts }) => {
    const trial = { task_name: 'make-file', trial_name: 'make-file__x1', verifier_result: result };
    const rollout = await readFrom(sourceOf(atif([user('do'), agent('done')]), { '../result.json': trial }));
    expect(rollout.reward.total).toBe(total);
    expect(rollout.reward.parts.map(({ name }) => name)).toEqual(parts);
    expect(rollout.group).toEqual({ key: 'make-file', source: 'logged' });
    expect(rollout.id).toBe('make-file__x1');
  });

  test.each([
    { called: 'broken', file: '{"trial_name": ' },
    { called: 'of something else', file: '{"results": []}' },
    { called: 'no object', file: '[1]' },
  ])('leaves a result.json alone that is $called', async ({ file }) => {
    const rollout = await readFrom(sourceOf(atif([user('do'), agent('done')]), { '../result.json': file }));
    expect(rollout.group.source).toBe('inferred');
    expect(rollout.reward.total).toBeNull();
  });

  test('reads continuations and sub-agents from beside it, each once', async () => {
    const asked: string[] = [];
    const reference = { results: [{ subagent_trajectory_ref: [{ trajectory_path: 'trajectory.sub.json' }] }] };
    const first = atif(
      [user('do'), agent('one'), { step_id: 3, source: 'system', message: 'handoff', observation: reference }],
      {
        continued_trajectory_ref: 'trajectory.cont-1.json',
        final_metrics: { total_completion_tokens: 10 },
      },
    );
    const copied = { step_id: 1, source: 'user', message: 'do', is_copied_context: true };
    const second = atif([copied, agent('two')], {
      // A continuation that names the first file again must not be followed for ever.
      continued_trajectory_ref: 'trajectory.json',
      final_metrics: { total_completion_tokens: 5 },
    });
    const files = { 'trajectory.cont-1.json': second, 'trajectory.sub.json': atif([user('sum up'), agent('summary')]) };
    const rollout = await readFrom(sourceOf(first, files, asked));
    expect(textsOf(rollout)).toEqual(['do', 'one', 'handoff', 'sum up', 'summary', 'two']);
    expect(rollout.turns.map((turn) => turn.agent?.depth ?? 0)).toEqual([0, 0, 0, 1, 1, 0]);
    expect(rollout.modelTokens).toBe(15);
    expect(rollout.answer).toBe('two');
    expect(asked).not.toContain('trajectory.json');
  });

  test.each(['../../etc/passwd.json', '/etc/secrets.json', 'C:\\secrets.json', 'a/b.json', '..json', 'notes.txt'])(
    'never asks for %s, whatever the log says',
    async (name) => {
      const asked: string[] = [];
      const reference = { results: [{ subagent_trajectory_ref: [{ trajectory_path: name }] }] };
      const log = atif([user('do'), agent('one', { observation: reference })], { continued_trajectory_ref: name });
      await readFrom(sourceOf(log, { [name]: atif([agent('secret')]) }, asked));
      expect(asked).not.toContain(name);
    },
  );

  test('sub-agents inside sub-agents nest, and nothing nests for ever', async () => {
    const nested = (depth: number): object =>
      atif([agent(`depth ${depth}`)], depth === 40 ? {} : { subagent_trajectories: [nested(depth + 1)] });
    const rollout = await readFrom(sourceOf(nested(0), {}));
    expect(Math.max(...rollout.turns.map((turn) => turn.agent?.depth ?? 0))).toBe(16);
  });

  test('a continuation is no rollout of its own', async () => {
    const part = atif([agent('two')], { agent: { name: 'a', version: '1', extra: { continuation_index: 1 } } });
    const found = recognise(await readHead(sourceOf(part, {})));
    expect(found).toMatchObject({ kind: 'named' });
    // The same where the document is longer than the head.
    const long = atif([agent('x'.repeat(100_000)), agent('y'.repeat(9_000_000))], {});
    const longPart = { ...part, steps: [agent('y'.repeat(9_000_000))] };
    expect(recognise(await readHead(sourceOf(long, {})))).toMatchObject({ kind: 'read' });
    expect(recognise(await readHead(sourceOf(longPart, {})))).toMatchObject({ kind: 'named' });
  });
});

describe('tau2-bench', () => {
  const simulation = {
    id: 'a',
    task_id: '7',
    trial: 2,
    termination_reason: 'user_stop',
    reward_info: { reward: 1 },
    messages: [{ role: 'assistant', content: 'Hi' }],
  };

  test('a simulation finds its task one folder up', async () => {
    const results = { info: {}, tasks: [{ id: '7', user_scenario: { instructions: 'Ask for a seat.' } }] };
    const rollout = await readFrom(sourceOf(simulation, { '../results.json': results }));
    expect(rollout.question).toBe('Ask for a seat.');
    expect(rollout.reward.total).toBe(1);
  });

  test('simulations behind 20 MB of tasks are found and read again by their place', async () => {
    const tasks = Array.from({ length: 20 }, (_, index) => ({ id: String(index), policy: 'x'.repeat(1_000_000) }));
    const rollout = await readFrom(sourceOf({ timestamp: 't', info: {}, tasks, simulations: [simulation] }, {}));
    expect(rollout.group.key).toBe('7');
  });

  test.each([
    { called: 'null', simulations: null },
    { called: 'an object', simulations: {} },
    { called: 'empty', simulations: [] },
  ])('simulations that are $called give nothing and a finished reading', async ({ simulations }) => {
    const source = sourceOf({ info: {}, tasks: [], simulations }, {});
    const found = recognise(await readHead(source));
    if (found.kind !== 'read') throw new Error('claimed by nobody');
    const notes: string[] = [];
    const summary = await found.reader.read(source, {
      recognition: found.recognition,
      from: null,
      signal: new AbortController().signal,
      rollout: () => expect.fail('there is no rollout'),
      note: (note) => notes.push(note.code),
    });
    expect(summary.read).toBe(0);
    expect(summary.lines).toBe(notes.length);
  });
});

describe('OpenHands, one event a file', () => {
  const joined = (events: readonly (object | string)[]): string =>
    events.map((event) => `${typeof event === 'string' ? event : JSON.stringify(event)}\0`).join('');
  const prompt = { kind: 'SystemPromptEvent', id: 'a', source: 'agent', system_prompt: { type: 'text', text: 'Act.' } };
  const said = (id: string, source: string, text: string): object => ({
    kind: 'MessageEvent',
    id,
    source,
    llm_message: { role: source === 'user' ? 'user' : 'assistant', content: [{ type: 'text', text }] },
  });

  test('the first event of V1 stands for its folder; a torn file costs only itself', async () => {
    const asked: string[] = [];
    const events = [
      prompt,
      said('b', 'user', 'Hello'),
      '{"kind": "MessageEvent", "sou',
      '',
      { other: 1 },
      said('c', 'agent', 'Hi'),
    ];
    const rollout = await readFrom(sourceOf(prompt, { 'event-*.json': joined(events) }, asked));
    expect(textsOf(rollout)).toEqual(['Act.', 'Hello', 'Hi']);
    expect(new Set(asked)).toEqual(new Set(['event-*.json']));
  });

  test('the first event of V0 stands for its folder, in the order of the ids', async () => {
    const event = (id: number, source: string, content: string): object => ({
      id,
      timestamp: '2026-01-05T10:00:00',
      source,
      action: 'message',
      args: { content },
    });
    const first = event(0, 'user', 'one');
    const events = [event(10, 'agent', 'three'), event(2, 'agent', 'two'), first];
    const rollout = await readFrom(sourceOf(first, { '*.json': joined(events) }));
    expect(textsOf(rollout)).toEqual(['one', 'two', 'three']);
  });

  test('alone it says so', async () => {
    const rollout = await readFrom(sourceOf(prompt, {}));
    expect(textsOf(rollout)).toEqual(['Act.']);
    expect(rollout.extras.map(({ name }) => name)).toContain('further events');
  });
});
