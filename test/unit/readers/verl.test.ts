// Records of the verl family: variants, groups, rewards, how calls went, T, pictures. Whole files: fixtures.test.ts.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../src/base/json.ts';
import type { Rollout, TurnPart } from '../../../src/model/rollout.ts';
import { readHead } from '../../../src/readers/head.ts';
import { bytesSource } from '../../../src/readers/source.ts';
import { outcomeOfText, readImage, readInteraction } from '../../../src/readers/toolInteractions.ts';
import { verlReader } from '../../../src/readers/verl.ts';
import { verlArrayReader, verlArrayRollout } from '../../../src/readers/verlArray.ts';
import { verlRollout } from '../../../src/readers/verlRecord.ts';
import { growthOfTime, linearLimit } from './linearTime.ts';
import { randomFrom } from './mutate.ts';
import { brokenRule } from './shape.ts';

const place = { row: 0, line: 0, bytes: { first: 0, count: 1 } };
const input = '<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n';
const base = { input, output: 'x<|im_end|>', gts: 'a', score: 1, step: 1 };
const rolloutOf = (record: JsonObject): Rollout => verlRollout({ ...base, ...record }, place, 'metis');

const written = (name: string, code: string): string =>
  `<tool_call>\n${JSON.stringify({ name, arguments: { code } })}\n</tool_call>`;
const turnEnd = (observation: string): string =>
  `<|im_end|>\n<|im_start|>user\n${observation}<|im_end|>\n<|im_start|>assistant\n`;
const sent = (rollout: Rollout): number => rollout.calls.filter((call) => call.sent).length;

describe('recognition', () => {
  const cases: readonly (readonly [name: string, record: JsonObject, variant: string | null, producer?: string])[] = [
    ['Metis', { ...base, output: '<reason>', tool_interact_info: [] }, 'metis', 'Metis / verl-tool'],
    ['Metis by its metrics', { ...base, verl_tool_metrics: { tool_avg_code_success: 1 } }, 'metis'],
    ['verl-tool', { ...base, traj_stop_reason: 'x' }, 'verl-tool', 'verl-tool'],
    ['V1', { ...base, uid: 'a_b_0_0' }, 'v1', 'verl (V1 trainer)'],
    ['legacy', { ...base, input: 'user\nWhy?\nassistant\n' }, 'legacy', 'verl'],
    ['another uid', { ...base, input: 'user\n', uid: 'abc' }, 'legacy'],
    ['unstripped fork', base, 'unstripped'],
    ['validation', { ...base, input: 'user\n', reward: 1 }, 'legacy', 'verl, validation'],
    [
      'Metis validation',
      { ...base, output: '<reason>', reward: 1, tool_interact_info: [] },
      'metis',
      'Metis / verl-tool, validation',
    ],
    ['without a score', { input, output: 'x' }, null],
    ['file logger', { step: 1, data: {} }, null],
  ];
  it.each(cases.map(([name, record, variant, producer = null]) => [name, record, variant, producer] as const))(
    '%s',
    async (_, record, variant, producer) => {
      const text = `${JSON.stringify(record)}\n`;
      const head = await readHead(bytesSource('1.jsonl', new TextEncoder().encode(text)));
      const recognition = verlReader.recognise(head);
      expect(recognition?.variant ?? null).toBe(variant);
      if (producer !== null) expect(recognition?.producer).toBe(producer);
      expect(verlArrayReader.recognise(head)).toBeNull();
    },
  );

  it('knows a first line of several megabytes by its beginning', async () => {
    const record = {
      ...base,
      output: `<reason>${'x'.repeat(200_000)}`,
      tool_interact_info: [{ image: ['y'.repeat(3_000_000)] }],
    };
    const head = await readHead(bytesSource('1.jsonl', new TextEncoder().encode(JSON.stringify(record))));
    expect(verlReader.recognise(head)?.variant).toBe('metis');
  });

  const names: readonly (readonly [string, number | null, number | null])[] = [
    ['17.jsonl', 17, null],
    ['0.jsonl', 0, null],
    ['200.jsonl.gz', 200, null],
    ['log.jsonl', null, null],
    ['17.json', null, null],
    ['a17.jsonl', null, null],
    ['torl-7b-step-30.json', null, 30],
    ['torl-7b-step-val-30.json', null, 30],
    ['val_step40.json', null, 40],
  ];
  it.each(names)('the step of %s', (name, lines, array) => {
    expect(verlReader.stepOfName(name)).toBe(lines);
    expect(verlArrayReader.stepOfName(name)).toBe(array);
  });
});

describe('group and id', () => {
  it('same prompt and ground truth are one group, whatever the rest', () => {
    const key = (record: JsonObject): string => rolloutOf(record).group.key;
    expect(key({ score: 0, output: 'y' })).toBe(key({}));
    expect(key({ gts: 'b' })).not.toBe(key({}));
    expect(key({ gts: null })).not.toBe(key({ gts: 'null' }));
    expect(key({ input: `${input} ` })).not.toBe(key({}));
    const pads = (count: number): JsonObject => ({
      input: `<|vision_start|>${'<|image_pad|>'.repeat(count)}<|vision_end|>`,
    });
    expect(key(pads(600))).not.toBe(key(pads(601)));
    expect(rolloutOf({}).group.source).toBe('inferred');
  });

  const uids: readonly (readonly [uid: Json, key: string | null, id: string | null])[] = [
    ['3d6c-1_5_0', '3d6c-1', '5'],
    ['a_b_c_12_3', 'a_b_c', '12'],
    ['plain', 'plain', null],
    ['a_1', 'a_1', null],
    ['_1_2', '_1_2', null],
    ['a_x_2', 'a_x_2', null],
    ['', null, null],
    [7, null, null],
  ];
  it.each(uids)('uid %s', (uid, key, id) => {
    const rollout = rolloutOf({ uid });
    expect(rollout.group.source).toBe(key === null ? 'inferred' : 'logged');
    if (key !== null) expect(rollout.group.key).toBe(key);
    expect(rollout.id).toBe(id);
  });

  it('takes the trajectory id first, the request id last', () => {
    const all = { tool_interact_info: [{ trajectory_id: 't' }], uid: 'u_1_0', request_id: 'r' };
    expect(rolloutOf(all).id).toBe('t');
    expect(rolloutOf({ ...all, tool_interact_info: [] }).id).toBe('1');
    expect(rolloutOf({ request_id: 'r' }).id).toBe('r');
  });
});

describe('reward', () => {
  const tool = { tool_interact_info: [] };
  type Expected = readonly [
    total: number | null,
    answer: number | null,
    format: number | null,
    correct: boolean | null,
    source: string,
  ];
  const cases: readonly (readonly [name: string, record: JsonObject, expected: Expected])[] = [
    ['Metis 1', { ...tool, score: 1 }, [1, 1, 1, true, 'decoded from score']],
    ['Metis 0.9', { ...tool, score: 0.8999999761581421 }, [0.8999999761581421, 1, 0, true, 'decoded from score']],
    ['Metis 0.1', { ...tool, score: 0.10000000149011612 }, [0.10000000149011612, 0, 1, false, 'decoded from score']],
    ['Metis 0', { ...tool, score: 0 }, [0, 0, 0, false, 'decoded from score']],
    ['another recipe', { ...tool, score: -0.5 }, [-0.5, null, null, null, 'reward threshold']],
    ['NaN', { ...tool, score: null }, [null, null, null, null, 'reward threshold']],
    [
      'Metis with its parts',
      { ...tool, score: 0.1, accuracy: 0, answer_score: 0, format_score: 1 },
      [0.1, 0, 1, false, 'logged'],
    ],
    ['Metis validation: score is accuracy', { ...tool, score: 1, reward: 1 }, [1, 1, null, true, 'logged']],
    ['Metis validation, wrong', { ...tool, score: 0, reward: 0 }, [0, 0, null, false, 'logged']],
    [
      'Metis validation, mean of several',
      { ...tool, score: 0.5, reward: 0.5 },
      [0.5, null, null, null, 'reward threshold'],
    ],
    ['verl', { score: 1 }, [1, null, null, null, 'reward threshold']],
    ['verl 0.9 is no Metis score', { score: 0.9 }, [0.9, null, null, null, 'reward threshold']],
    ['verl with acc', { score: 0.3, acc: 1.0 }, [0.3, 1, null, true, 'logged']],
    ['numpy as strings', { score: '0.5', acc: 'False' }, [0.5, 0, null, false, 'logged']],
    ['partly right', { score: 0.5, acc: 0.5 }, [0.5, null, null, null, 'reward threshold']],
    ['a score that is text', { score: 'high' }, [null, null, null, null, 'reward threshold']],
  ];
  it.each(cases)('%s', (_, record, expected) => {
    const { reward } = rolloutOf(record);
    expect([reward.total, reward.answer, reward.format, reward.correct, reward.correctSource]).toEqual(expected);
  });

  it('keeps numbers as parts and everything else as extras, in log order', () => {
    const rollout = rolloutOf({
      acc: 'True',
      pred: '56',
      overlong: false,
      overlong_reward: '-0.25',
      custom: 2,
      correct_response_length: 81.5,
      num_turns: 3,
      long: 'x'.repeat(5000),
      tags: ['a'],
      nothing: null,
    });
    expect(rollout.reward.parts).toEqual([
      { name: 'acc', value: 1 },
      { name: 'overlong', value: 0 },
      { name: 'overlong_reward', value: -0.25 },
      { name: 'custom', value: 2 },
    ]);
    expect(rollout.extras.map(({ name }) => name)).toEqual([
      'pred',
      'correct_response_length',
      'num_turns',
      'tags',
      'nothing',
    ]);
  });

  it('reads tokens, mask and stop reason', () => {
    const metrics = { traj_actions_length: '185', no_loss_on_traj: 'True' };
    const rollout = rolloutOf({ verl_tool_metrics: metrics, traj_stop_reason: 'max_turns_reached' });
    expect(rollout).toMatchObject({ modelTokens: 185, masked: true, stopReason: 'max_turns_reached' });
    expect(rolloutOf({})).toMatchObject({ modelTokens: null, masked: false, stopReason: null });
  });
});

describe('how a call went', () => {
  const ok = { obs: 'fine', success: true };
  const cases: readonly (readonly [name: string, entry: JsonObject, outcome: string, failure?: string])[] = [
    ['ok', ok, 'ok'],
    ['nothing logged', {}, 'ok'],
    ['no valid tool', { obs: '', invalid_reason: 'No valid tool found for action', success: true }, 'malformed'],
    ['another reason', { ...ok, invalid_reason: 'Too long' }, 'failed', 'Too long'],
    [
      'timeout in words',
      { obs: 'Tool call timeout after 400 seconds.', success: false },
      'timeout',
      'Tool call timeout after 400 seconds.',
    ],
    ['timeout in a wrapper', { obs: '```output\nTool call timeout after 10 seconds.\n```' }, 'timeout'],
    ['timeout by its flag and no success', { obs: 'x', timeout: true, success: false }, 'timeout'],
    ['the flag alone is a heuristic', { obs: 'a page on timeout', timeout: true, success: true }, 'ok'],
    ['connection', { obs: 'Tool server connection error: refused' }, 'failed', 'Tool server connection error: refused'],
    ['no success', { obs: 'gone', success: false }, 'failed', 'gone'],
    ['no success, numpy', { obs: 'gone', success: 'False' }, 'failed', 'gone'],
    ['error', { obs: '', error: 'KeyError: x', tool_type: 'python' }, 'failed', 'KeyError: x'],
    ['no error', { ...ok, error: null }, 'ok'],
    [
      'code',
      { obs: 'stderr:\n```\nTraceback\nNameError: y\n```\n', metrics: { code_success: false } },
      'failed',
      'NameError: y',
    ],
    [
      'search',
      { obs: 'No search results found for x.', metrics: { search_success: false } },
      'failed',
      'No search results found for x.',
    ],
    ['repeated', { obs: 'again', metrics: { deduplicated: true } }, 'refused'],
    ['not a valid action', { obs: '', valid_action: 0 }, 'failed'],
  ];
  for (const [name, entry, outcome, failure] of cases) {
    it(name, () => {
      const interaction = readInteraction(entry, { malformed: false });
      expect(interaction.outcome).toBe(outcome);
      if (failure !== undefined) expect(interaction.failure).toBe(failure);
      if (outcome === 'ok') expect(interaction.failure).toBeNull();
    });
  }

  it('a call that does not parse is malformed whatever came back', () => {
    expect(readInteraction(ok, { malformed: true }).outcome).toBe('malformed');
  });

  const latencies: readonly (readonly [JsonObject, number | null])[] = [
    [{ interact_time_ms: 5, processing_time_ms: 4, session_request_time: 3 }, 5],
    [{ processing_time_ms: '4.5', session_request_time: 3 }, 4.5],
    [{ session_request_time: 0.25 }, 250],
    [{ 'X-Process-Time': 1 }, null],
    [{ interact_time_ms: 'nan', session_request_time: 1 }, 1000],
  ];
  it.each(latencies)('latency of %j', (entry, latency) => {
    expect(readInteraction(entry, { malformed: false }).latencyMs).toBe(latency);
  });

  it('keeps the other timings and metrics as facts', () => {
    const entry = {
      obs: 'o',
      metrics: { code_lines: 2 },
      timeout: true,
      action: 'a',
      reward: null,
      'time awaiting response_ms': 0.3,
      interact_time_ms: 1,
    };
    expect(readInteraction(entry, { malformed: false }).facts).toEqual([
      { name: 'code_lines', value: 2 },
      { name: 'timeout', value: true },
      { name: 'time awaiting response_ms', value: 0.3 },
    ]);
  });

  const texts: readonly (readonly [string, string])[] = [
    ['4', 'unknown'],
    ['Error: busy', 'failed'],
    ['<tool_response>\nError executing', 'failed'],
    ['{"error": "x"}', 'failed'],
    ['Traceback (most recent call last):\n', 'failed'],
    ['Errors are common.', 'unknown'],
    ['Tool call timeout after 3 seconds.', 'timeout'],
    ['', 'unknown'],
  ];
  it.each(texts)('an observation alone: %s', (text, outcome) => expect(outcomeOfText(text).outcome).toBe(outcome));
});

describe('pictures', () => {
  const payload = 'A'.repeat(96);
  const cases: readonly (readonly [uri: string, state: string, mime: string | null, base64: string | null])[] = [
    [`data:image/png;base64,${payload}`, 'inline', 'image/png', payload],
    [`data:image/jpeg;base64,${payload}`, 'inline', 'image/jpeg', payload],
    [`data:image/png;base64,${payload}A`, 'cut', 'image/png', null],
    [`data:image/png;base64,${'A'.repeat(28)}`, 'cut', 'image/png', null],
    [`data:image/png;base64,${payload}A...`, 'cut', 'image/png', null],
    ['data:image/png;ba', 'cut', null, null],
    [`iVBOR${payload.slice(5)}`, 'inline', 'image/png', `iVBOR${payload.slice(5)}`],
    ['https://example.org/a.png', 'absent', null, null],
    ['', 'absent', null, null],
  ];
  it.each(cases)('%s', (uri, state, mime, base64) => {
    expect(readImage(uri)).toEqual({ origin: 'observation', state, mime, base64, pads: null });
  });

  it('pads of an observation stand for its pictures in order, further pictures are kept', () => {
    const pads = '<|vision_start|><|image_pad|><|image_pad|><|vision_end|>';
    const action = written('python', 'x');
    const image = [`data:image/png;base64,${payload}`, `data:image/jpeg;base64,${payload}`];
    const rollout = rolloutOf({
      input: `<|im_start|>user\n${pads}Why?<|im_end|>\n<|im_start|>assistant\n`,
      output: `${action}${turnEnd(`Images:\n${pads}`)}Done.<|im_end|>`,
      tool_interact_info: [{ action, obs: 'Images:\n', image }],
    });
    expect(rollout.images.map(({ origin, state, pads: count }) => [origin, state, count])).toEqual([
      ['prompt', 'absent', 2],
      ['observation', 'inline', 2],
      ['observation', 'inline', null],
    ]);
    expect(rollout.calls[0]?.images).toEqual([1, 2]);
    expect(rollout.turns[2]?.parts).toEqual([
      { kind: 'text', text: 'Images:\n' },
      { kind: 'image', image: 1 },
    ]);
    expect(rollout.question).toBe('Why?');
  });
});

describe('T: calls that were sent', () => {
  const a = written('python', 'a');
  const b = written('python', 'b');
  const entry = (action: string): JsonObject => ({ action, obs: 'o', success: true });
  const cases: readonly (readonly [
    name: string,
    output: string,
    entries: Json,
    sent: readonly string[],
    unsent: readonly string[],
  ])[] = [
    ['two turns', `${a}${turnEnd('1')}${b}${turnEnd('2')}x`, [entry(a), entry(b)], ['a', 'b'], []],
    ['none', 'x', [], [], []],
    ['cut by the turn limit', `${a}${turnEnd('1')}${b}`, [entry(a)], ['a'], ['b']],
    ['the last of a turn', `${a}\n${b}${turnEnd('1')}x`, [entry(`${a}\n${b}`)], ['b'], ['a']],
    ['no observation behind the last entry', `${a}<|im_end|>`, [entry(a)], ['a'], []],
    ['another action text', `${a}${turnEnd('1')}x`, [entry('something else')], ['a'], []],
    ['an action that is missing', `${a}${turnEnd('1')}x`, [{ obs: 'o' }], ['a'], []],
    ['an entry without its turn', `${a}${turnEnd('1')}x`, [entry(a), entry(b)], ['a', 'b'], []],
    ['entries and no text at all', '', [entry(a)], ['a'], []],
    ['entries that are no objects', `${a}${turnEnd('1')}x`, [null, 3], ['a', '?'], []],
    ['the first turn was not executed', `${a}${turnEnd('1')}${b}${turnEnd('2')}x`, [entry(b)], ['b'], ['a']],
    ['no column: an observation follows', `${a}${turnEnd('1')}${b}`, null, ['a'], ['b']],
    [
      'no column: two answers',
      `${a}\n${b}${turnEnd('<tool_response>1</tool_response>\n<tool_response>2</tool_response>')}x`,
      null,
      ['a', 'b'],
      [],
    ],
    [
      'no column: fewer answers than calls',
      `${a}\n${b}${turnEnd('<tool_response>1</tool_response>')}x`,
      null,
      ['a'],
      ['b'],
    ],
    [
      'no column: a malformed call got no answer',
      `<tool_call>{</tool_call>${b}${turnEnd('<tool_response>1</tool_response>')}x`,
      null,
      ['b'],
      ['?'],
    ],
    ['no column: no call, a user speaks', `x${turnEnd('And?')}y`, null, [], []],
    [
      'an unknown tag that was executed',
      `<lookup>q</lookup>${turnEnd('1')}x`,
      [entry('<lookup>q</lookup>')],
      ['q'],
      [],
    ],
    [
      'a turn without any call that was executed',
      `no call${turnEnd('')}x`,
      [{ action: 'no call', obs: '', invalid_reason: 'No valid tool found for action' }],
      ['?'],
      [],
    ],
  ];
  const nameOf = (call: Rollout['calls'][number]): string => {
    const values = call.arguments;
    if (typeof values !== 'object' || values === null || Array.isArray(values)) return '?';
    return String(Object.values(values)[0]);
  };
  it.each(cases)('%s', (_, output, entries, wanted, unsent) => {
    const rollout = rolloutOf({ output, ...(entries === null ? {} : { tool_interact_info: entries }) });
    expect(rollout.calls.filter((call) => call.sent).map(nameOf)).toEqual(wanted);
    expect(rollout.calls.filter((call) => !call.sent).map(nameOf)).toEqual(unsent);
    if (Array.isArray(entries)) expect(sent(rollout)).toBe(entries.length);
    for (const [index, call] of rollout.calls.entries()) {
      const parts = rollout.turns[call.turn]?.parts ?? [];
      const written = parts.some((part) => part.kind === 'call' && part.call === index);
      expect(rollout.turns[call.turn]?.role).toBe('policy');
      if (output.includes(call.raw) && call.raw !== '') expect(written).toBe(true);
    }
  });

  it('says which turn answers which call', () => {
    const rollout = rolloutOf({
      output: `${a}${turnEnd('1')}${b}${turnEnd('2')}x`,
      tool_interact_info: [entry(a), entry(b)],
    });
    expect(rollout.turns.map(({ role, loggedRole, observes }) => [role, loggedRole, observes])).toEqual([
      ['user', 'user', []],
      ['policy', 'assistant', []],
      ['tool', 'user', [0]],
      ['policy', 'assistant', []],
      ['tool', 'user', [1]],
      ['policy', 'assistant', []],
    ]);
  });

  it('keeps the observation as logged for the call and as truncated for the turn', () => {
    const rollout = rolloutOf({
      output: `${a}${turnEnd('long...(truncated)')}x`,
      tool_interact_info: [{ action: a, obs: 'long and longer' }],
    });
    expect(rollout.calls[0]?.observation).toBe('long and longer');
    expect(rollout.turns[2]?.parts).toEqual([{ kind: 'text', text: 'long...(truncated)' }]);
  });

  it('takes a transfer or a submit for control', () => {
    const names = ['submit', 'transfer_to_human_agents', 'think', 'python'];
    const output = names.map((name) => `${written(name, 'x')}${turnEnd('1')}`).join('');
    expect(rolloutOf({ output }).calls.map((call) => call.control)).toEqual([true, true, true, false]);
  });
});

describe('old verl-tool arrays', () => {
  it('reads named scores and the logged id of the prompt', () => {
    const item = {
      id: 12,
      prompt: input,
      response: 'It is \\boxed{2}.<|im_end|>',
      ground_truth: '2',
      score: { accuracy: 1, score: 0.9, format: 0 },
      reward: 0.9,
      tool_interact_info: [],
      num_turn: 1,
      response_with_loss_mask: 'x',
    };
    const rollout = verlArrayRollout(item, place);
    expect(rollout).toMatchObject({
      group: { key: '12', source: 'logged' },
      answer: '2',
      groundTruth: '2',
      question: 'Why?',
    });
    expect(rollout.reward).toMatchObject({ total: 0.9, correct: true, correctSource: 'logged' });
    expect(rollout.reward.parts).toEqual([
      { name: 'accuracy', value: 1 },
      { name: 'format', value: 0 },
      { name: 'reward', value: 0.9 },
    ]);
    expect(rollout.extras.map(({ name }) => name)).toEqual(['num_turn']);
  });
});

describe('the record of the format description', () => {
  it('has what its author says', () => {
    const path = join(import.meta.dirname, '../../fixtures/verl/metis-84fd45e/log.jsonl');
    const first = readFileSync(path, 'utf8').split('\n')[0] ?? '';
    const rollout = verlRollout(JSON.parse(first) as JsonObject, place, 'metis');
    expect(rollout.calls.map(({ tool, outcome, latencyMs }) => [tool, outcome, latencyMs])).toEqual([
      ['python', 'ok', 640.2],
      ['text_search', 'ok', 1236],
    ]);
    expect(rollout).toMatchObject({ answer: 'Port Ellery, 4', modelTokens: 185, step: 17 });
    expect(rollout.reward).toMatchObject({ answer: 1, format: 1, correct: true });
  });
});

describe('text put together at random', () => {
  const words = [
    ...[
      '<|im_start|>assistant\n',
      '<|im_end|>\n',
      '<|im_start|>user\n',
      '\nuser\n',
      '\nassistant\n',
      '\ntool\n',
      'user\n\n',
    ],
    ...[
      '<tool_call>',
      '</tool_call>',
      '{"name": "f", "arguments": {}}',
      '<function=f>',
      '</function>',
      '<|call|>',
      'ipython\n\n',
    ],
    ...[
      '<think>',
      '</think>',
      '<reason>',
      '</reason>',
      '<answer>',
      '</answer>',
      '\\boxed{',
      '}',
      '<|channel|>',
      '<|message|>',
    ],
    ...[
      '<search>',
      '</search>',
      '<information>',
      '</information>',
      '```python\n',
      '\n```',
      '```output',
      '(truncated)',
      'to=f',
    ],
    ...[
      '<tool_response>',
      '</tool_response>',
      '<|image_pad|>',
      '<|vision_start|>',
      '<|vision_end|>',
      'word',
      ' ',
      '\n',
      '😀',
    ],
  ];
  const runs = 20_000;
  /** What stands outside of tags must be shown somewhere. */
  const count = (text: string): number => text.split('😀').length;
  const textOf = (rollout: Rollout, part: TurnPart): string =>
    part.kind === 'call' ? (rollout.calls[part.call]?.raw ?? '') : 'text' in part ? part.text : '';

  it(`keeps the rules, T and the text, ${runs} times`, () => {
    const random = randomFrom(7);
    const pick = (): string => words[Math.floor(random() * words.length)] ?? '';
    const text = (most: number): string => Array.from({ length: Math.floor(random() * most) }, pick).join('');
    for (let run = 0; run < runs; run++) {
      const output = text(24);
      const actions = output.split('<|im_end|>');
      const entries = Array.from({ length: Math.floor(random() * 4) }, (_, index) => ({
        action: random() < 0.6 ? (actions[index] ?? '') : text(5),
        obs: text(4),
      }));
      const logged = random() < 0.7 ? { tool_interact_info: entries } : {};
      const rollout = rolloutOf({ input: random() < 0.5 ? input : text(8), output, ...logged });
      if (brokenRule(rollout) !== null) expect([output, entries, brokenRule(rollout)]).toBeNull();
      if ('tool_interact_info' in logged && sent(rollout) !== entries.length) expect([output, entries]).toBeNull();
      const shown = rollout.turns.flatMap(({ parts: own }) => own.map((part) => textOf(rollout, part))).join('');
      if (count(shown) < count(output)) expect([output, entries, shown]).toBeNull();
      const parts = rollout.turns.flatMap((turn) =>
        turn.parts.flatMap((part) => (part.kind === 'call' ? part.call : [])),
      );
      if (new Set(parts).size !== parts.length) expect([output, entries, parts]).toBeNull();
    }
  });
});

describe('linear time', () => {
  const call = written('python', 'x');
  const hostile: readonly (readonly [name: string, piece: string])[] = [
    ['turns', `${call}${turnEnd('1')}`],
    ['calls in one turn', call],
    ['observations', turnEnd('<tool_response>')],
    ['pads with a character between', '<|image_pad|>x'],
    ['recipes inline', '<search>q</search><information>i</information>'],
  ];
  it.each(hostile)('%s', (_, piece) => {
    const growth = growthOfTime((size) => {
      const output = piece.repeat(size);
      const entries = Array.from({ length: size }, () => ({ action: call, obs: '1' }));
      rolloutOf({ output });
      rolloutOf({ output, tool_interact_info: entries });
      rolloutOf({ output, tool_interact_info: entries.map(() => ({ action: 'y', obs: '1' })) });
      rolloutOf({ output, input: `user\n${output}\nassistant\n`, tool_interact_info: [{}] });
    }, 300);
    expect(growth).toBeLessThan(linearLimit);
  });
});
