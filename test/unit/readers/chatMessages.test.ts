// Messages in the shapes producers write them: the same conversation said in five dialects gives the same rollout.
import { describe, expect, test } from 'vitest';
import type { Json } from '../../../src/base/json.ts';
import { type Conversation, turnsOfMessages } from '../../../src/readers/chatMessages.ts';
import { isMessage, readMessage, roleOf } from '../../../src/readers/messageParts.ts';
import { growthOfTime, linearLimit } from './linearTime.ts';

const read = (messages: readonly Json[]): Conversation =>
  turnsOfMessages(messages, { prompt: 'before-first-assistant' });
const calculated = '{"x":"2+2"}';

const dialects: Readonly<Record<string, readonly Json[]>> = {
  'OpenAI chat': [
    { role: 'system', content: 'S' },
    { role: 'user', content: 'Q' },
    {
      role: 'assistant',
      content: 'T',
      reasoning_content: 'R',
      tool_calls: [{ id: 'a', type: 'function', function: { name: 'calc', arguments: calculated } }],
    },
    { role: 'tool', tool_call_id: 'a', content: '4' },
    { role: 'assistant', content: '\\boxed{4}' },
  ],
  'verifiers (JSON in JSON)': [
    { role: 'system', content: 'S' },
    { role: 'user', content: [{ type: 'text', text: 'Q' }] },
    {
      role: 'assistant',
      content: [{ type: 'text', text: 'T' }],
      reasoning_content: 'R',
      tool_calls: [JSON.stringify({ id: 'a', name: 'calc', arguments: JSON.stringify(calculated) })],
    },
    { role: 'tool', tool_call_id: 'a', content: '4' },
    { role: 'assistant', content: '\\boxed{4}' },
  ],
  'Anthropic blocks': [
    { role: 'system', content: 'S' },
    { role: 'user', content: 'Q' },
    {
      role: 'assistant',
      content: [
        { type: 'thinking', thinking: 'R' },
        { type: 'text', text: 'T' },
        { type: 'tool_use', id: 'a', name: 'calc', input: { x: '2+2' } },
      ],
    },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'a', content: [{ type: 'text', text: '4' }] }] },
    { role: 'assistant', content: '\\boxed{4}' },
  ],
  'OpenAI Responses': [
    { role: 'system', content: 'S' },
    { role: 'user', content: [{ type: 'input_text', text: 'Q' }] },
    { type: 'reasoning', summary: [{ type: 'summary_text', text: 'R' }] },
    { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'T' }] },
    { type: 'function_call', call_id: 'a', name: 'calc', arguments: calculated },
    { type: 'function_call_output', call_id: 'a', output: '4' },
    { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: '\\boxed{4}' }] },
  ],
  'text with tags': [
    { role: 'system', content: 'S' },
    { role: 'user', content: 'Q' },
    {
      role: 'assistant',
      content: '<think>\nR\n</think>\nT\n<tool_call>\n{"name": "calc", "arguments": {"x": "2+2"}}\n</tool_call>',
    },
    { role: 'user', content: '<tool_response>\n4\n</tool_response>' },
    { role: 'assistant', content: '\\boxed{4}' },
  ],
  LangChain: [
    { type: 'system', content: 'S' },
    { type: 'human', content: 'Q' },
    { type: 'ai', content: 'T', reasoning: 'R', tool_calls: [{ id: 'a', name: 'calc', args: { x: '2+2' } }] },
    { type: 'tool', tool_call_id: 'a', content: '4' },
    { type: 'ai', content: '\\boxed{4}' },
  ],
};

describe.each(Object.entries(dialects))('%s', (_, messages) => {
  test('gives turns, the call with its result, and the answer', () => {
    const { turns, calls, answer } = read(messages);
    expect(turns.map((turn) => turn.role)).toEqual(['system', 'user', 'policy', 'tool', 'policy']);
    expect(turns.map((turn) => turn.prompt)).toEqual([true, true, false, false, false]);
    expect(turns[2]?.parts).toEqual([
      { kind: 'reasoning', text: 'R' },
      { kind: 'text', text: 'T' },
      { kind: 'call', call: 0 },
    ]);
    expect(turns[3]?.observes).toEqual([0]);
    expect(calls).toHaveLength(1);
    expect(calls[0]).toMatchObject({ turn: 2, tool: 'calc', arguments: { x: '2+2' }, sent: true, observation: '4' });
    expect(answer).toBe('4');
  });
});

test.each([
  ['a flag says it failed', { type: 'tool_result', tool_use_id: 'a', content: 'x', is_error: true }, 'failed', 'x'],
  [
    'a flag says it went well',
    { type: 'tool_result', tool_use_id: 'a', content: 'Error: quoted', is_error: false },
    'ok',
    null,
  ],
  ['the protocol says it went well', { type: 'tool_result', tool_use_id: 'a', content: 'x' }, 'ok', null],
])('outcome where %s', (_, result, outcome, failure) => {
  const { calls } = read([
    { role: 'assistant', content: [{ type: 'tool_use', id: 'a', name: 'f', input: {} }] },
    { role: 'user', content: [result] },
  ]);
  expect(calls[0]).toMatchObject({ outcome, failure });
});

test('results without ids go to the calls in order, and late ones to nobody', () => {
  const { calls, turns } = read([
    {
      role: 'assistant',
      tool_calls: [
        { name: 'a', arguments: '{}' },
        { name: 'b', arguments: '{}' },
      ],
    },
    { role: 'tool', content: '1' },
    { role: 'tool', content: '2' },
    { role: 'tool', content: '3' },
  ]);
  expect(calls.map((call) => call.observation)).toEqual(['1', '2']);
  expect(turns.map((turn) => turn.observes)).toEqual([[], [0], [1], []]);
});

test('a call that is written in text beside calls as data is a quotation', () => {
  const { calls, turns } = read([
    { role: 'user', content: 'Q' },
    {
      role: 'assistant',
      content: 'I would write <tool_call>{"name": "no", "arguments": {}}</tool_call>.',
      tool_calls: [{ id: 'a', function: { name: 'yes', arguments: '{}' } }],
    },
  ]);
  expect(calls.map((call) => call.tool)).toEqual(['yes']);
  const said = turns[1]?.parts.flatMap((part) => ('text' in part ? [part.text] : [])).join(' ');
  expect(said).toContain('<tool_call>{"name": "no"');
});

test('a written call that nothing answers was not sent', () => {
  const { calls } = read([
    { role: 'user', content: 'Q' },
    { role: 'assistant', content: '<tool_call>{"name": "f", "arguments": {}}</tool_call>' },
  ]);
  expect(calls).toMatchObject([{ tool: 'f', sent: false, observation: '' }]);
});

test('calls in the prompt are context, not calls of this rollout', () => {
  const messages = dialects['OpenAI chat'] ?? [];
  const { calls, turns, answer } = turnsOfMessages(messages, { prompt: 4 });
  expect(calls).toEqual([]);
  expect(turns.filter((turn) => turn.prompt)).toHaveLength(4);
  expect(turns[2]?.parts.at(-1)).toEqual({ kind: 'text', text: 'calc({"x":"2+2"})' });
  expect(answer).toBe('4');
});

test('what is known of a message goes to its first turn', () => {
  const agent = { name: 'scout', depth: 1 };
  const { turns } = turnsOfMessages(
    [
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'a', content: 'x' },
          { type: 'text', text: 'y' },
        ],
      },
    ],
    { prompt: 'none', about: () => ({ agent, tokens: 3 }) },
  );
  expect(turns.map((turn) => [turn.role, turn.tokens])).toEqual([
    ['tool', 3],
    ['user', null],
  ]);
});

test.each([
  [
    'an address',
    { type: 'image_url', image_url: { url: 'https://example.org/a.png' } },
    'absent',
    'https://example.org/a.png',
  ],
  ['a path', { type: 'image', image: { path: 'a.png' } }, 'absent', 'a.png'],
  ['base64 without a header', { type: 'image', image: { bytes: `iVBOR${'A'.repeat(91)}` } }, 'inline', null],
  ['a cut data URI', { type: 'image_url', image_url: 'data:image/png;base64,AAAA' }, 'cut', null],
  ['something nobody knows', { type: 'image', image: 'q'.repeat(5000) }, 'absent', null],
])('a picture that is %s', (_, part, state, source) => {
  const { images, facts } = read([{ role: 'user', content: [part] }]);
  expect(images).toMatchObject([{ state, origin: 'prompt' }]);
  expect(facts.map((fact) => fact.value)).toEqual(source === null ? [] : [source]);
});

test.each([
  null,
  3,
  'text',
  [],
  {},
  { role: 3 },
  { role: 'user' },
  { role: 'assistant', tool_calls: 'x' },
  { type: 'function_call' },
])('anything is read as a message: %j', (value) => {
  const message = readMessage(value);
  expect(typeof message.loggedRole).toBe('string');
  expect(() => read([value, value])).not.toThrow();
});

test('what is a message', () => {
  expect(isMessage({ role: 'user', content: '' })).toBe(true);
  expect(isMessage({ from: 'gpt', value: '' })).toBe(true);
  expect(isMessage({ type: 'function_call_output', output: '' })).toBe(true);
  expect(isMessage({ source: 'agent', action: 'run' })).toBe(false);
  expect(isMessage({ type: 'response_item', payload: {} })).toBe(false);
  expect(roleOf('Assistant')).toBe('policy');
  expect(roleOf('narrator')).toBe('other');
});

test.each<[string, (count: number) => readonly Json[]]>([
  [
    'results without ids',
    (count) => [
      { role: 'assistant', tool_calls: Array.from({ length: count }, () => ({ name: 'f', arguments: '{}' })) },
      ...Array.from({ length: count }, () => ({ role: 'tool', content: 'x' })),
    ],
  ],
  [
    'reasoning items',
    (count) => Array.from({ length: count }, () => ({ type: 'reasoning', summary: [{ text: 'x' }] })),
  ],
  [
    'results in one message',
    (count) => [
      {
        role: 'assistant',
        content: Array.from({ length: count }, (_, id) => ({ type: 'tool_use', id: String(id), name: 'f', input: {} })),
      },
      {
        role: 'user',
        content: Array.from({ length: count }, (_, id) => ({
          type: 'tool_result',
          tool_use_id: String(count - id - 1),
          content: 'x',
        })),
      },
    ],
  ],
])('%s cost linear time', (_, messages) => {
  const made = new Map<number, readonly Json[]>();
  const growth = growthOfTime((count) => {
    const list = made.get(count) ?? messages(count);
    made.set(count, list);
    read(list);
  }, 2000);
  expect(growth).toBeLessThan(linearLimit);
});
