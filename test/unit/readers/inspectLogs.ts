// The Inspect fixtures as data, written by us from the format's description: what each member of each archive holds.
// inspect.test.ts builds the archives from it, and writes them where UPDATE_FIXTURES=1.
import type { MemberDraft } from './zipOf.ts';

type Value = { readonly [key: string]: unknown };

const json = (value: unknown): string => JSON.stringify(value, null, 2);

const spec = {
  run_id: 'run1',
  created: '2026-01-02T03:04:05+00:00',
  task: 'capitals',
  task_id: 'task1',
  dataset: { name: 'capitals', samples: 2, sample_ids: ['fr', 7] },
  model: 'mockllm/model',
  config: { epochs: 2 },
};
const plan = { name: 'plan', steps: [{ solver: 'basic_agent', params: {} }], config: {} };
const header = {
  version: 2,
  status: 'success',
  eval: spec,
  plan,
  results: { total_samples: 4, completed_samples: 4, scores: [] },
  stats: { started_at: '2026-01-02T03:04:05+00:00', completed_at: '2026-01-02T03:05:05+00:00', model_usage: {} },
};

const picture = `data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==`;

/** A correct attempt with an attachment, an example in the prompt, two calls at once, one of which fails. */
const first: Value = {
  id: 'fr',
  epoch: 1,
  input: 'What is the capital of France?',
  target: 'Paris',
  choices: null,
  messages: [
    { id: 'm1', role: 'system', content: 'attachment://0aa1' },
    { id: 'm2', role: 'user', content: 'Example: 1 + 1', source: 'input' },
    {
      id: 'm3',
      role: 'assistant',
      source: 'input',
      content: '',
      tool_calls: [{ id: 'x', function: 'add', arguments: { a: 1, b: 1 }, type: 'function' }],
    },
    { id: 'm4', role: 'tool', source: 'input', content: '2', tool_call_id: 'x', function: 'add' },
    {
      id: 'm5',
      role: 'user',
      source: 'input',
      content: [
        { type: 'text', text: 'What is the capital of France?' },
        { type: 'image', image: 'attachment://0bb2', detail: 'auto' },
        { type: 'image', image: 'https://example.org/map.png' },
      ],
    },
    {
      id: 'm6',
      role: 'assistant',
      source: 'generate',
      content: 'Let me look it up.',
      tool_calls: [
        { id: 'c1', function: 'search', arguments: { query: 'attachment://0cc3' }, type: 'function' },
        { id: 'c2', function: 'bash', arguments: { cmd: 'sleep 99' }, type: 'function', view: { title: 'bash' } },
        {
          id: 'c3',
          function: 'bash',
          arguments: { cmd: '{' },
          type: 'function',
          parse_error: 'Expecting property name',
        },
      ],
    },
    { id: 'm7', role: 'tool', content: 'Paris is the capital.', tool_call_id: 'c1', function: 'search' },
    {
      id: 'm8',
      role: 'tool',
      content: '',
      tool_call_id: 'c2',
      function: 'bash',
      error: { type: 'timeout', message: 'Command timed out before completing.' },
    },
    {
      id: 'm9',
      role: 'tool',
      content: '',
      tool_call_id: 'c3',
      function: 'bash',
      error: { type: 'parsing', message: 'Expecting property name' },
    },
    {
      id: 'm10',
      role: 'assistant',
      source: 'generate',
      content: [
        { type: 'reasoning', reasoning: 'It is Paris.', signature: null, redacted: false },
        { type: 'text', text: 'Paris' },
      ],
      tool_calls: [{ id: 'c4', function: 'submit', arguments: { answer: 'Paris' }, type: 'function' }],
    },
    { id: 'm11', role: 'tool', content: 'Paris', tool_call_id: 'c4', function: 'submit' },
  ],
  output: {
    model: 'model',
    choices: [{ message: { role: 'assistant', content: 'Paris' }, stop_reason: 'stop' }],
    completion: 'Paris',
    usage: { input_tokens: 30, output_tokens: 4, total_tokens: 34 },
    time: 0.5,
  },
  scores: {
    match: {
      value: 'C',
      answer: 'Paris',
      explanation: 'It says Paris.',
      metadata: { case: 'ignored' },
      history: [{}, {}],
    },
    length: { value: 5 },
    rubric: { value: { tone: 0.5, facts: 1 } },
    flags: { value: [1, 0] },
  },
  metadata: { difficulty: 'easy', tags: ['geo'], note: 'attachment://0aa1' },
  store: { 'BasicAgent:submitted': true },
  events: [
    { event: 'sample_init', timestamp: '2026-01-02T03:04:05+00:00', sample: {}, state: {} },
    { event: 'step', action: 'begin', type: 'solver', name: 'basic_agent', timestamp: '2026-01-02T03:04:05+00:00' },
    {
      event: 'model',
      timestamp: '2026-01-02T03:04:06+00:00',
      model: 'mockllm/model',
      input: [],
      output: {
        model: 'model',
        choices: [
          { message: { id: 'm6', role: 'assistant', content: 'Let me look it up.' }, stop_reason: 'tool_calls' },
        ],
        usage: { input_tokens: 20, output_tokens: 9, total_tokens: 29 },
        time: 1.25,
      },
    },
    {
      event: 'tool',
      timestamp: '2026-01-02T03:04:07+00:00',
      completed: '2026-01-02T03:04:07.750+00:00',
      working_time: 0.5,
      id: 'c1',
      function: 'search',
      arguments: {},
      result: 'Paris is the capital.',
      truncated: [90000, 16384],
      events: [],
    },
    {
      event: 'model',
      timestamp: '2026-01-02T03:04:08+00:00',
      completed: '2026-01-02T03:04:10+00:00',
      model: 'mockllm/model',
      input: [],
      output: {
        choices: [
          {
            message: {
              id: 'm10',
              role: 'assistant',
              content: 'Paris',
            },
            stop_reason: 'stop',
            logprobs: {
              content: [
                { token: 'Pa', logprob: -0.5 },
                { token: 'ris', logprob: -0.25 },
              ],
            },
          },
        ],
        usage: { output_tokens: 2 },
      },
    },
    { event: 'step', action: 'begin', type: 'scorer', name: 'match', timestamp: '2026-01-02T03:04:10+00:00' },
    {
      event: 'model',
      timestamp: '2026-01-02T03:04:10+00:00',
      model: 'mockllm/grader',
      input: [],
      output: { choices: [{ message: { id: 'g1', role: 'assistant', content: 'GRADE: C' }, stop_reason: 'stop' }] },
    },
    { event: 'step', action: 'end', type: 'scorer', name: 'match', timestamp: '2026-01-02T03:04:10+00:00' },
  ],
  model_usage: {
    'mockllm/model': { input_tokens: 50, output_tokens: 11, total_tokens: 61 },
    'mockllm/grader': { input_tokens: 9, output_tokens: 3, total_tokens: 12 },
  },
  total_time: 5.5,
  working_time: 4.5,
  uuid: 'uuid-1',
  attachments: { '0aa1': 'You answer in one word.', '0bb2': picture, '0cc3': 'capital of France' },
};

/** Wrong, stopped by a limit while a tool ran; the old names of things. */
const second: Value = {
  id: 'fr',
  epoch: 2,
  input: [{ role: 'user', content: 'What is the capital of France?' }],
  target: ['Paris', 'paris'],
  messages: [
    { role: 'user', content: 'What is the capital of France?', source: 'input' },
    {
      role: 'assistant',
      source: 'generate',
      content: '',
      reasoning: 'I could ask somebody.',
      tool_calls: [{ id: 'd1', function: 'python', arguments: { code: 'print(1)' }, type: 'function' }],
    },
    { role: 'tool', content: '1', tool_call_id: 'd1', function: 'python', tool_error: 'No such host' },
    {
      role: 'assistant',
      content: 'Once more.',
      tool_calls: [{ id: 'd2', function: 'python', arguments: { code: 'while True: pass' }, type: 'function' }],
    },
  ],
  output: { model: 'model', choices: [], completion: '' },
  score: { value: 'I', answer: null },
  metadata: {},
  store: {},
  transcript: {
    events: [
      { event: 'tool', id: 'd2', function: 'python', result: 'attachment://e1', error: null, working_time: 2 },
      {
        event: 'subtask',
        name: 'planner',
        events: [
          {
            event: 'model',
            model: 'mockllm/planner',
            input: [{ role: 'user', content: 'Make a plan.' }],
            output: { choices: [{ message: { role: 'assistant', content: 'Ask a map.' } }], time: 0.25 },
          },
        ],
      },
    ],
    content: { e1: 'stopped' },
  },
  limit: { type: 'time', limit: 60 },
};

/** Partial credit; a sample whose id is a number. */
const third: Value = {
  id: 7,
  epoch: 1,
  input: 'Name two capitals.',
  target: 'Rome, Oslo',
  messages: [
    { role: 'user', content: 'Name two capitals.' },
    { role: 'assistant', content: 'Rome' },
    { role: 'critic', content: 'Only one.' },
    null,
    'text without a role',
  ],
  output: { choices: [{ message: { role: 'assistant', content: 'Rome' }, stop_reason: 'max_tokens' }] },
  scores: { judge: { value: 'P' } },
};

/** Failed and not scored. */
const fourth: Value = {
  id: 7,
  epoch: 2,
  input: 'Name two capitals.',
  target: 'Rome, Oslo',
  messages: [],
  output: { model: 'model', choices: [] },
  scores: { judge: { value: 'UNSCORED' } },
  error: { message: "RuntimeError('no sandbox')", traceback: 'Traceback', traceback_ansi: 'Traceback' },
  error_retries: [{ message: 'first try' }],
};

const nanText = json(fourth).replace('"UNSCORED"', 'NaN');

/** Deflated members in the order Inspect writes them. */
export const deflated: readonly MemberDraft[] = [
  { name: '_journal/start.json', content: json({ version: 2, eval: spec, plan }) },
  { name: 'samples/fr_epoch_1.json', content: json(first) },
  { name: 'samples/7_epoch_1.json', content: json(third) },
  { name: 'samples/fr_epoch_2.json', content: json(second) },
  { name: 'samples/7_epoch_2.json', content: nanText },
  { name: '_journal/summaries/1.json', content: json([{ id: 'fr', epoch: 1 }]) },
  { name: 'summaries.json', content: json([{ id: 'fr', epoch: 1 }]) },
  { name: 'reductions.json', content: json([]) },
  { name: 'header.json', content: json(header) },
];

const inputs = [
  { id: 'p1', role: 'system', content: 'You plan.' },
  { id: 'p2', role: 'user', content: 'Write a haiku about rain.' },
  { id: 'p3', role: 'system', content: 'You are a poet.' },
  { id: 'p4', role: 'user', content: 'A haiku about rain, please.' },
  {
    id: 'p5',
    role: 'assistant',
    content: 'Counting.',
    tool_calls: [{ id: 's2', function: 'count', arguments: { text: 'rain' } }],
  },
  { id: 'p6', role: 'tool', content: '1', tool_call_id: 's2', function: 'count' },
];

const said = (span: string, message: Value, refs: readonly (readonly number[])[], more: Value = {}): Value => ({
  event: 'model',
  span_id: span,
  timestamp: '2026-03-01T00:00:00+00:00',
  model: 'mockllm/model',
  input: [],
  input_refs: refs,
  output: { choices: [{ message, stop_reason: 'stop' }], usage: { output_tokens: 5 }, time: 0.5 },
  ...more,
});

const planner = [
  {
    id: 'a1',
    role: 'assistant',
    content: [{ type: 'reasoning', reasoning: 'gAAAAencrypted', redacted: true, summary: 'Ask the poet.' }],
    tool_calls: [{ id: 't1', function: 'poet', arguments: { task: 'haiku' }, type: 'function' }],
  },
  { id: 'a2', role: 'tool', content: 'Rain on the old roof', tool_call_id: 't1', function: 'poet' },
  {
    id: 'a3',
    role: 'assistant',
    content: [
      {
        type: 'tool_use',
        tool_type: 'web_search',
        id: 'w1',
        name: 'web_search',
        context: 'mcp',
        arguments: '{"query": "haiku"}',
        result: 'three lines',
        error: null,
      },
      {
        type: 'tool_use',
        tool_type: 'mcp_call',
        id: 'w2',
        name: 'rate',
        arguments: 'not JSON',
        result: '',
        error: 'offline',
      },
      { type: 'reasoning', reasoning: '', redacted: true },
      { type: 'text', text: 'Rain on the old roof' },
      {
        type: 'document',
        document: 'data:application/pdf;base64,AAAA',
        filename: 'a.pdf',
        mime_type: 'application/pdf',
      },
      { type: 'data', data: { note: 1 } },
    ],
  },
];

/** A planner that hands over to a poet: spans, a message pool, server-side tools, encrypted reasoning. */
const delegated: Value = {
  id: 'haiku/rain',
  epoch: 1,
  input: 'Write a haiku about rain.',
  target: '',
  messages: [inputs[0], inputs[1], ...planner],
  output: {
    model: 'model',
    choices: [{ message: planner[2], stop_reason: 'stop' }],
    completion: 'Rain on the old roof',
  },
  scores: { rubric: { value: { form: 1, total: 0.75 }, explanation: 'x'.repeat(1500) }, human: { value: true } },
  metadata: { seed: 1 },
  store: {},
  events: [
    { event: 'span_begin', id: 'sp0', type: 'solvers', name: 'solvers' },
    { event: 'span_begin', id: 'sp1', parent_id: 'sp0', type: 'agent', name: 'planner' },
    said('sp1', planner[0] ?? {}, [[0, 2]]),
    { event: 'span_begin', id: 'sp2', parent_id: 'sp1', type: 'tool', name: 'poet' },
    { event: 'span_begin', id: 'sp3', parent_id: 'sp2', type: 'agent', name: 'poet' },
    said('sp3', inputs[4] ?? {}, [[2, 4]]),
    { event: 'tool', span_id: 'sp3', id: 's2', function: 'count', arguments: {}, result: '1', working_time: 0.125 },
    said('sp3', { id: 'b2', role: 'assistant', content: 'Rain on the old roof' }, [[2, 6]]),
    { event: 'span_begin', id: 'sp4', parent_id: 'sp3', type: 'agent', name: 'critic' },
    said('sp4', { id: 'b3', role: 'assistant', content: 'Fine.' }, [
      [99, 3],
      ['x', 1],
      [3, 4],
    ] as never),
    { event: 'span_end', id: 'sp4' },
    { event: 'span_end', id: 'sp3' },
    {
      event: 'tool',
      span_id: 'sp2',
      id: 't1',
      function: 'poet',
      agent: 'poet',
      agent_span_id: 'sp3',
      arguments: {},
      result: 'Rain on the old roof',
      working_time: 3,
    },
    said('sp1', planner[2] ?? {}, [[0, 2]]),
    { event: 'span_begin', id: 'sp5', parent_id: 'sp5', type: 'scorers', name: 'scorers' },
    said('sp5', { id: 'b4', role: 'assistant', content: 'GRADE: C' }, [[0, 1]]),
  ],
  events_data: { messages: inputs, calls: [] },
  model_usage: { 'mockllm/model': { input_tokens: 10, output_tokens: 20, total_tokens: 30 } },
};

/** zstd members, still running (no header), with a sample written twice and some that cannot be read. */
export const compressed: readonly MemberDraft[] = [
  { name: '_journal/start.json', content: json({ version: 2, eval: spec, plan }), method: 93 },
  {
    name: 'samples/haiku/rain_epoch_1.json',
    content: json({ ...delegated, scores: { human: { value: false } } }),
    method: 93,
  },
  { name: 'samples/broken_epoch_1.json', content: '{"id": "broken", "epoch": 1, "messages": [', method: 93 },
  { name: 'samples/secret_epoch_1.json', content: json(third), method: 93, lies: { encrypted: true } },
  { name: 'samples/none_epoch_1.json', content: json({ epoch: 1, messages: [] }), method: 0 },
  { name: '../outside.json', content: '{}', method: 0 },
  { name: '/etc/absolute.json', content: '{}', method: 0 },
  { name: 'samples/haiku/rain_epoch_1.json', content: json(delegated), method: 93 },
];

const shell = (sample: Value, refs: readonly (readonly number[])[]): string => {
  const left = new Set(['messages', 'events', 'events_data', 'attachments', 'metadata']);
  const kept = Object.entries(sample).filter(([key]) => !left.has(key));
  return JSON.stringify({ ...Object.fromEntries(kept), message_refs: refs, sequences: {} });
};

const pool = [...inputs, ...planner];
const chunk = (items: readonly unknown[]): string => JSON.stringify(items);
const events = (delegated['events'] as readonly Value[]) ?? [];

/** One sample in chunks and one in a member of its own, as the converter to log version 3 writes them. */
export const chunked: readonly MemberDraft[] = [
  { name: 'header.json', content: json({ ...header, version: 3 }), method: 93 },
  {
    name: 'samples/haiku_epoch_1/sample.json',
    content: shell({ ...delegated, id: 'haiku', input: 'attachment://1' }, [
      [0, 2],
      [6, 9],
    ]),
    method: 93,
  },
  { name: 'samples/haiku_epoch_1/metadata.json', content: '{"seed": 2, "hint": "attachment://0"}', method: 93 },
  { name: 'samples/haiku_epoch_1/skeleton.json', content: '{}', method: 93 },
  { name: 'samples/haiku_epoch_1/events/stats.json', content: '{}', method: 93 },
  { name: 'samples/haiku_epoch_1/messages/0.json', content: chunk(pool.slice(0, 2)), method: 93 },
  { name: 'samples/haiku_epoch_1/messages/10.json', content: chunk([]), method: 93 },
  { name: 'samples/haiku_epoch_1/messages/2.json', content: chunk(pool.slice(2)), method: 93 },
  { name: 'samples/haiku_epoch_1/events/0.json', content: chunk(events.slice(0, 4)), method: 93 },
  { name: 'samples/haiku_epoch_1/events/4.json', content: chunk(events.slice(4)), method: 93 },
  {
    name: 'samples/haiku_epoch_1/attachments/0.json',
    content: chunk(['think of clouds', 'Write a haiku about rain.']),
    method: 93,
  },
  { name: 'samples/lost_epoch_1/sample.json', content: shell({ ...delegated, id: 'lost' }, [[0, 2]]), method: 93 },
  { name: 'samples/lost_epoch_1/messages/0.json', content: '[{]', method: 93 },
  { name: 'samples/7_epoch_1.json', content: json(third), method: 8 },
];

/** The same samples as one document; NaN as Python writes it. */
export const documentText: string = `${JSON.stringify(
  { ...header, samples: [first, third, { id: null }, second, fourth, 5], reductions: [] },
  null,
  2,
).replace('"UNSCORED"', 'NaN')}\n`;
