// Calls, reasoning and answers inside a policy turn: every dialect, recipes, what is malformed or cut, hostile text.
import { describe, expect, it } from 'vitest';
import { boxedAnswer } from '../../../src/readers/boxedAnswer.ts';
import { type PolicySpan, scanPolicyTurn } from '../../../src/readers/toolCalls.ts';
import { recipeCallAt } from '../../../src/readers/toolRecipes.ts';
import { growthOfTime, linearLimit } from './linearTime.ts';

type Shown = readonly [kind: string, ...what: unknown[]];
const show = (spans: readonly PolicySpan[]): Shown[] =>
  spans.map((span) =>
    span.kind !== 'call'
      ? [span.kind, span.text]
      : span.call.malformed
        ? ['malformed', span.call.tool, span.call.arguments]
        : ['call', span.call.tool, span.call.arguments],
  );
const scan = (text: string, context: { prefill?: string; endsInCall?: boolean } = {}): Shown[] =>
  show(scanPolicyTurn(text, { prefill: context.prefill ?? '', endsInCall: context.endsInCall ?? false }));

describe('dialects', () => {
  const cases: readonly (readonly [name: string, text: string, ...spans: Shown[]])[] = [
    ['hermes', '<tool_call>\n{"name": "f", "arguments": {"x": 2}}\n</tool_call>', ['call', 'f', { x: 2 }]],
    ['hermes without arguments', '<tool_call>{"name": "f"}</tool_call>', ['call', 'f', {}]],
    [
      'hermes with JSON in a string',
      '<tool_call>{"name": "f", "arguments": "{\\"x\\": 2}"}</tool_call>',
      ['call', 'f', { x: 2 }],
    ],
    ['hermes with plain text', '<tool_call>{"name": "f", "arguments": "x"}</tool_call>', ['call', 'f', 'x']],
    [
      'hermes with NaN, as Python writes it',
      '<tool_call>{"name": "f", "arguments": {"x": NaN}}</tool_call>',
      ['call', 'f', { x: null }],
    ],
    [
      'hermes with a key of the prototype',
      '<tool_call>{"name": "f", "arguments": {"__proto__": 1}}</tool_call>',
      ['call', 'f', JSON.parse('{"__proto__": 1}')],
    ],
    [
      'two calls',
      '<tool_call>{"name": "f"}</tool_call>\n<tool_call>{"name": "g"}</tool_call>',
      ['call', 'f', {}],
      ['call', 'g', {}],
    ],
    [
      'qwen3_coder',
      '<tool_call>\n<function=f>\n<parameter=code>\nprint("</p>")\nx > 1\n</parameter>\n<parameter=n>\n3\n</parameter>\n</function>\n</tool_call>',
      ['call', 'f', { code: 'print("</p>")\nx > 1', n: '3' }],
    ],
    ['qwen3_coder without parameters', '<tool_call><function=f></function></tool_call>', ['call', 'f', {}]],
    [
      'qwen3_coder, a parameter that does not close',
      '<tool_call><function=f>\n<parameter=a>\n1\n<parameter=b>\n2\n</parameter></function></tool_call>',
      ['call', 'f', { a: '1', b: '2' }],
    ],
    [
      'glm',
      '<tool_call>f\n<arg_key>x</arg_key>\n<arg_value>[1, 2]</arg_value>\n<arg_key>y</arg_key>\n<arg_value>why not</arg_value>\n</tool_call>',
      ['call', 'f', { x: [1, 2], y: 'why not' }],
    ],
    ['glm without arguments', '<tool_call>f\n</tool_call>', ['call', 'f', {}]],
    [
      'seed',
      '<seed:tool_call><function=f><parameter=k>v</parameter></function></seed:tool_call>',
      ['call', 'f', { k: 'v' }],
    ],
    [
      'minimax, two invokes',
      '<minimax:tool_call>\n<invoke name="f">\n<parameter name="k">v</parameter>\n</invoke>\n<invoke name="g">\n</invoke>\n</minimax:tool_call>',
      ['call', 'f', { k: 'v' }],
      ['call', 'g', {}],
    ],
    [
      'kimi, two calls',
      '<|tool_calls_section_begin|><|tool_call_begin|>functions.f:0<|tool_call_argument_begin|>{"x": 1}<|tool_call_end|><|tool_call_begin|>functions.g:1<|tool_call_argument_begin|>{bad<|tool_call_end|><|tool_calls_section_end|>',
      ['call', 'f', { x: 1 }],
      ['malformed', 'g', null],
    ],
    [
      'gpt-oss',
      '<|channel|>analysis<|message|>I think.<|end|><|start|>assistant<|channel|>commentary to=functions.f <|constrain|>json<|message|>{"x": 1}<|call|>',
      ['reasoning', 'I think.'],
      ['call', 'f', { x: 1 }],
    ],
    ['gpt-oss that is not JSON', '<|channel|>commentary to=functions.f<|message|>{x<|call|>', ['malformed', 'f', null]],
    ['gpt-oss final', '<|channel|>final<|message|>It is 4.', ['text', 'It is 4.']],
    [
      'deepseek_v4',
      '<｜DSML｜tool_calls><｜DSML｜invoke name="f"><｜DSML｜parameter name="k" string="true">1</｜DSML｜parameter><｜DSML｜parameter name="n" string="false">1</｜DSML｜parameter></｜DSML｜invoke></｜DSML｜tool_calls>',
      ['call', 'f', { k: '1', n: 1 }],
    ],
    [
      'gemma4',
      '<|tool_call>call:f{k:<|"|>a, {b}<|"|>,n:1,list:[true,null,<|"|>x<|"|>],o:{p:-2.5}}<tool_call|>',
      ['call', 'f', { k: 'a, {b}', n: 1, list: [true, null, 'x'], o: { p: -2.5 } }],
    ],
    ['gemma4 without arguments', '<|tool_call>call:f{}<tool_call|>', ['call', 'f', {}]],
    ['gemma4 malformed', '<|tool_call>call:f{k:<|"|>a}<tool_call|>', ['malformed', 'f', null]],
  ];
  for (const [name, text, ...spans] of cases) it(name, () => expect(scan(text)).toEqual(spans));
});

describe('malformed and cut calls', () => {
  const cases: readonly (readonly [name: string, text: string, ...spans: Shown[]])[] = [
    [
      'broken JSON with a name',
      '<tool_call>\n{"name": "python", "arguments": {"code": "x\n</tool_call>',
      ['malformed', 'python', null],
    ],
    ['broken JSON without a name', '<tool_call>{"arguments": </tool_call>', ['malformed', null, null]],
    ['Python, not JSON', "<tool_call>{'name': 'f', 'arguments': {}}</tool_call>", ['malformed', 'f', null]],
    ['JSON that names nothing', '<tool_call>{"tool": "f"}</tool_call>', ['malformed', null, null]],
    ['a list', '<tool_call>[1]</tool_call>', ['malformed', null, null]],
    ['nothing', '<tool_call></tool_call>', ['malformed', null, null]],
    ['a sentence', '<tool_call>please search</tool_call>', ['malformed', null, null]],
    ['cut', 'Now.\n<tool_call>\n{"name": "f", "argum', ['text', 'Now.'], ['malformed', 'f', null]],
    ['a quotation is no call', 'The tag <tool_call> opens.', ['text', 'The tag <tool_call> opens.']],
    [
      'a quotation in front of a call',
      'I write <tool_call> now.\n<tool_call>{"name": "f"}</tool_call>',
      ['text', 'I write <tool_call> now.'],
      ['call', 'f', {}],
    ],
    ['a closing tag alone', 'x</tool_call>y', ['text', 'x</tool_call>y']],
  ];
  for (const [name, text, ...spans] of cases) it(name, () => expect(scan(text)).toEqual(spans));

  it('keeps the call as written', () => {
    const raw = '<tool_call>\n{"name": "f"}\n</tool_call>';
    expect(scanPolicyTurn(`a ${raw} b`, { prefill: '', endsInCall: false })[1]).toMatchObject({
      raw,
      first: 2,
      end: 2 + raw.length,
    });
  });
});

describe('reasoning and answers', () => {
  const call = '<tool_call>{"name": "f"}</tool_call>';
  const cases: readonly (readonly [name: string, text: string, ...spans: Shown[]])[] = [
    ['think', '<think>\na\n</think>\n\nb', ['reasoning', 'a'], ['text', 'b']],
    ['reason', `<reason>a</reason>\n${call}`, ['reasoning', 'a'], ['call', 'f', {}]],
    ['reasoning', '<reasoning>a</reasoning><answer> b </answer>', ['reasoning', 'a'], ['answer', 'b']],
    ['empty reasoning', '<think>\n\n</think>\n\nb', ['text', 'b']],
    ['unmatched end', 'a\n</think>\n\nb', ['reasoning', 'a'], ['text', 'b']],
    ['a second unmatched end is content', 'a</think>b</think>c', ['reasoning', 'a'], ['text', 'b</think>c']],
    [
      'unmatched end behind a call',
      `a${call}b</think>c`,
      ['reasoning', 'a'],
      ['call', 'f', {}],
      ['reasoning', 'b'],
      ['text', 'c'],
    ],
    ['cut inside reasoning', '<think>a <b', ['reasoning', 'a <b']],
    ['reasoning that a call ends', `<think>a${call}`, ['reasoning', 'a'], ['call', 'f', {}]],
    ['a call quoted in reasoning', `<think>a ${call} b</think>c`, ['reasoning', `a ${call} b`], ['text', 'c']],
    [
      'a call executed inside reasoning',
      `<think>a ${call}\n<tool_response>o</tool_response> b</think>c`,
      ['reasoning', 'a'],
      ['call', 'f', {}],
      ['observation', 'o'],
      ['reasoning', 'b'],
      ['text', 'c'],
    ],
    ['a tag quoted in an answer', 'The <think> tag.', ['text', 'The <think> tag.']],
    ['another tag inside', '<reason>a<think>b</reason>c', ['reasoning', 'a<think>b'], ['text', 'c']],
    [
      'an answer in reasoning is none',
      '<reason><answer>a</answer></reason><answer>b</answer>',
      ['reasoning', '<answer>a</answer>'],
      ['answer', 'b'],
    ],
    [
      'an answer behind reasoning that does not end',
      '<reason>a<answer>b</answer>',
      ['reasoning', 'a'],
      ['answer', 'b'],
    ],
    ['an answer that does not end', '<answer>b', ['text', '<answer>b']],
    ['nothing', ''],
    ['blanks', ' \n\t'],
  ];
  for (const [name, text, ...spans] of cases) it(name, () => expect(scan(text)).toEqual(spans));

  it('begins inside the reasoning that the prompt opened', () => {
    expect(scan('a', { prefill: '<think>' })).toEqual([['reasoning', 'a']]);
    expect(scan('a</think>b', { prefill: '<think>' })).toEqual([
      ['reasoning', 'a'],
      ['text', 'b'],
    ]);
  });
});

describe('recipes', () => {
  const executed: readonly (readonly [name: string, text: string, ...spans: Shown[]])[] = [
    [
      'Search-R1',
      '<search>q</search>\n\n<information>i</information>\n<answer>a</answer>',
      ['call', 'search', { query: 'q' }],
      ['observation', 'i'],
      ['answer', 'a'],
    ],
    [
      'ReTool',
      '<code>\nprint(1)\n</code>\n<interpreter>1</interpreter>',
      ['call', 'python', { code: 'print(1)' }],
      ['observation', '1'],
    ],
    [
      'ToRL',
      'x\n```python\nprint(1)\n```\n```output\n1\n```\ny',
      ['text', 'x'],
      ['call', 'python', { code: 'print(1)' }],
      ['observation', '\n1'],
      ['text', 'y'],
    ],
    [
      'a truncated observation',
      '<search>a</search><information>i ...(truncated)\n<search>b</search><information>j</information>',
      ['call', 'search', { query: 'a' }],
      ['observation', 'i ...(truncated)'],
      ['call', 'search', { query: 'b' }],
      ['observation', 'j'],
    ],
    [
      'an observation that the end cuts',
      '<search>a</search><information>i',
      ['call', 'search', { query: 'a' }],
      ['observation', 'i'],
    ],
  ];
  for (const [name, text, ...spans] of executed) it(`executed: ${name}`, () => expect(scan(text)).toEqual(spans));

  const quoted: readonly (readonly [name: string, text: string])[] = [
    ['search', 'Write <search>q</search> to search.'],
    ['fence', 'Like this:\n```python\nprint(1)\n```\nDone.'],
    ['fence at the end', '```python\nprint(1)\n```'],
    ['fence in a text with an output block', '```python\nprint(1)\n```\nand\n```output\n1\n```'],
  ];
  it.each(quoted)('not executed: %s', (_, text) => expect(scan(text)).toEqual([['text', text]]));

  it('is a call at the end of a turn that was executed', () => {
    expect(scan('x\n```python\nprint(1)\n```\n', { endsInCall: true })).toEqual([
      ['text', 'x'],
      ['call', 'python', { code: 'print(1)' }],
    ]);
    expect(scan('<search>a</search> or <search>b</search>', { endsInCall: true })).toEqual([
      ['text', '<search>a</search> or'],
      ['call', 'search', { query: 'b' }],
    ]);
  });

  it('knows an unknown element by its name where the log says it was executed', () => {
    expect(recipeCallAt('x <lookup>\nq\n</lookup>\n')).toEqual({
      call: { tool: 'lookup', arguments: { text: 'q' }, malformed: false },
      raw: '<lookup>\nq\n</lookup>',
    });
    expect(recipeCallAt('x')).toBeNull();
    expect(recipeCallAt('x</lookup>')).toBeNull();
  });
});

describe('boxedAnswer', () => {
  const cases: readonly (readonly [text: string, answer: string | null, line?: string])[] = [
    ['So:\nit is $\\boxed{4}$.\nBye.', '4', 'it is $\\boxed{4}$.'],
    ['\\boxed{1} \\boxed{\\frac{1}{2}}', '\\frac{1}{2}', '\\boxed{1} \\boxed{\\frac{1}{2}}'],
    ['\\boxed{\\{1\\}}', '\\{1\\}', '\\boxed{\\{1\\}}'],
    ['\\boxed{1', null],
    ['none', null],
  ];
  for (const [text, answer, line] of cases) {
    it(text, () => {
      const boxed = boxedAnswer(text);
      expect(boxed?.answer ?? null).toBe(answer);
      if (boxed !== null) expect(text.slice(boxed.first, boxed.end)).toBe(line);
    });
  }
});

describe('linear time', () => {
  const hostile: readonly (readonly [name: string, piece: string])[] = [
    ['opening tags', '<tool_call>'],
    ['opening tags with braces', '<tool_call>{'],
    ['closing tags', '</tool_call>'],
    ['opening and closing reasoning', '<think></think>'],
    ['closing reasoning', 'x</think>'],
    ['opening reasoning', '<think>'],
    ['calls and ends of reasoning', '<tool_call>{}</tool_call></think>'],
    ['answers that do not end', '<answer>'],
    ['searches that do not end', '<search>'],
    ['searches', '<search></search>  '],
    ['searches with truncated observations', '<search></search><information>(truncated)'],
    ['observations', '<tool_call>{}</tool_call><information>'],
    ['fences', '\n```python\n'],
    ['fences with output', '\n```python\n\n```\n```output\n'],
    ['functions', '<tool_call><function=a><parameter=b>'],
    ['functions that close far away', '<function=a>'],
    ['keys', '<tool_call>f<arg_key>'],
    ['kimi', '<|tool_calls_section_begin|><|tool_call_begin|>'],
    ['kimi without ends', '<|tool_call_begin|>a'],
    ['gemma', '<|tool_call>call:f{a:'],
    ['nested gemma', '<|tool_call>call:f{a:[[[[[[[['],
    ['harmony', '<|channel|>commentary to=f<|message|>'],
    ['boxes', '\\boxed{'],
    ['angles', '<<<<<<'],
    ['blanks', '<tool_call>    \n'],
    ['DSML', '<｜DSML｜tool_calls><｜DSML｜invoke name="a">'],
  ];
  const wraps: readonly (readonly [string, string])[] = [
    ['', ''],
    ['<tool_call>', '</tool_call>'],
    ['<|tool_calls_section_begin|>', '<|tool_calls_section_end|>'],
    ['<seed:tool_call>', '</seed:tool_call>'],
  ];
  it.each(hostile)('%s', (_, piece) => {
    const growth = growthOfTime((size) => {
      const text = piece.repeat(size);
      for (const [open, close] of wraps) scanPolicyTurn(open + text + close, { prefill: '', endsInCall: false });
      scanPolicyTurn(text, { prefill: '<think>', endsInCall: true });
      recipeCallAt(`${text}</search>`);
      boxedAnswer(text);
    }, 1_000);
    expect(growth).toBeLessThan(linearLimit);
  });

  it('survives 100,000 nested tags', () => {
    const text = '<tool_call>'.repeat(100_000) + '</tool_call>'.repeat(100_000);
    expect(show(scanPolicyTurn(text, { prefill: '', endsInCall: false })).length).toBeGreaterThan(0);
    const nested = `<tool_call>${'['.repeat(100_000)}</tool_call>`;
    expect(show(scanPolicyTurn(nested, { prefill: '', endsInCall: false }))).toEqual([['malformed', null, null]]);
  });
});
